// What the package was built for: the processor that `-march=native` found.
//
// A module of its own, the one in C that is compiled with that flag, and nothing but data: a
// processor that lacks something can still read it.
#pragma once
#include <stdbool.h>

/// The features of which the compiler may make use by itself: the name that it has for each, the
/// macro by which it says that it may, and what people say. The ones that others need come first.
#define LAB_FEATURES(X)                                     \
  X("sse4.2", __SSE4_2__, "SSE4.2")                         \
  X("popcnt", __POPCNT__, "POPCNT")                         \
  X("avx", __AVX__, "AVX")                                  \
  X("fma", __FMA__, "FMA")                                  \
  X("bmi", __BMI__, "BMI1")                                 \
  X("bmi2", __BMI2__, "BMI2")                               \
  X("avx2", __AVX2__, "AVX2")                               \
  X("f16c", __F16C__, "F16C")                               \
  X("lzcnt", __LZCNT__, "LZCNT")                            \
  X("movbe", __MOVBE__, "MOVBE")                            \
  X("avxvnni", __AVXVNNI__, "AVX-VNNI")                     \
  X("avx512f", __AVX512F__, "AVX-512")                      \
  X("avx512cd", __AVX512CD__, "AVX-512 CD")                 \
  X("avx512bw", __AVX512BW__, "AVX-512 BW")                 \
  X("avx512dq", __AVX512DQ__, "AVX-512 DQ")                 \
  X("avx512vl", __AVX512VL__, "AVX-512 VL")                 \
  X("avx512ifma", __AVX512IFMA__, "AVX-512 IFMA")           \
  X("avx512vbmi", __AVX512VBMI__, "AVX-512 VBMI")           \
  X("avx512vbmi2", __AVX512VBMI2__, "AVX-512 VBMI2")        \
  X("avx512vnni", __AVX512VNNI__, "AVX-512 VNNI")           \
  X("avx512bitalg", __AVX512BITALG__, "AVX-512 BITALG")     \
  X("avx512vpopcntdq", __AVX512VPOPCNTDQ__, "AVX-512 VPOPCNTDQ") \
  X("avx512bf16", __AVX512BF16__, "AVX-512 BF16")           \
  X("avx512fp16", __AVX512FP16__, "AVX-512 FP16")           \
  X("gfni", __GFNI__, "GFNI")                               \
  X("vpclmulqdq", __VPCLMULQDQ__, "VPCLMULQDQ")

/// For each of `LAB_FEATURES`, in that order, whether the package was built for it.
extern const bool lab_built_for[];

/// Whether it was built for registers of sixteen floats, 32 of them: AVX-512.
extern const bool lab_built_for_avx512;
/// Whether it was built for registers of eight floats and fused multiply-adds: AVX2 and FMA.
extern const bool lab_built_for_avx2;

// What Swift takes apart lane by lane, and Clang does in one instruction.
#pragma once

typedef float LaneVector __attribute__((ext_vector_type(16)));

/// The square root of each of sixteen floats, rounded to the nearest.
static inline __attribute__((always_inline)) LaneVector lane_square_root(LaneVector x) {
  return __builtin_elementwise_sqrt(x);
}

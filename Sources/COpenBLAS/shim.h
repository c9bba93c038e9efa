// OpenBLAS from libopenblas-dev: the C interface to BLAS and the control of its threads.
#include <cblas.h>
#include <stdlib.h>
#include <string.h>

// Present in builds that hold kernels for several processors, as Debian's does.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/// Makes OpenBLAS use vector kernels on a processor that is younger than the library.
///
/// It knows processors by their numbers, and for one it does not know it takes its oldest kernels
/// (Prescott, of 2004), which are four to five times slower on a processor with AVX-512. What the
/// user says in OPENBLAS_CORETYPE stands.
static inline void lab_choose_blas_kernels(void) {
#if defined(__x86_64__)
  if (getenv("OPENBLAS_CORETYPE") || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
  if (strcmp(openblas_get_corename(), "Prescott") != 0) return;
  const char *core = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
                         ? "SkylakeX"
                     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
                         ? "Haswell"
                         : 0;
  if (!core) return;
  setenv("OPENBLAS_CORETYPE", core, 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv("OPENBLAS_CORETYPE");
#endif
}

#pragma once
#include <cblas.h>
#include <fenv.h>

// FE_DFL_ENV is a casting macro, which Swift cannot import.
static inline int lockstep_default_floating_point(void) { return fesetenv(FE_DFL_ENV); }

// What this program was compiled for, which Swift has no way to ask: the macros that -march sets.
static inline int lockstep_compiled_for_avx2(void) {
#ifdef __AVX2__
  return 1;
#else
  return 0;
#endif
}
static inline int lockstep_compiled_for_fma(void) {
#ifdef __FMA__
  return 1;
#else
  return 0;
#endif
}
static inline int lockstep_compiled_for_avx512(void) {
#ifdef __AVX512F__
  return 1;
#else
  return 0;
#endif
}

#pragma once

// Instructions that Swift does not reach: each lane picks one of four floats; the square root of all lanes at once
// (`squareRoot()` takes them one by one, which makes Adam three times as slow); and asking for a cache line before it is needed.

typedef float lockstep_float8 __attribute__((vector_size(32)));
typedef int lockstep_int8 __attribute__((vector_size(32)));
typedef float lockstep_float16 __attribute__((vector_size(64)));
typedef int lockstep_int16 __attribute__((vector_size(64)));

#if defined(__AVX__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

// Lane i of the result is four[index[i] & 3]. `four` points to four floats, aligned or not.
static inline lockstep_float8 lockstep_pick8(const float *four, lockstep_int8 index) {
#if defined(__AVX__)
  return (lockstep_float8)_mm256_permutevar_ps(_mm256_broadcast_ps((const __m128 *)four), (__m256i)index);
#else
  lockstep_float8 picked;
  for (int i = 0; i < 8; i++) picked[i] = four[index[i] & 3];
  return picked;
#endif
}

static inline lockstep_float16 lockstep_pick16(const float *four, lockstep_int16 index) {
#if defined(__AVX512F__)
  return (lockstep_float16)_mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(four)), (__m512i)index);
#else
  lockstep_float16 picked;
  for (int i = 0; i < 16; i++) picked[i] = four[index[i] & 3];
  return picked;
#endif
}

static inline lockstep_float8 lockstep_sqrt8(lockstep_float8 x) { return __builtin_elementwise_sqrt(x); }
static inline lockstep_float16 lockstep_sqrt16(lockstep_float16 x) { return __builtin_elementwise_sqrt(x); }

// Asks for the cache line at `address`; of no effect where nothing can be read there.
static inline void lockstep_prefetch(const void *address) { __builtin_prefetch(address); }

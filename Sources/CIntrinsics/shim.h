#pragma once

// Instructions that Swift does not reach: arithmetic of whole vectors; each lane picks one of four floats; the square root of all lanes at once
// (`squareRoot()` takes them one by one, which makes Adam three times as slow); floats as doubles; the first lanes of a vector read and
// written; a square of floats transposed in registers; products of bfloat16; an address of which the compiler knows nothing; and asking for a
// cache line before it is needed.

typedef float lockstep_float8 __attribute__((vector_size(32)));
typedef int lockstep_int8 __attribute__((vector_size(32)));
typedef float lockstep_float16 __attribute__((vector_size(64)));
typedef int lockstep_int16 __attribute__((vector_size(64)));
typedef double lockstep_double8 __attribute__((vector_size(64)));

#if defined(__AVX__) || defined(__AVX512F__)
#include <immintrin.h>
#endif

// Swift would else look at each address that it gets for nil.
#pragma clang assume_nonnull begin

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

// What Swift does lane by lane, and leaves to the compiler to find that it is one instruction: each is a hundred lines of its intermediate
// language, and where they are not found again it is sixteen instructions. The bits are the same.
#define LOCKSTEP_ARITHMETIC(lanes) \
  static inline lockstep_float##lanes lockstep_add##lanes(lockstep_float##lanes x, lockstep_float##lanes y) { return x + y; } \
  static inline lockstep_float##lanes lockstep_subtract##lanes(lockstep_float##lanes x, lockstep_float##lanes y) { return x - y; } \
  static inline lockstep_float##lanes lockstep_multiply##lanes(lockstep_float##lanes x, lockstep_float##lanes y) { return x * y; } \
  static inline lockstep_float##lanes lockstep_divide##lanes(lockstep_float##lanes x, lockstep_float##lanes y) { return x / y; } \
  /* x · y + z with one rounding. */ \
  static inline lockstep_float##lanes lockstep_fma##lanes( \
      lockstep_float##lanes x, lockstep_float##lanes y, lockstep_float##lanes z) { \
    return __builtin_elementwise_fma(x, y, z); \
  } \
  /* x where `mask` is -1, y where it is 0. */ \
  static inline lockstep_float##lanes lockstep_select##lanes( \
      lockstep_int##lanes mask, lockstep_float##lanes x, lockstep_float##lanes y) { \
    return (lockstep_float##lanes)((mask & (lockstep_int##lanes)x) | (~mask & (lockstep_int##lanes)y)); \
  }
LOCKSTEP_ARITHMETIC(8)
LOCKSTEP_ARITHMETIC(16)
#undef LOCKSTEP_ARITHMETIC

static inline lockstep_float8 lockstep_sqrt8(lockstep_float8 x) { return __builtin_elementwise_sqrt(x); }
static inline lockstep_float16 lockstep_sqrt16(lockstep_float16 x) { return __builtin_elementwise_sqrt(x); }

static inline lockstep_double8 lockstep_doubles8(lockstep_float8 x) { return __builtin_convertvector(x, lockstep_double8); }

// The first `count` floats at `from`, and zeros behind them: nothing behind is read. `count` is at most the number of lanes.
static inline lockstep_float8 lockstep_load8(const float *from, long count) {
  lockstep_float8 lanes = {0};
  for (long i = 0; i < count; i++) lanes[i] = from[i];
  return lanes;
}

static inline lockstep_float16 lockstep_load16(const float *from, long count) {
#if defined(__AVX512F__)
  return (lockstep_float16)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
#else
  lockstep_float16 lanes = {0};
  for (long i = 0; i < count; i++) lanes[i] = from[i];
  return lanes;
#endif
}

// Writes the first `count` lanes to `to`, and nothing behind them.
static inline void lockstep_store8(float *to, lockstep_float8 lanes, long count) {
  for (long i = 0; i < count; i++) to[i] = lanes[i];
}

static inline void lockstep_store16(float *to, lockstep_float16 lanes, long count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), (__m512)lanes);
#else
  for (long i = 0; i < count; i++) to[i] = lanes[i];
#endif
}

// Writes `rows` rows of `columns` floats, `from_stride` apart, as `columns` rows of whole vectors, `to_stride` apart: lane i is of row i,
// and zero from `rows` on. Both counts are at most the number of lanes.
static inline void lockstep_transpose8(
    const float *from, long from_stride, long rows, long columns, float *to, long to_stride) {
#if defined(__AVX__)
  if (rows == 8 && columns == 8) {
    __m256 r[8], s[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) r[i] = _mm256_loadu_ps(from + i * from_stride);
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 2) {
      s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
      s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i += 4) {
      r[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
      r[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xee);
      r[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
      r[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xee);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
      _mm256_storeu_ps(to + i * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
      _mm256_storeu_ps(to + (i + 4) * to_stride, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
    }
    return;
  }
#endif
  for (long column = 0; column < columns; column++)
    for (long row = 0; row < 8; row++) to[column * to_stride + row] = row < rows ? from[row * from_stride + column] : 0;
}

static inline void lockstep_transpose16(
    const float *from, long from_stride, long rows, long columns, float *to, long to_stride) {
#if defined(__AVX512F__)
  __m512 r[16], s[16];
  const __mmask16 mask = (__mmask16)((1u << columns) - 1);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++)
    r[i] = _mm512_maskz_loadu_ps(i < rows ? mask : 0, i < rows ? from + i * from_stride : from);
  // Pairs, fours, eights and sixteens of rows change their halves.
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 2) {
    s[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    s[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_shuffle_ps(s[i], s[i + 2], 0x44);
    r[i + 1] = _mm512_shuffle_ps(s[i], s[i + 2], 0xee);
    r[i + 2] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0x44);
    r[i + 3] = _mm512_shuffle_ps(s[i + 1], s[i + 3], 0xee);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 4; i++) {
    s[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    s[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    s[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    s[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 8; i++) {
    // s[i] has rows 0 to 7 of columns i and i + 8, and s[i + 8] rows 8 to 15.
    r[i] = _mm512_shuffle_f32x4(s[i], s[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(s[i], s[i + 8], 0xdd);
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++)
    if (i < columns) _mm512_storeu_ps(to + i * to_stride, r[i]);
#else
  for (long column = 0; column < columns; column++)
    for (long row = 0; row < 16; row++)
      to[column * to_stride + row] = row < rows ? from[row * from_stride + column] : 0;
#endif
}

// Each float rounded to a bfloat16, to nearest even, as a float; a NaN stays one, and denormal numbers are rounded as any other. And pairs:
// lane i has the bfloat16 of first[i] in its high half, which is multiplied first, and that of second[i] in its low one.
#define LOCKSTEP_ROUNDED(n) \
  static inline lockstep_float##n lockstep_rounded##n(lockstep_float##n value) { \
    lockstep_int##n bits = (lockstep_int##n)value; \
    lockstep_int##n rounded = (bits + 0x7fff + (bits >> 16 & 1)) & (int)0xffff0000; \
    lockstep_int##n strange = (bits & 0x7fffffff) > 0x7f800000; \
    lockstep_int##n quiet = (bits | 0x400000) & (int)0xffff0000; \
    return lockstep_select##n(strange, (lockstep_float##n)quiet, (lockstep_float##n)rounded); \
  } \
  static inline lockstep_float##n lockstep_pairs##n(lockstep_float##n first, lockstep_float##n second) { \
    lockstep_int##n low = (lockstep_int##n)lockstep_rounded##n(second) >> 16 & 0xffff; \
    return (lockstep_float##n)((lockstep_int##n)lockstep_rounded##n(first) | low); \
  }
LOCKSTEP_ROUNDED(8)
LOCKSTEP_ROUNDED(16)
#undef LOCKSTEP_ROUNDED

// One step of VDPBF16PS, a float that is a bfloat16 by another added to a sum: rounded once, to nearest even; numbers below the least
// normal one count as zero before, and become zero afterwards, if their size is below it when rounded to 24 bits.
static inline float lockstep_bfloat16_step(float sum, float a, float b) {
  float least = 0x1p-126f;
  if (__builtin_fabsf(sum) < least) sum = __builtin_copysignf(0, sum);
  if (__builtin_fabsf(a) < least) a = __builtin_copysignf(0, a);
  if (__builtin_fabsf(b) < least) b = __builtin_copysignf(0, b);
  // The product is exact, and 53 bits are enough for the second rounding to be of no effect.
  double exact = (double)a * b + (double)sum;
  return __builtin_fabs(exact) < 0x1p-126 - 0x1p-151 ? (float)__builtin_copysign(0, exact) : (float)exact;
}

// sum[i] + a's high half · b's high half, and then + the low ones, as VDPBF16PS of Intel's AVX512-BF16 does. Without the instruction by
// the same roundings one by one, some fifty times slower.
static inline lockstep_float16 lockstep_bfloat16_products16(
    lockstep_float16 sum, lockstep_float16 a, lockstep_float16 b) {
#if defined(__AVX512BF16__)
  return (lockstep_float16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  lockstep_int16 x = (lockstep_int16)a, y = (lockstep_int16)b;
  lockstep_float16 highA = (lockstep_float16)(x & (int)0xffff0000), lowA = (lockstep_float16)(x << 16);
  lockstep_float16 highB = (lockstep_float16)(y & (int)0xffff0000), lowB = (lockstep_float16)(y << 16);
  for (int i = 0; i < 16; i++)
    sum[i] = lockstep_bfloat16_step(lockstep_bfloat16_step(sum[i], highA[i], highB[i]), lowA[i], lowB[i]);
  return sum;
#endif
}

// Whether the program was compiled for a processor with that instruction, for the width that it is used in.
static inline int lockstep_has_bfloat16_products(void) {
#if defined(__AVX512BF16__)
  return 1;
#else
  return 0;
#endif
}

static inline lockstep_float8 lockstep_bfloat16_products8(lockstep_float8 sum, lockstep_float8 a, lockstep_float8 b) {
#if defined(__AVX512BF16__) && defined(__AVX512VL__)
  return (lockstep_float8)_mm256_dpbf16_ps((__m256)sum, (__m256bh)a, (__m256bh)b);
#else
  lockstep_int8 x = (lockstep_int8)a, y = (lockstep_int8)b;
  lockstep_float8 highA = (lockstep_float8)(x & (int)0xffff0000), lowA = (lockstep_float8)(x << 16);
  lockstep_float8 highB = (lockstep_float8)(y & (int)0xffff0000), lowB = (lockstep_float8)(y << 16);
  for (int i = 0; i < 8; i++)
    sum[i] = lockstep_bfloat16_step(lockstep_bfloat16_step(sum[i], highA[i], highB[i]), lowA[i], lowB[i]);
  return sum;
#endif
}

// How the calling thread treats numbers below the least normal one, for lockstep_restore_denormals; from now on it takes them for zero, and
// makes zero of results that would be such.
static inline unsigned lockstep_flush_denormals(void) {
#if defined(__SSE__)
  unsigned mode = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr(mode | 0x8040);
  return mode;
#elif defined(__aarch64__)
  unsigned long mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  __asm__ volatile("msr fpcr, %0" : : "r"(mode | 1ul << 24));
  return (unsigned)mode;
#else
#error "how this processor flushes denormal numbers is not known here"
#endif
}

static inline void lockstep_restore_denormals(unsigned mode) {
#if defined(__SSE__)
  __builtin_ia32_ldmxcsr(mode);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"((unsigned long)mode));
#endif
}

// The same address, which the compiler takes for a new one. So in a loop it finds each row from this address, and not from the row before:
// a chain of as many additions as there are rows takes longer than the rows' products.
static inline const float *lockstep_unknown(const float *address) {
  __asm__("" : "+r"(address));
  return address;
}

// Asks for the cache line at `address`; of no effect where nothing can be read there.
static inline void lockstep_prefetch(const void *address) { __builtin_prefetch(address); }

// The same for a line that will be written: it is taken from the core that has it. For x86-64, compilers make a plain prefetch of the builtin
// unless they are told that the processor has this instruction. Processors that do not have it pass over it.
static inline void lockstep_prefetch_to_write(const void *address) {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(*(const char *)address));
#else
  __builtin_prefetch(address, 1);
#endif
}

#pragma clang assume_nonnull end

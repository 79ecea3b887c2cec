/* SPDX-License-Identifier: Apache-2.0
 * LANES floats as one value: vectors of GCC and clang, or a single float. Masks are all ones or zero in each lane. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_LANES_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_LANES_H

#include <stdint.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#if LANES == 1

typedef float vf;
typedef int32_t vi;
typedef struct wide {
    double all;
} wide;

static inline vf load(const float *p) { return *p; }
static inline void store(float *p, vf v) { *p = v; }
static inline vi load_bytes(const uint8_t *p) { return *p; }
static inline void store_bytes(uint8_t *p, vi v) { *p = (uint8_t)v; }
static inline vi greater(vf a, vf b) { return -(a > b); }
static inline vi at_most(vf a, vf b) { return -(a <= b); }
static inline vi is_nan(vf a) { return -(a != a); }
static inline vi equal(vi a, int b) { return -(a == b); }
static inline vf keep(vi mask, vf a) { return mask ? a : 0; }
static inline vf choose(vi mask, vf a, vf b) { return mask ? a : b; }
static inline vi choose_int(vi mask, int a, vi b) { return mask ? a : b; }
static inline wide load_wide(const double *p) { return (wide) { *p }; }
static inline void store_wide(double *p, wide v) { *p = v.all; }
static inline wide add_wide(wide a, vf v) { return (wide) { a.all + v }; }
static inline wide add_square(wide a, vf v) { return (wide) { a.all + (double)v * v }; }

#else

#define VECTOR(type, count) __attribute__((vector_size((count) * sizeof(type)), aligned(sizeof(type)), may_alias)) type
typedef VECTOR(float, LANES) vf;
typedef VECTOR(int32_t, LANES) vi;
typedef VECTOR(uint8_t, LANES) vb;
typedef VECTOR(float, LANES / 2) half;
typedef VECTOR(double, LANES / 2) vd;
/* Sums of the lower and the upper lanes. */
typedef struct wide {
    vd low, high;
} wide;

static inline vf load(const float *p) { return *(const vf *)p; }
static inline void store(float *p, vf v) { *(vf *)p = v; }
/* Compilers widen some of these element by element. */
#if LANES == 16 && defined(__AVX512F__)
static inline vi load_bytes(const uint8_t *p) { return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p)); }
#elif LANES == 8 && defined(__AVX2__)
static inline vi load_bytes(const uint8_t *p) { return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p)); }
#else
static inline vi load_bytes(const uint8_t *p) { return __builtin_convertvector(*(const vb *)p, vi); }
#endif
static inline void store_bytes(uint8_t *p, vi v) { *(vb *)p = __builtin_convertvector(v, vb); }
static inline vi greater(vf a, vf b) { return (vi)(a > b); }
static inline vi at_most(vf a, vf b) { return (vi)(a <= b); }
static inline vi is_nan(vf a) { return (vi)(a != a); }
static inline vi equal(vi a, int b) { return (vi)(a == b); }
static inline vf keep(vi mask, vf a) { return (vf)(mask & (vi)a); }
static inline vf choose(vi mask, vf a, vf b) { return (vf)((mask & (vi)a) | (~mask & (vi)b)); }
static inline vi choose_int(vi mask, int a, vi b) { return (mask & a) | (~mask & b); }
static inline wide load_wide(const double *p) { return (wide) { *(const vd *)p, *(const vd *)(p + LANES / 2) }; }
static inline void store_wide(double *p, wide v)
{
    *(vd *)p = v.low;
    *(vd *)(p + LANES / 2) = v.high;
}
static inline vd low_of(vf v) { return __builtin_convertvector(*(const half *)&v, vd); }
static inline vd high_of(vf v) { return __builtin_convertvector(*((const half *)&v + 1), vd); }
static inline wide add_wide(wide a, vf v) { return (wide) { a.low + low_of(v), a.high + high_of(v) }; }
static inline wide add_square(wide a, vf v)
{
    vd low = low_of(v), high = high_of(v);
    return (wide) { a.low + low * low, a.high + high * high };
}

#endif

static inline vf every(float value) { return value - (vf) { 0 }; }

#endif

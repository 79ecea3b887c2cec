/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/dtype.h"

#include <math.h>
#include <string.h>

static const struct {
    size_t size;
    const char *name;
} dtypes[TRIB_DTYPE_COUNT] = {
    [TRIB_F32] = { 4, "f32" }, [TRIB_F16] = { 2, "f16" }, [TRIB_BF16] = { 2, "bf16" }, [TRIB_I64] = { 8, "i64" },
    [TRIB_U8] = { 1, "u8" },   [TRIB_I32] = { 4, "i32" }, [TRIB_F64] = { 8, "f64" },   [TRIB_U64] = { 8, "u64" },
};

size_t trib_dtype_size(trib_dtype dtype) { return (unsigned)dtype < TRIB_DTYPE_COUNT ? dtypes[dtype].size : 0; }

const char *trib_dtype_name(trib_dtype dtype)
{
    return (unsigned)dtype < TRIB_DTYPE_COUNT ? dtypes[dtype].name : "unknown";
}

bool trib_dtype_is_float(trib_dtype dtype) { return dtype == TRIB_F32 || dtype == TRIB_F16 || dtype == TRIB_BF16; }

static float float_from_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint32_t bits_of_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

float trib_f16_to_f32(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 0x1Fu, mantissa = h & 0x3FFu;
    if (exponent == 0x1F) return float_from_bits(sign | 0x7F800000u | mantissa << 13);
    if (exponent == 0) { /* zero or subnormal: mantissa * 2^-24 */
        float magnitude = (float)mantissa * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    return float_from_bits(sign | (exponent + 112) << 23 | mantissa << 13);
}

/* Right shift that rounds to nearest, ties to even. */
static uint32_t shift_round_even(uint32_t value, int shift)
{
    uint32_t half = 1u << (shift - 1), kept = value >> shift, rest = value & ((1u << shift) - 1);
    return kept + (rest > half || (rest == half && (kept & 1)));
}

uint16_t trib_f32_to_f16(float value)
{
    uint32_t bits = bits_of_float(value), magnitude = bits & 0x7FFFFFFFu;
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    if (magnitude > 0x7F800000u) return (uint16_t)(sign | 0x7E00u);
    if (magnitude >= 0x477FF000u) return (uint16_t)(sign | 0x7C00u); /* 65520 and above rounds to infinity */
    if (magnitude < 0x38800000u) {                                   /* below 2^-14: subnormal */
        int shift = 126 - (int)(magnitude >> 23);
        if (shift > 24) return sign;
        return (uint16_t)(sign | shift_round_even((magnitude & 0x7FFFFFu) | 0x800000u, shift));
    }
    return (uint16_t)(sign | shift_round_even(magnitude - (112u << 23), 13));
}

float trib_bf16_to_f32(uint16_t bits) { return float_from_bits((uint32_t)bits << 16); }

uint16_t trib_f32_to_bf16(float value)
{
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

float trib_f32_to_tf32(float value)
{
    uint32_t bits = bits_of_float(value);
    if ((bits & 0x7F800000u) == 0x7F800000u) return value; /* no fraction to round into */
    return float_from_bits((bits + 0x1000u) & ~0x1FFFu);
}

static float load_as_f32(const unsigned char *p, trib_dtype dtype)
{
    uint16_t half;
    int64_t integer;
    uint64_t natural;
    int32_t small;
    double wide;
    float f;
    switch (dtype) {
    case TRIB_F32: memcpy(&f, p, sizeof f); return f;
    case TRIB_F16: memcpy(&half, p, sizeof half); return trib_f16_to_f32(half);
    case TRIB_BF16: memcpy(&half, p, sizeof half); return trib_bf16_to_f32(half);
    case TRIB_I64: memcpy(&integer, p, sizeof integer); return (float)integer;
    case TRIB_U8: return (float)*p;
    case TRIB_I32: memcpy(&small, p, sizeof small); return (float)small;
    case TRIB_F64:
        memcpy(&wide, p, sizeof wide);
        return fabs(wide) < 0x1.ffffffp127 || isnan(wide) ? (float)wide : copysignf(INFINITY, wide > 0 ? 1.0f : -1.0f);
    case TRIB_U64: memcpy(&natural, p, sizeof natural); return (float)natural;
    case TRIB_DTYPE_COUNT: break;
    }
    return NAN;
}

void trib_convert_to_f32(const void *source, trib_dtype dtype, size_t count, float *out)
{
    const unsigned char *p = source;
    if (dtype == TRIB_F32) {
        if (count) memcpy(out, source, count * sizeof(float));
        return;
    }
    size_t size = trib_dtype_size(dtype);
    for (size_t i = 0; i < count; ++i) out[i] = load_as_f32(p + i * size, dtype);
}

/* A number is infinite or no number if all bits of its exponent are set. Loops of this form become vector code, which
 * takes less time than reading the weights from a file. */
#define ANY_NON_FINITE(type, exponent)                          \
    type bad = 0;                                               \
    for (size_t i = 0; i < count; ++i) {                        \
        type bits;                                              \
        memcpy(&bits, p + i * sizeof bits, sizeof bits);        \
        bad |= (type)((type)(bits & (exponent)) == (exponent)); \
    }                                                           \
    return bad != 0

static bool any_in_f16(const unsigned char *p, size_t count) { ANY_NON_FINITE(uint16_t, 0x7C00u); }
static bool any_in_bf16(const unsigned char *p, size_t count) { ANY_NON_FINITE(uint16_t, 0x7F80u); }
static bool any_in_f32(const unsigned char *p, size_t count) { ANY_NON_FINITE(uint32_t, 0x7F800000u); }
static bool any_in_f64(const unsigned char *p, size_t count) { ANY_NON_FINITE(uint64_t, UINT64_C(0x7FF0000000000000)); }

int64_t trib_find_non_finite(const void *source, trib_dtype dtype, size_t count)
{
    static bool (*const any_in[TRIB_DTYPE_COUNT])(const unsigned char *, size_t) = {
        [TRIB_F32] = any_in_f32, [TRIB_F16] = any_in_f16, [TRIB_BF16] = any_in_bf16, [TRIB_F64] = any_in_f64
    };
    enum { BLOCK = 1024 };
    if ((unsigned)dtype >= TRIB_DTYPE_COUNT || !any_in[dtype]) return -1;
    const unsigned char *p = source;
    const size_t size = trib_dtype_size(dtype);
    size_t first = 0;
    while (first + BLOCK <= count && !any_in[dtype](p + first * size, BLOCK)) first += BLOCK;
    for (size_t i = first; i < count; ++i)
        if (any_in[dtype](p + i * size, 1)) return (int64_t)i;
    return -1;
}

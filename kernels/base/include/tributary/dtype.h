/* SPDX-License-Identifier: Apache-2.0
 * Tributary: element types and their conversions. */
#ifndef TRIBUTARY_DTYPE_H
#define TRIBUTARY_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

typedef enum trib_dtype {
    TRIB_F32 = 0,
    TRIB_F16,
    TRIB_BF16,
    TRIB_I64,
    TRIB_U8,
    TRIB_I32,
    TRIB_F64, /* in files only: no op takes it, nor u64 */
    TRIB_U64,
    TRIB_DTYPE_COUNT
} trib_dtype;

/* Bytes of one element. */
size_t trib_dtype_size(trib_dtype dtype);

/* "f32", "f16", "bf16", "i64", "u8", "i32", "f64", "u64". */
const char *trib_dtype_name(trib_dtype dtype);

/* f32, f16 or bf16: what parameters and inputs of a network may be stored as. */
bool trib_dtype_is_float(trib_dtype dtype);

/* IEEE 754 binary16 and bfloat16, round to nearest even; NaN stays NaN, overflow becomes infinity. */
float trib_f16_to_f32(uint16_t bits);
uint16_t trib_f32_to_f16(float value);
float trib_bf16_to_f32(uint16_t bits);
uint16_t trib_f32_to_bf16(float value);
/* The nearest float32 with 10 bits of fraction, the precision of tensor cores in tf32; ties away from zero, as in
 * cvt.rna.tf32.f32. NaN stays NaN, overflow becomes infinity. */
float trib_f32_to_tf32(float value);

/* Converts `count` elements of `source` (any dtype; need not be aligned) to float32, rounded to nearest.
 * An f64 out of range becomes infinity. */
void trib_convert_to_f32(const void *source, trib_dtype dtype, size_t count, float *out);

/* Index of the first NaN or infinity among `count` elements of a floating dtype, or -1. Integers are always finite. */
int64_t trib_find_non_finite(const void *source, trib_dtype dtype, size_t count);

TRIB_END_DECLS
#endif

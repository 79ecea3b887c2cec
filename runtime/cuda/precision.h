/* SPDX-License-Identifier: Apache-2.0
 * How a convolution or matrix product computes on CUDA: what is stored, what is multiplied. Sums are always float32. */
#ifndef TRIBUTARY_RUNTIME_CUDA_PRECISION_H
#define TRIBUTARY_RUNTIME_CUDA_PRECISION_H

#include "tributary/dtype.h"

typedef enum trib_precision {
    TRIB_PRECISION_FP32 = 0, /* float32 stored and multiplied */
    TRIB_PRECISION_TF32,     /* float32 stored, factors rounded to 10 bits of fraction: tensor cores */
    TRIB_PRECISION_FP16,
    TRIB_PRECISION_BF16,
    TRIB_PRECISION_COUNT
} trib_precision;

/* "fp32", "tf32", "fp16", "bf16". */
static inline const char *trib_precision_name(trib_precision precision)
{
    static const char *const names[] = { "fp32", "tf32", "fp16", "bf16" };
    return precision < TRIB_PRECISION_COUNT ? names[precision] : "unknown";
}

/* What tensors of this precision hold. */
static inline trib_dtype trib_precision_dtype(trib_precision precision)
{
    static const trib_dtype stored[] = { TRIB_F32, TRIB_F32, TRIB_F16, TRIB_BF16 };
    return stored[precision];
}

/* Weights as cuDNN and cuBLASLt want them: from dense float32 [k][channels][taps] to [k][taps][padded] of the
 * precision's type, zero beyond `channels`. For a filter taps = r*s; for a linear layer channels and pixels of the
 * image before it. `out` is host memory. */
void trib_precision_pack(trib_precision precision, int k, int channels, int taps, int padded, const float *weights,
                         void *out);

#endif

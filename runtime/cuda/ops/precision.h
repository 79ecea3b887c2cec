/* SPDX-License-Identifier: Apache-2.0
 * Weights in the form that convolutions and matrix products of a precision want on CUDA. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_PRECISION_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_PRECISION_H

#include "tributary/op.h"

/* Weights as cuDNN and cuBLASLt want them: from dense float32 [k][channels][taps] to [k][taps][padded] of the
 * precision's type, zero beyond `channels`. Those of tf32 are rounded here (trib_f32_to_tf32): a library may cut off
 * what is left over. For a filter taps = r*s; for a linear layer channels and pixels of the image before it. `out` is
 * host memory. */
void trib_precision_pack(trib_precision precision, int k, int channels, int taps, int padded, const float *weights,
                         void *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * An op's parameters in device memory, in the form and type its implementation wants. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_WEIGHTS_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_WEIGHTS_H

#include "cuda/device.h"
#include "cuda/ops/precision.h"

typedef struct trib_cuda_weights {
    void *weight, *bias; /* NULL where there is none */
} trib_cuda_weights;

/* weight from dense [k][channels][taps] to [k][taps][channels] of the precision's type; bias, k values, as `bias_type`.
 * `parameters` as given to trib_op_create; bias is left out without has_bias. */
trib_status trib_cuda_weights_upload(trib_cuda_device *device, trib_precision precision, int k, int channels, int taps,
                                     const trib_op_parameters *parameters, bool has_bias, trib_dtype bias_type,
                                     trib_cuda_weights *out);
/* Runs that use them may be on their way. */
void trib_cuda_weights_free(trib_cuda_device *device, trib_cuda_weights *weights);

#endif

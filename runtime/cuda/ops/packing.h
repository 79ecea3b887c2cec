/* SPDX-License-Identifier: Apache-2.0
 * An op's parameters in the form and type its implementation wants, packed by the device itself. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_PACKING_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_PACKING_H

#include "device/packing.h"
#include "tributary/kernels.h"
#include "tributary/op.h"

typedef struct trib_cuda_packing {
    trib_packing place; /* place.bytes 0: the op has no parameters */
    trib_pack_geometry weight;
    trib_dtype weight_dtype, bias_dtype;
} trib_cuda_packing;

/* Weights as cuDNN, cuBLASLt and our kernels want them: [k][taps][channels] of the precision's type; those of tf32 are
 * rounded (a library may cut off what is left over). For a filter taps = r*s, for a linear layer the pixels of the
 * image before it. The bias, k values, is stored as `bias_dtype`. */
trib_cuda_packing trib_cuda_packing_of(trib_precision precision, int k, int channels, int taps, bool has_bias,
                                       trib_dtype bias_dtype);
/* Gives the kernels that pack to `stream`, a cudaStream_t. */
trib_status trib_cuda_packing_run(const trib_cuda_packing *packing, const trib_op_parameters *parameters, void *packed,
                                  void *stream);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * An op's parameters in the form and type of its implementation, packed by the device itself. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_PACKING_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_PACKING_H

#include "device/packing.h"
#include "tributary/kernels.h"
#include "tributary/op.h"

typedef struct trib_cuda_packing {
    trib_packing place; /* place.bytes 0: the op has no parameters */
    trib_pack_geometry weight;
    trib_column_geometry columns; /* outputs 0: not these, but `weight`'s */
    trib_dtype weight_dtype, bias_dtype;
} trib_cuda_packing;

/* Weights for cuDNN, cuBLASLt and our kernels: [k][taps][channels] in the precision's type; those of tf32 are rounded
 * (a library may truncate other bits). For a filter taps = r*s, for a linear layer the pixels of the image before it.
 * The bias, k values, is stored as `bias_dtype`. */
trib_cuda_packing trib_cuda_packing_of(trib_precision precision, int k, int channels, int taps, bool has_bias,
                                       trib_dtype bias_dtype);
/* The same with the weights of trib_column_geometry, and a bias for each of its outputs. c is replaced by the number of
 * channels that there are. Not for tf32. */
trib_cuda_packing trib_cuda_packing_of_columns(trib_precision precision, const trib_column_geometry *columns,
                                               bool has_bias, trib_dtype bias_dtype);
/* Enqueues the packing kernels on `stream`, a cudaStream_t. */
trib_status trib_cuda_packing_run(const trib_cuda_packing *packing, const trib_op_parameters *parameters, void *packed,
                                  void *stream);

#endif

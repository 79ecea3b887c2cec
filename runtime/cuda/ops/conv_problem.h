/* SPDX-License-Identifier: Apache-2.0
 * Ops as convolutions of cuDNN: a convolution, with packed parameters or with its weight as an input, and in training
 * the gradients of convolutions and linear layers. A linear layer is a convolution of one place. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_CONV_PROBLEM_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_CONV_PROBLEM_H

#include "cuda/libraries/cudnn_conv.h"
#include "tributary/op.h"

/* False, with the reason (at least TRIB_MESSAGE_SIZE bytes): it is none. */
bool trib_conv_problem_of(const trib_op_desc *desc, trib_conv_desc *out, char *reason);

/* Bytes of a gradient of a weight that has more rows than the op's, which are its first ones; 0: as many. */
int64_t trib_conv_problem_wide_result(const trib_op_desc *op, const trib_conv_desc *desc);

/* Where its tensors are; `weight` and `bias` are packed parameters, and ignored if the op has others. */
trib_conv_pointers trib_conv_problem_pointers(const trib_op_desc *desc, const void *const *inputs, void *const *outputs,
                                              const void *weight, const void *bias);

#endif

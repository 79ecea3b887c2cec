/* SPDX-License-Identifier: Apache-2.0
 * An op's views and attributes as the geometries of the kernels. */
#ifndef TRIBUTARY_RUNTIME_CUDA_OPS_GEOMETRY_H
#define TRIBUTARY_RUNTIME_CUDA_OPS_GEOMETRY_H

#include "device/window.h"
#include "tributary/internal/kernels_cuda.h"
#include "tributary/op.h"

trib_reorder_geometry trib_reorder_of(const trib_view *x, const trib_view *y, bool relu);
trib_lrn_coefficients trib_coefficients_of(const trib_lrn *lrn);
/* Of a 1x1 convolution with one or several outputs, with or without a max pool before it. */
trib_conv1x1_geometry trib_conv1x1_of(const trib_op_desc *desc);
/* Of an op that reads dy and, with a second input, the forward's x or y. */
trib_gradient_geometry trib_gradients_of(const trib_op_desc *desc);
trib_dropout_geometry trib_dropout_of(const trib_op_desc *desc);
trib_cross_entropy_geometry trib_cross_entropy_of(const trib_op_desc *desc);
trib_cuda_sgd_rates trib_sgd_rates_of(const trib_sgd *sgd);

/* Whether the slice is aligned for accesses of 16 bytes, as our kernels, cuDNN and cuBLASLt need. */
bool trib_begins_aligned(const trib_view *view);

#endif

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

/* Whether the slice is aligned for accesses of 16 bytes, as our kernels, cuDNN and cuBLASLt need. */
bool trib_begins_aligned(const trib_view *view);

#endif

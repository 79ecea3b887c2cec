/* SPDX-License-Identifier: Apache-2.0
 * An op's views and attributes as the geometries of the kernels. */
#ifndef TRIBUTARY_RUNTIME_CUDA_GEOMETRY_H
#define TRIBUTARY_RUNTIME_CUDA_GEOMETRY_H

#include "tributary/internal/kernels_cuda.h"
#include "tributary/op.h"

trib_window_geometry trib_window_of(const trib_view *x, const trib_pool2d *pool, const trib_view *y);
/* Windows given by the sizes of x and y alone. */
trib_window_geometry trib_adaptive_window_of(const trib_view *x, const trib_view *y);
trib_pixel_geometry trib_pixels_between(const trib_view *x, const trib_view *y, bool relu);
trib_reorder_geometry trib_reorder_of(const trib_view *x, const trib_view *y, bool relu);
trib_lrn_coefficients trib_coefficients_of(const trib_lrn *lrn);
/* Of a 1x1 convolution with one or several outputs, with or without a max pool before it. */
trib_conv1x1_geometry trib_conv1x1_of(const trib_op_desc *desc);

/* Whether the elements lie as in NHWC: a single pixel does in NCHW, too. */
bool trib_lies_as_nhwc(const trib_view *view);

#endif

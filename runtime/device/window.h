/* SPDX-License-Identifier: Apache-2.0
 * An op's views and attributes as the geometries that kernels take. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_WINDOW_H
#define TRIBUTARY_RUNTIME_DEVICE_WINDOW_H

#include "tributary/kernels.h"
#include "tributary/op.h"

trib_window_geometry trib_window_of(const trib_view *x, const trib_pool2d *pool, const trib_view *y);
/* Rows (or columns) behind the last of `size` that the last window reaches, `before` the padding in front; 0 where rows
 * are left over: the padding that libraries ask for. */
int trib_window_reach_behind(int outputs, int stride, int window, int before, int size);
/* Whether the elements are in the order of NHWC, which holds for a single pixel in NCHW as well. */
bool trib_lies_as_nhwc(const trib_view *view);
/* 1x1, at every pixel: a matrix product over all pixels. */
bool trib_is_pointwise(const trib_conv2d *conv);

/* Windows given by the sizes of x and y alone. */
trib_window_geometry trib_adaptive_window_of(const trib_view *x, const trib_view *y);
/* The windows of an op, or of the op whose gradient it is part of: x and y are those of the forward. relu as in the
 * desc. */
trib_window_geometry trib_op_window(const trib_op_desc *desc);
/* The same of a linear layer. */
trib_linear_geometry trib_op_linear(const trib_op_desc *desc);
trib_pixel_geometry trib_pixels_between(const trib_view *x, const trib_view *y, bool relu);

#endif

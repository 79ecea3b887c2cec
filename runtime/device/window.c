/* SPDX-License-Identifier: Apache-2.0 */
#include "device/window.h"

trib_window_geometry trib_adaptive_window_of(const trib_view *x, const trib_view *y)
{
    return (trib_window_geometry) { .n = x->n,
                                    .c = x->c,
                                    .h = x->h,
                                    .w = x->w,
                                    .k = y->c,
                                    .p = y->h,
                                    .q = y->w,
                                    .stride_h = 1,
                                    .stride_w = 1,
                                    .x_pitch = x->c_total,
                                    .y_pitch = y->c_total };
}

trib_window_geometry trib_window_of(const trib_view *x, const trib_pool2d *pool, const trib_view *y)
{
    trib_window_geometry g = trib_adaptive_window_of(x, y);
    g.r = pool->r, g.s = pool->s;
    g.stride_h = pool->stride_h, g.stride_w = pool->stride_w;
    g.pad_top = pool->pad.top, g.pad_left = pool->pad.left;
    g.pad_bottom = pool->pad.bottom, g.pad_right = pool->pad.right;
    return g;
}

trib_pixel_geometry trib_pixels_between(const trib_view *x, const trib_view *y, bool relu)
{
    return (trib_pixel_geometry) {
        .rows = (int64_t)x->n * x->h * x->w, .c = x->c, .x_pitch = x->c_total, .y_pitch = y->c_total, .relu = relu
    };
}

int trib_window_reach_behind(int outputs, int stride, int window, int before, int size)
{
    int64_t behind = (int64_t)(outputs - 1) * stride + window - before - size;
    return behind > 0 ? (int)behind : 0;
}

bool trib_lies_as_nhwc(const trib_view *v)
{
    return v->layout == TRIB_NHWC || (v->layout == TRIB_NCHW && v->h == 1 && v->w == 1);
}

bool trib_is_pointwise(const trib_conv2d *a)
{
    return a->r == 1 && a->s == 1 && a->stride_h == 1 && a->stride_w == 1 && !a->pad.top && !a->pad.left &&
           !a->pad.bottom && !a->pad.right;
}

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

/* The forward's x and y among the views of an op. */
static const trib_view *forward_x(const trib_op_desc *desc)
{
    switch (desc->kind) {
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_LINEAR_BACKWARD_DATA:
    case TRIB_MAX_POOL2D_BACKWARD:
    case TRIB_AVG_POOL2D_BACKWARD:
    case TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD: return &desc->outputs[0];
    default: return &desc->inputs[0];
    }
}

static const trib_view *forward_y(const trib_op_desc *desc)
{
    if (forward_x(desc) == &desc->outputs[0]) return &desc->inputs[0];
    bool of_weight = desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT || desc->kind == TRIB_LINEAR_BACKWARD_WEIGHT;
    return of_weight ? &desc->inputs[1] : &desc->outputs[0];
}

trib_window_geometry trib_op_window(const trib_op_desc *desc)
{
    const trib_view *x = forward_x(desc), *y = forward_y(desc);
    const trib_conv2d *conv = &desc->attributes.conv2d;
    trib_pool2d window = desc->attributes.pool2d;
    trib_window_geometry g;
    switch (desc->kind) {
    case TRIB_ADAPTIVE_AVG_POOL2D:
    case TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD: g = trib_adaptive_window_of(x, y); break;
    case TRIB_CONV2D:
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_CONV2D_BACKWARD_WEIGHT: /* slides its window as a pool does */
        window = (trib_pool2d) {
            .r = conv->r, .s = conv->s, .stride_h = conv->stride_h, .stride_w = conv->stride_w, .pad = conv->pad
        };
        g = trib_window_of(x, &window, y);
        break;
    default: g = trib_window_of(x, &window, y);
    }
    g.relu = desc->relu;
    return g;
}

trib_linear_geometry trib_op_linear(const trib_op_desc *desc)
{
    const trib_view *x = forward_x(desc), *y = forward_y(desc);
    return (trib_linear_geometry) { .n = x->n,
                                    .c = x->c,
                                    .h = x->h,
                                    .w = x->w,
                                    .out = y->c,
                                    .x_pitch = x->c_total,
                                    .y_pitch = y->c_total,
                                    .relu = desc->relu };
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

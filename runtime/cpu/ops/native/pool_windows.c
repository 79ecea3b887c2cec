/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/ops/native/pool_windows.h"

static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

static trib_pool_window adaptive_window(const trib_view *x, const trib_view *y, int p, int q)
{
    int64_t h = x->h, w = x->w, rows = y->h, columns = y->w;
    trib_pool_window v = { .top = (int)(p * h / rows),
                           .bottom = (int)(((p + 1) * h + rows - 1) / rows),
                           .left = (int)(q * w / columns),
                           .right = (int)(((q + 1) * w + columns - 1) / columns) };
    v.divisor = (float)(v.bottom - v.top) * (float)(v.right - v.left);
    return v;
}

/* Averages divide by the positions inside the image and its stated padding. */
static trib_pool_window fixed_window(const trib_pool2d *pool, int h, int w, int p, int q)
{
    int top = p * pool->stride_h - pool->pad.top, left = q * pool->stride_w - pool->pad.left;
    int bottom = smaller(top + pool->r, h + pool->pad.bottom), right = smaller(left + pool->s, w + pool->pad.right);
    return (trib_pool_window) { .top = larger(top, 0),
                                .bottom = smaller(bottom, h),
                                .left = larger(left, 0),
                                .right = smaller(right, w),
                                .divisor = (float)(bottom - top) * (float)(right - left) };
}

trib_pool_window trib_pool_window_at(const trib_op_desc *desc, const trib_view *x, const trib_view *y, int p, int q)
{
    bool adaptive = desc->kind == TRIB_ADAPTIVE_AVG_POOL2D || desc->kind == TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD;
    return adaptive ? adaptive_window(x, y, p, q) : fixed_window(&desc->attributes.pool2d, x->h, x->w, p, q);
}

trib_pool_windows trib_pool_windows_of(const trib_op_desc *desc, const trib_view *x, const trib_view *y)
{
    const trib_pool2d *pool = &desc->attributes.pool2d;
    return (trib_pool_windows) { .h = x->h,
                                 .w = x->w,
                                 .p = y->h,
                                 .q = y->w,
                                 .r = pool->r,
                                 .s = pool->s,
                                 .stride_h = pool->stride_h,
                                 .stride_w = pool->stride_w,
                                 .pad_top = pool->pad.top,
                                 .pad_left = pool->pad.left };
}

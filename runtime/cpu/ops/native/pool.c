/* SPDX-License-Identifier: Apache-2.0
 * Pooling as plain loops: one output pixel of one channel group at a time, so that the innermost loop runs over
 * adjacent channels. Sums are float32 in a fixed order. */
#include <math.h>

#include "cpu/ops/native/native.h"
#include "cpu/ops/pixels.h"

/* The input pixels of one output pixel, and the divisor of their sum. */
typedef struct window {
    int top, bottom, left, right; /* inside the image; bottom and right exclusive */
    float divisor;
} window;

static int larger(int a, int b) { return a > b ? a : b; }
static int smaller(int a, int b) { return a < b ? a : b; }

static window adaptive_window(const trib_op_desc *desc, int p, int q)
{
    int64_t h = desc->inputs[0].h, w = desc->inputs[0].w, rows = desc->outputs[0].h, columns = desc->outputs[0].w;
    window v = { .top = (int)(p * h / rows),
                 .bottom = (int)(((p + 1) * h + rows - 1) / rows),
                 .left = (int)(q * w / columns),
                 .right = (int)(((q + 1) * w + columns - 1) / columns) };
    v.divisor = (float)(v.bottom - v.top) * (float)(v.right - v.left);
    return v;
}

/* Averages divide by the positions inside the image and its stated padding. */
static window fixed_window(const trib_op_desc *desc, int p, int q)
{
    const trib_pool2d *pool = &desc->attributes.pool2d;
    int h = desc->inputs[0].h, w = desc->inputs[0].w;
    int top = p * pool->stride_h - pool->pad.top, left = q * pool->stride_w - pool->pad.left;
    int bottom = smaller(top + pool->r, h + pool->pad.bottom), right = smaller(left + pool->s, w + pool->pad.right);
    return (window) { .top = larger(top, 0),
                      .bottom = smaller(bottom, h),
                      .left = larger(left, 0),
                      .right = smaller(right, w),
                      .divisor = (float)(bottom - top) * (float)(right - left) };
}

static void maximum(const trib_pixels *from, const window *v, const float *x, float *y)
{
    for (int c = 0; c < from->width; ++c) y[c] = -INFINITY;
    for (int i = v->top; i < v->bottom; ++i)
        for (int j = v->left; j < v->right; ++j) {
            const float *pixel = x + ((int64_t)i * from->w + j) * from->pitch;
            for (int c = 0; c < from->width; ++c)
                if (!(pixel[c] <= y[c])) y[c] = pixel[c]; /* NaN wins */
        }
}

static void average(const trib_pixels *from, const window *v, const float *x, float *y)
{
    for (int c = 0; c < from->width; ++c) y[c] = 0;
    for (int i = v->top; i < v->bottom; ++i)
        for (int j = v->left; j < v->right; ++j) {
            const float *pixel = x + ((int64_t)i * from->w + j) * from->pitch;
            for (int c = 0; c < from->width; ++c) y[c] += pixel[c];
        }
    for (int c = 0; c < from->width; ++c) y[c] /= v->divisor;
}

trib_status trib_native_pool(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const float *x = call->inputs[0];
    float *y = call->outputs[0];
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    bool adaptive = desc->kind == TRIB_ADAPTIVE_AVG_POOL2D;
    void (*reduce)(const trib_pixels *, const window *, const float *, float *) =
        desc->kind == TRIB_MAX_POOL2D ? maximum : average;
    for (int n = 0; n < to.n; ++n)
        for (int g = 0; g < to.groups; ++g)
            for (int p = 0; p < to.h; ++p)
                for (int q = 0; q < to.w; ++q) {
                    window v = adaptive ? adaptive_window(desc, p, q) : fixed_window(desc, p, q);
                    reduce(&from, &v, x + n * from.image + g * from.group,
                           y + n * to.image + g * to.group + ((int64_t)p * to.w + q) * to.pitch);
                }
    return trib_success();
}

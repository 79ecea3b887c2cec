/* SPDX-License-Identifier: Apache-2.0
 * Pooling. Averages are computed one output pixel of one channel group at a time; their sums are float32 in a fixed
 * order. */
#include "cpu/ops/native/native.h"
#include "cpu/ops/native/pool_windows.h"
#include "cpu/ops/native/strips.h"

trib_status trib_native_max_pool(const trib_native_call *call)
{
    const trib_view *x = &call->desc->inputs[0], *y = &call->desc->outputs[0];
    trib_pixels from = trib_pixels_of(x), to = trib_pixels_of(y);
    trib_pool_windows windows = trib_pool_windows_of(call->desc, x, y);
    TRIB_FOR_STRIPS(s, &from, x->c)
    for (int n = 0; n < x->n; ++n)
        trib_loops_of(s.width)->max_pool(s.width, &windows, trib_strip_run(&from, call->inputs[0], &s, n),
                                         trib_strip_run(&to, call->outputs[0], &s, n), NULL, 0);
    return trib_success();
}

static void average(const trib_pixels *from, const trib_pool_window *v, const float *x, float *y)
{
    for (int c = 0; c < from->width; ++c) y[c] = 0;
    for (int i = v->top; i < v->bottom; ++i)
        for (int j = v->left; j < v->right; ++j) {
            const float *pixel = x + ((int64_t)i * from->w + j) * from->pitch;
            for (int c = 0; c < from->width; ++c) y[c] += pixel[c];
        }
    for (int c = 0; c < from->width; ++c) y[c] /= v->divisor;
}

trib_status trib_native_avg_pool(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const float *x = call->inputs[0];
    float *y = call->outputs[0];
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    for (int n = 0; n < to.n; ++n)
        for (int g = 0; g < to.groups; ++g)
            for (int p = 0; p < to.h; ++p)
                for (int q = 0; q < to.w; ++q) {
                    trib_pool_window v = trib_pool_window_at(desc, &desc->inputs[0], &desc->outputs[0], p, q);
                    average(&from, &v, x + n * from.image + g * from.group,
                            y + n * to.image + g * to.group + ((int64_t)p * to.w + q) * to.pitch);
                }
    return trib_success();
}

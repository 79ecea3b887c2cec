/* SPDX-License-Identifier: Apache-2.0
 * Pools that remember where each maximum was, and the gradients of pools. */
#include <string.h>

#include "cpu/ops/native/pool_windows.h"
#include "cpu/ops/native/strips.h"
#include "cpu/ops/native/training.h"

trib_status trib_native_max_pool_indexed(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const trib_view *view = &desc->inputs[0];
    trib_pixels x = trib_pixels_of(view), y = trib_pixels_of(&desc->outputs[0]), at = trib_pixels_of(&desc->outputs[1]);
    trib_pool_windows windows = trib_pool_windows_of(desc, view, &desc->outputs[0]);
    TRIB_FOR_STRIPS(s, &x, view->c)
    for (int n = 0; n < view->n; ++n) {
        uint8_t *index = (uint8_t *)call->outputs[1] + trib_strip_offset(&at, &s, n);
        trib_loops_of(s.width)->max_pool(s.width, &windows, trib_strip_run(&x, call->inputs[0], &s, n),
                                         trib_strip_run(&y, call->outputs[0], &s, n), index, at.pitch);
    }
    return trib_success();
}

trib_status trib_native_max_pool_backward(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const trib_view *view = &desc->outputs[0];
    trib_pixels dy = trib_pixels_of(&desc->inputs[0]), at = trib_pixels_of(&desc->inputs[1]), dx = trib_pixels_of(view);
    trib_pool_windows windows = trib_pool_windows_of(desc, view, &desc->inputs[0]);
    TRIB_FOR_STRIPS(s, &dx, view->c)
    for (int n = 0; n < view->n; ++n)
        trib_loops_of(s.width)->max_pool_backward(s.width, &windows, trib_strip_run(&dy, call->inputs[0], &s, n),
                                                  (const uint8_t *)call->inputs[1] + trib_strip_offset(&at, &s, n),
                                                  at.pitch, trib_strip_run(&dx, call->outputs[0], &s, n),
                                                  desc->accumulate);
    return trib_success();
}

static void clear(const trib_strip *s, int64_t count, trib_run run)
{
    for (int64_t i = 0; i < count; ++i) memset(run.at + i * run.pitch, 0, (size_t)s->width * sizeof *run.at);
}

/* Every output pixel gives its window's pixels an equal share. */
static void spread(const trib_op_desc *desc, const trib_strip *s, trib_run dy, trib_run dx)
{
    const trib_view *x = &desc->outputs[0], *y = &desc->inputs[0];
    for (int p = 0; p < y->h; ++p)
        for (int q = 0; q < y->w; ++q) {
            trib_pool_window v = trib_pool_window_at(desc, x, y, p, q);
            trib_run corner = { dx.at + ((int64_t)v.top * x->w + v.left) * dx.pitch, dx.pitch };
            trib_loops_of(s->width)->spread(s->width, v.bottom - v.top, v.right - v.left,
                                            dy.at + ((int64_t)p * y->w + q) * dy.pitch, v.divisor, corner,
                                            x->w * dx.pitch);
        }
}

trib_status trib_native_avg_pool_backward(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    trib_pixels dy = trib_pixels_of(&desc->inputs[0]), dx = trib_pixels_of(&desc->outputs[0]);
    TRIB_FOR_STRIPS(s, &dx, desc->outputs[0].c)
    for (int n = 0; n < dx.n; ++n) {
        trib_run target = trib_strip_run(&dx, call->outputs[0], &s, n);
        if (!desc->accumulate) clear(&s, trib_image_pixels(&dx), target);
        spread(desc, &s, trib_strip_run(&dy, call->inputs[0], &s, n), target);
    }
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Dropout with random numbers that are functions of step, layer and element: nothing is stored for the gradient. */
#include <string.h>

#include "cpu/ops/native/strips.h"
#include "cpu/ops/native/training.h"
#include "tributary/training_kernels.h"

static void drop(const trib_native_call *call, const trib_strip *s, int n, trib_run x, trib_run y)
{
    const trib_view *view = &call->desc->inputs[0];
    const trib_dropout *a = &call->desc->attributes.dropout;
    const int64_t pixels = (int64_t)view->h * view->w;
    const float factor = 1 / (1 - a->p);
    trib_step_controls controls;
    memcpy(&controls, call->inputs[1], sizeof controls);
    for (int c = 0; c < s->width; ++c)
        for (int64_t i = 0; i < pixels; ++i) {
            const int64_t element = ((int64_t)(call->image + n) * view->c + s->first + c) * pixels + i;
            bool kept =
                c < s->used && !(trib_random_uniform(controls.seed, controls.step, a->salt, (uint64_t)element) < a->p);
            y.at[i * y.pitch + c] = kept ? x.at[i * x.pitch + c] * factor : 0;
        }
}

trib_status trib_native_dropout(const trib_native_call *call)
{
    const trib_view *view = &call->desc->inputs[0];
    trib_pixels x = trib_pixels_of(view), y = trib_pixels_of(&call->desc->outputs[0]);
    TRIB_FOR_STRIPS(s, &x, view->c)
    for (int n = 0; n < view->n; ++n)
        drop(call, &s, n, trib_strip_run(&x, call->inputs[0], &s, n), trib_strip_run(&y, call->outputs[0], &s, n));
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Probabilities of classes, all or the largest. */
#include <math.h>

#include "cpu/ops/native/native.h"
#include "cpu/ops/pixels.h"
#include "device/window.h"
#include "tributary/kernels.h"

/* Over the channels of the only pixel; `at` steps through them. */
static void softmax_row(const trib_pixels *from, const float *x, const trib_pixels *to, float *y, int channels)
{
    float largest = -INFINITY;
    for (int c = 0; c < channels; ++c) {
        float value = x[c / from->width * from->group + c % from->width];
        if (!(value <= largest)) largest = value; /* also for NaN, which then reaches every output */
    }
    double sum = 0;
    for (int c = 0; c < channels; ++c) sum += exp((double)x[c / from->width * from->group + c % from->width] - largest);
    for (int c = 0; c < channels; ++c) {
        double e = exp((double)x[c / from->width * from->group + c % from->width] - largest);
        y[c / to->width * to->group + c % to->width] = (float)(e / sum);
    }
}

trib_status trib_native_softmax(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const float *x = call->inputs[0];
    float *y = call->outputs[0];
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    for (int n = 0; n < from.n; ++n) softmax_row(&from, x + n * from.image, &to, y + n * to.image, desc->inputs[0].c);
    trib_pixels_clear(&to, y, desc->inputs[0].c);
    return trib_success();
}

/* Rows are the same in all layouts without blocks. */
trib_status trib_native_top_k(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    trib_pixel_geometry g = trib_pixels_between(&desc->inputs[0], &desc->outputs[0], false);
    trib_ref_softmax_top_k(&g, desc->attributes.top_k.k, call->inputs[0], call->outputs[0], call->outputs[1]);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Probabilities of classes, all or the largest. */
#include <math.h>

#include "cpu/ops/native/native.h"
#include "cpu/ops/pixels.h"
#include "tributary/internal/alloc.h"
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
    const float *x = call->inputs[0];
    float *probabilities = call->outputs[0];
    int32_t *indices = call->outputs[1];
    int k = desc->attributes.top_k.k, classes = desc->inputs[0].c;
    int *best = trib_alloc((size_t)k * sizeof *best);
    if (!best) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d classes", k);
    for (int n = 0; n < desc->inputs[0].n; ++n) {
        const float *row = x + (int64_t)n * desc->inputs[0].c_total;
        double largest = -INFINITY, sum = 0;
        for (int c = 0; c < classes; ++c)
            if (!((double)row[c] <= largest)) largest = row[c]; /* also for NaN */
        for (int c = 0; c < classes; ++c) sum += exp((double)row[c] - largest);
        trib_top_k(row, classes, k, best);
        for (int i = 0; i < k; ++i) {
            probabilities[(int64_t)n * desc->outputs[0].c_total + i] =
                (float)(exp((double)row[best[i]] - largest) / sum);
            indices[(int64_t)n * desc->outputs[1].c_total + i] = best[i];
        }
    }
    trib_free(best);
    return trib_success();
}

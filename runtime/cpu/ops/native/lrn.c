/* SPDX-License-Identifier: Apache-2.0
 * Local response normalisation across channels. */
#include <math.h>

#include "cpu/ops/native/native.h"
#include "cpu/ops/pixels.h"

static double lrn_sum(const trib_pixels *p, const float *x, int from, int to)
{
    double sum = 0;
    for (int c = from; c <= to; ++c) {
        double value = x[c / p->width * p->group + c % p->width];
        sum += value * value;
    }
    return sum;
}

trib_status trib_native_lrn(const trib_native_call *call)
{
    const trib_op_desc *desc = call->desc;
    const float *x = call->inputs[0];
    float *y = call->outputs[0];
    const trib_lrn *lrn = &desc->attributes.lrn;
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    int last = desc->inputs[0].c - 1, before = lrn->size / 2, after = lrn->size - 1 - before;
    int64_t pixels = (int64_t)from.h * from.w;
    for (int n = 0; n < from.n; ++n)
        for (int64_t i = 0; i < pixels; ++i) {
            const float *source = x + n * from.image + i * from.pitch;
            float *target = y + n * to.image + i * to.pitch;
            for (int c = 0; c <= last; ++c) {
                int a = c > before ? c - before : 0, b = c + after < last ? c + after : last;
                double scale = lrn->k + (double)lrn->alpha / lrn->size * lrn_sum(&from, source, a, b);
                double value = source[c / from.width * from.group + c % from.width];
                target[c / to.width * to.group + c % to.width] = (float)(value * pow(scale, -(double)lrn->beta));
            }
        }
    trib_pixels_clear(&to, y, last + 1);
    return trib_success();
}

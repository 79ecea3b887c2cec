/* SPDX-License-Identifier: Apache-2.0
 * Updates of parameters, in float32 as everywhere: the same bits on every device that rounds each operation. */
#include <math.h>

#include "reference/reference.h"

void trib_ref_sgd(int64_t count, const trib_sgd_step *step, const float *g, float *w, float *v)
{
    for (int64_t i = 0; i < count; ++i) {
        const float gradient = g[i] / step->loss_scale + step->weight_decay * w[i];
        v[i] = step->momentum * v[i] + gradient;
        w[i] -= step->lr * (step->nesterov ? gradient + step->momentum * v[i] : v[i]);
    }
}

float trib_ref_clip_factor(double squares, float clip_norm, float loss_scale)
{
    const double length = sqrt(squares) / (double)loss_scale;
    return clip_norm > 0 && length > (double)clip_norm ? (float)((double)clip_norm / length) : 1;
}

double trib_ref_squares(int64_t count, const float *g)
{
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += (double)g[i] * (double)g[i];
    return sum;
}

void trib_ref_sum_gradients(int64_t count, bool add, const float *g, float *sum)
{
    for (int64_t i = 0; i < count; ++i) sum[i] = add ? sum[i] + g[i] : g[i];
}

void trib_ref_moving_average(int64_t count, float decay, const float *w, float *a)
{
    for (int64_t i = 0; i < count; ++i) a[i] = decay * a[i] + (1 - decay) * w[i];
}

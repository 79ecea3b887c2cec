/* SPDX-License-Identifier: Apache-2.0
 * Updates of parameters, in float32 as everywhere: the same bits on every device that rounds each operation. */
#include "reference/reference.h"

void trib_ref_sgd(int64_t count, const trib_sgd_step *step, const float *g, float *w, float *v)
{
    for (int64_t i = 0; i < count; ++i) {
        const float gradient = g[i] / step->loss_scale + step->weight_decay * w[i];
        v[i] = step->momentum * v[i] + gradient;
        w[i] -= step->lr * (step->nesterov ? gradient + step->momentum * v[i] : v[i]);
    }
}

void trib_ref_moving_average(int64_t count, float decay, const float *w, float *a)
{
    for (int64_t i = 0; i < count; ++i) a[i] = decay * a[i] + (1 - decay) * w[i];
}

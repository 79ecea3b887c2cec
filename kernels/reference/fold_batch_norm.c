/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "reference/reference.h"

void trib_ref_fold_batch_norm(const trib_fold_geometry *g, const trib_fold_inputs *x, float *weight, float *bias)
{
    for (int64_t k = 0; k < g->k; ++k) {
        double scale = (double)x->bn_weight[k] / sqrt((double)x->var[k] + (double)g->eps);
        double shift = (double)x->bn_bias[k] - (double)x->mean[k] * scale;
        for (int64_t i = k * g->row; i < (k + 1) * g->row; ++i)
            weight[i] = x->weight ? (float)((double)x->weight[i] * scale) : (float)scale;
        double before = x->bias ? (double)x->bias[k] : 0.0;
        bias[k] = (float)(before * scale + shift);
    }
}

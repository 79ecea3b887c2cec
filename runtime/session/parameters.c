/* SPDX-License-Identifier: Apache-2.0 */
#include "session/parameters.h"

#include <math.h>

#include "tributary/internal/alloc.h"

static trib_status as_f32(const trib_plan_op *op, const trib_tensor *t, float **out, int64_t *count)
{
    TRIB_TRY(trib_shape_count(&t->shape, count));
    float *values = trib_alloc((size_t)*count * sizeof *values);
    if (!values) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "layer %s: no memory for its parameters", op->name);
    trib_convert_to_f32(t->data, t->dtype, (size_t)*count, values);
    *out = values;
    return trib_success();
}

/* scale and shift of a batch norm, in double: scale = gamma / sqrt(var + eps), shift = beta - mean * scale. */
static trib_status batch_norm_scale_shift(const trib_plan_op *op, const trib_tensor *parameters, int c, double *scale,
                                          double *shift)
{
    float *p[TRIB_ROLE_COUNT] = { NULL };
    trib_status status = trib_success();
    for (int role = TRIB_BN_WEIGHT; role <= TRIB_BN_VAR && !trib_failed(&status); ++role) {
        int64_t count = 0;
        status = as_f32(op, &parameters[op->parameters[role]], &p[role], &count);
    }
    for (int i = 0; i < c && !trib_failed(&status); ++i) {
        scale[i] = (double)p[TRIB_BN_WEIGHT][i] / sqrt((double)p[TRIB_BN_VAR][i] + (double)op->bn_eps);
        shift[i] = (double)p[TRIB_BN_BIAS][i] - (double)p[TRIB_BN_MEAN][i] * scale[i];
        if (!isfinite(scale[i]) || !isfinite(shift[i]))
            status = TRIB_ERROR(TRIB_BAD_DATA, "layer %s: batch norm of channel %d divides by the root of %g", op->name,
                                i, (double)p[TRIB_BN_VAR][i] + (double)op->bn_eps);
    }
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) trib_free(p[role]);
    return status;
}

/* w'[k,...] = w[k,...] * scale[k]; b'[k] = b[k] * scale[k] + shift[k]. Without weights (a batch norm alone): w' =
 * scale, b' = shift. */
static trib_status apply_batch_norm(const trib_plan_op *op, const trib_tensor *parameters, trib_folded *f,
                                    int64_t weights)
{
    int c = op->desc.outputs[0].c;
    double *scale = trib_alloc_zeroed((size_t)c, sizeof *scale), *shift = trib_alloc_zeroed((size_t)c, sizeof *shift);
    trib_status status = trib_success();
    bool alone = !f->weight;
    if (!f->bias) f->bias = trib_alloc_zeroed((size_t)c, sizeof *f->bias);
    if (alone) f->weight = trib_alloc_zeroed((size_t)c, sizeof *f->weight);
    if (!scale || !shift || !f->bias || !f->weight)
        status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "layer %s: no memory for its parameters", op->name);
    else
        status = batch_norm_scale_shift(op, parameters, c, scale, shift);
    for (int k = 0; k < c && !trib_failed(&status); ++k) {
        int64_t per_channel = weights / c;
        if (alone) f->weight[k] = (float)scale[k];
        for (int64_t i = 0; !alone && i < per_channel; ++i)
            f->weight[k * per_channel + i] = (float)((double)f->weight[k * per_channel + i] * scale[k]);
        f->bias[k] = (float)((double)f->bias[k] * scale[k] + shift[k]);
    }
    trib_free(scale);
    trib_free(shift);
    return status;
}

trib_status trib_fold_parameters(const trib_plan_op *op, const trib_tensor *parameters, trib_folded *out)
{
    trib_folded f = { 0 };
    int64_t weights = 0, biases = 0;
    trib_status status = trib_success();
    if (op->parameters[TRIB_WEIGHT] >= 0)
        status = as_f32(op, &parameters[op->parameters[TRIB_WEIGHT]], &f.weight, &weights);
    if (!trib_failed(&status) && op->parameters[TRIB_BIAS] >= 0)
        status = as_f32(op, &parameters[op->parameters[TRIB_BIAS]], &f.bias, &biases);
    if (!trib_failed(&status) && op->parameters[TRIB_BN_MEAN] >= 0)
        status = apply_batch_norm(op, parameters, &f, weights);
    if (trib_failed(&status))
        trib_folded_release(&f);
    else
        *out = f;
    return status;
}

void trib_folded_release(trib_folded *f)
{
    trib_free(f->weight);
    trib_free(f->bias);
    *f = (trib_folded) { 0 };
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "session/parameters.h"

#include <math.h>
#include <string.h>

#include "graph/kinds.h"
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
static trib_status batch_norm_scale_shift(const trib_plan_op *op, int part, const trib_tensor *parameters, int c,
                                          double *scale, double *shift)
{
    const int *ids = op->parts[part].parameters;
    const double eps = op->parts[part].bn_eps;
    float *p[TRIB_ROLE_COUNT] = { NULL };
    trib_status status = trib_success();
    for (int role = TRIB_BN_WEIGHT; role <= TRIB_BN_VAR && !trib_failed(&status); ++role) {
        int64_t count = 0;
        status = as_f32(op, &parameters[ids[role]], &p[role], &count);
    }
    for (int i = 0; i < c && !trib_failed(&status); ++i) {
        scale[i] = (double)p[TRIB_BN_WEIGHT][i] / sqrt((double)p[TRIB_BN_VAR][i] + eps);
        shift[i] = (double)p[TRIB_BN_BIAS][i] - (double)p[TRIB_BN_MEAN][i] * scale[i];
        if (!isfinite(scale[i]) || !isfinite(shift[i]))
            status = TRIB_ERROR(TRIB_BAD_DATA, "layer %s: batch norm of channel %d divides by the root of %g", op->name,
                                i, (double)p[TRIB_BN_VAR][i] + eps);
    }
    for (int role = 0; role < TRIB_ROLE_COUNT; ++role) trib_free(p[role]);
    return status;
}

/* w'[k,...] = w[k,...] * scale[k]; b'[k] = b[k] * scale[k] + shift[k]. Without weights (a batch norm alone): w' =
 * scale, b' = shift. */
static trib_status apply_batch_norm(const trib_plan_op *op, int part, const trib_tensor *parameters, trib_folded *f,
                                    int64_t weights)
{
    int c = op->desc.outputs[part].c;
    double *scale = trib_alloc_zeroed((size_t)c, sizeof *scale), *shift = trib_alloc_zeroed((size_t)c, sizeof *shift);
    trib_status status = trib_success();
    bool alone = !f->weight;
    if (!f->bias) f->bias = trib_alloc_zeroed((size_t)c, sizeof *f->bias);
    if (alone) f->weight = trib_alloc_zeroed((size_t)c, sizeof *f->weight);
    if (!scale || !shift || !f->bias || !f->weight)
        status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "layer %s: no memory for its parameters", op->name);
    else
        status = batch_norm_scale_shift(op, part, parameters, c, scale, shift);
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

/* A convolution may read more channels than its weights have: those behind them hold zeros, and get zeros. */
static trib_status pad_channels(const trib_plan_op *op, const trib_tensor *weight, float **values, int64_t *count)
{
    int wanted = op->desc.inputs[0].c;
    if (!trib_kind_row_of(op->desc.kind)->ignores_zeros || weight->shape.rank != 4 || weight->shape.dim[1] >= wanted)
        return trib_success();
    size_t rows = (size_t)weight->shape.dim[0], row = (size_t)(*count / weight->shape.dim[0]);
    size_t padded_row = row / (size_t)weight->shape.dim[1] * (size_t)wanted;
    float *padded = trib_alloc_zeroed(rows, padded_row * sizeof *padded);
    if (!padded) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "layer %s: no memory for its parameters", op->name);
    for (size_t k = 0; k < rows; ++k) memcpy(padded + k * padded_row, *values + k * row, row * sizeof *padded);
    trib_free(*values);
    *values = padded;
    *count = (int64_t)(rows * padded_row);
    return trib_success();
}

static trib_status fold_part(const trib_plan_op *op, int part, const trib_tensor *parameters, trib_folded *f,
                             int64_t *weights)
{
    const int *ids = op->parts[part].parameters;
    int64_t biases = 0;
    *weights = 0;
    if (ids[TRIB_WEIGHT] >= 0) {
        TRIB_TRY(as_f32(op, &parameters[ids[TRIB_WEIGHT]], &f->weight, weights));
        TRIB_TRY(pad_channels(op, &parameters[ids[TRIB_WEIGHT]], &f->weight, weights));
    }
    if (ids[TRIB_BIAS] >= 0) TRIB_TRY(as_f32(op, &parameters[ids[TRIB_BIAS]], &f->bias, &biases));
    return ids[TRIB_BN_MEAN] >= 0 ? apply_batch_norm(op, part, parameters, f, *weights) : trib_success();
}

/* Adds `count` values behind the `used` ones that *all has. */
static trib_status append(const trib_plan_op *op, float **all, int64_t used, const float *values, int64_t count)
{
    if (!values) return trib_success();
    float *grown = trib_realloc_array(*all, (size_t)(used + count), sizeof *grown);
    if (!grown) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "layer %s: no memory for its parameters", op->name);
    memcpy(grown + used, values, (size_t)count * sizeof *grown);
    *all = grown;
    return trib_success();
}

trib_status trib_fold_parameters(const trib_plan_op *op, const trib_tensor *parameters, trib_folded *out)
{
    trib_folded all = { 0 };
    int64_t weights = 0, biases = 0, count = 0;
    trib_status status = trib_success();
    for (int part = 0; part < op->part_count && !trib_failed(&status); ++part) {
        trib_folded one = { 0 };
        status = fold_part(op, part, parameters, &one, &count);
        if (!trib_failed(&status) && op->part_count == 1) {
            all = one; /* the usual case: nothing to append to */
            break;
        }
        if (!trib_failed(&status)) status = append(op, &all.weight, weights, one.weight, count);
        if (!trib_failed(&status)) status = append(op, &all.bias, biases, one.bias, op->desc.outputs[part].c);
        weights += count;
        biases += op->desc.outputs[part].c;
        trib_folded_release(&one);
    }
    if (trib_failed(&status))
        trib_folded_release(&all);
    else
        *out = all;
    return status;
}

void trib_folded_release(trib_folded *f)
{
    trib_free(f->weight);
    trib_free(f->bias);
    *f = (trib_folded) { 0 };
}

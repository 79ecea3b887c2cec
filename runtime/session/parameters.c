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
    return trib_outcome(&status);
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
    return trib_outcome(&status);
}

static trib_status fold_part(const trib_plan_op *op, int part, const trib_tensor *parameters, trib_folded *f,
                             int64_t *weights)
{
    const int *ids = op->parts[part].parameters;
    int64_t biases = 0;
    *weights = 0;
    if (ids[TRIB_WEIGHT] >= 0) {
        const trib_tensor *weight = &parameters[ids[TRIB_WEIGHT]];
        TRIB_TRY(as_f32(op, weight, &f->weight, weights));
        if (trib_kind_row_of(op->desc.kind)->ignores_zeros) f->channels = (int)weight->shape.dim[1];
    }
    if (ids[TRIB_BIAS] >= 0) TRIB_TRY(as_f32(op, &parameters[ids[TRIB_BIAS]], &f->bias, &biases));
    if (ids[TRIB_BN_MEAN] >= 0) TRIB_TRY(apply_batch_norm(op, part, parameters, f, *weights));
    if (ids[TRIB_WEIGHT] < 0) *weights = op->desc.outputs[part].c; /* a batch norm alone: its scale */
    return trib_success();
}

/* Appends `count` values to the `used` ones in *all. */
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
        all.channels = one.channels;
        weights += count;
        biases += op->desc.outputs[part].c;
        trib_folded_release(&one);
    }
    if (trib_failed(&status)) {
        trib_folded_release(&all);
        return status;
    }
    if (op->part_count == 1) weights = count, biases = op->desc.outputs[0].c;
    all.weights = all.weight ? weights : 0;
    all.biases = all.bias ? biases : 0;
    *out = all;
    return trib_outcome(&status);
}

void trib_folded_release(trib_folded *f)
{
    trib_free(f->weight);
    trib_free(f->bias);
    *f = (trib_folded) { 0 };
}

/* ---- on the device ---- */

enum { ALIGNMENT = 256 };

static size_t aligned(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* Weight, bias and workspace are in `memory`, in sequence. */
static trib_status pack(trib_stream *stream, trib_op_handle *handle, const trib_folded *values, unsigned char *memory,
                        void *packed)
{
    size_t weight_bytes = (size_t)values->weights * sizeof(float), bias_bytes = (size_t)values->biases * sizeof(float);
    unsigned char *bias = memory + aligned(weight_bytes), *workspace = bias + aligned(bias_bytes);
    trib_op_parameters parameters = { .weight = (float *)memory, .channels = values->channels };
    TRIB_TRY(trib_copy_to_device(stream, memory, values->weight, weight_bytes));
    if (values->bias) {
        TRIB_TRY(trib_copy_to_device(stream, bias, values->bias, bias_bytes));
        parameters.bias = (float *)bias;
    }
    return trib_op_pack(handle, stream, &parameters, packed, workspace);
}

static trib_status load(trib_device *device, trib_stream *stream, const trib_plan_op *op, trib_op_handle *handle,
                        const trib_folded *values, void *packed)
{
    void *memory;
    size_t bytes = aligned((size_t)values->weights * sizeof(float)) + aligned((size_t)values->biases * sizeof(float)) +
                   (size_t)op->packing_bytes;
    TRIB_TRY(trib_device_alloc(device, stream, bytes, &memory));
    trib_status status = pack(stream, handle, values, memory, packed);
    trib_status done = trib_stream_synchronize(stream); /* `values` is in use until then */
    trib_device_free(device, stream, memory);
    return trib_failed(&status) ? status : done;
}

trib_status trib_pack_parameters(trib_device *device, trib_stream *stream, const trib_plan_op *op,
                                 trib_op_handle *handle, const trib_tensor *parameters, void **packed)
{
    trib_folded values;
    *packed = NULL;
    if (!op->packed_bytes) return trib_success();
    TRIB_TRY(trib_fold_parameters(op, parameters, &values));
    trib_status status = trib_device_alloc(device, stream, (size_t)op->packed_bytes, packed);
    if (!trib_failed(&status)) status = load(device, stream, op, handle, &values, *packed);
    trib_folded_release(&values);
    return status; /* the caller frees *packed, also on failure */
}

/* SPDX-License-Identifier: Apache-2.0
 * Ops as plain loops over channel groups (pixels.h), in any layout: those that oneDNN lacks, or lacks for some shapes.
 * None takes more than a percent of a network's time. Each uses one thread, so results never depend on thread counts.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cpu/ops/native.h"
#include "cpu/ops/op.h"
#include "cpu/ops/pixels.h"
#include "device/fold.h"
#include "tributary/internal/alloc.h"
#include "tributary/kernels.h"

static void run_copies(const trib_op_desc *desc, const void *const *inputs, float *y)
{
    trib_pixels to = trib_pixels_of(&desc->outputs[0]);
    int first = 0;
    for (int i = 0; i < desc->input_count; ++i) {
        trib_pixels from = trib_pixels_of(&desc->inputs[i]);
        trib_pixels_copy(&from, inputs[i], 0, &to, y, first, desc->inputs[i].c, desc->relu);
        first += desc->inputs[i].c;
    }
    trib_pixels_clear(&to, y, first);
}

static void run_relu(const trib_op_desc *desc, const float *x, float *y)
{
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    trib_pixels_copy(&from, x, 0, &to, y, 0, desc->inputs[0].c, true);
    trib_pixels_clear(&to, y, desc->inputs[0].c);
}

/* Scale and shift are padded with zeros like the channels, so padding stays zero. */
static trib_packing packing_of(const trib_op_desc *desc)
{
    int64_t bytes = (int64_t)sizeof(float) * trib_pixels_of(&desc->inputs[0]).channels;
    return desc->kind == TRIB_BATCH_NORM ? trib_packing_of(bytes, bytes) : (trib_packing) { 0 };
}

static trib_status pack_scale_shift(const trib_cpu_op *op, const trib_cpu_worker *worker,
                                    const trib_op_parameters *parameters, void *packed, void *workspace)
{
    (void)worker, (void)workspace;
    size_t bytes = (size_t)op->desc.inputs[0].c * sizeof(float);
    memset(packed, 0, (size_t)op->packing.bytes);
    memcpy(packed, parameters->weight, bytes);
    memcpy(trib_packed_bias(&op->packing, packed), parameters->bias, bytes);
    return trib_success();
}

static void run_scale_shift(const trib_cpu_op *op, const float *x, float *y, const float *scales)
{
    const float *shifts = trib_packed_bias(&op->packing, scales);
    trib_pixels from = trib_pixels_of(&op->desc.inputs[0]), to = trib_pixels_of(&op->desc.outputs[0]);
    int64_t pixels = (int64_t)from.h * from.w;
    for (int n = 0; n < from.n; ++n)
        for (int g = 0; g < from.groups; ++g) {
            const float *scale = scales + (int64_t)g * from.width, *shift = shifts + (int64_t)g * from.width;
            const float *source = x + n * from.image + g * from.group;
            float *target = y + n * to.image + g * to.group;
            for (int64_t i = 0; i < pixels; ++i)
                for (int c = 0; c < from.width; ++c) {
                    float value = source[i * from.pitch + c] * scale[c] + shift[c];
                    target[i * to.pitch + c] = op->desc.relu && value < 0 ? 0 : value;
                }
        }
}

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

static void run_softmax(const trib_op_desc *desc, const float *x, float *y)
{
    trib_pixels from = trib_pixels_of(&desc->inputs[0]), to = trib_pixels_of(&desc->outputs[0]);
    for (int n = 0; n < from.n; ++n) softmax_row(&from, x + n * from.image, &to, y + n * to.image, desc->inputs[0].c);
    trib_pixels_clear(&to, y, desc->inputs[0].c);
}

/* Rows are the same in all layouts without blocks. */
static trib_status run_top_k(const trib_op_desc *desc, const float *x, float *probabilities, int32_t *indices)
{
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

static double lrn_sum(const trib_pixels *p, const float *x, int from, int to)
{
    double sum = 0;
    for (int c = from; c <= to; ++c) {
        double value = x[c / p->width * p->group + c % p->width];
        sum += value * value;
    }
    return sum;
}

static void run_lrn(const trib_op_desc *desc, const float *x, float *y)
{
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
}

static void run_fold(const trib_op_desc *desc, const void *const *inputs, void *const *outputs)
{
    trib_fold_geometry g = trib_fold_geometry_of(desc);
    trib_fold_inputs x = trib_fold_inputs_of(desc, inputs);
    trib_ref_fold_batch_norm(&g, &x, outputs[0], outputs[1]);
}

static trib_status run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                       void *const *outputs, const void *packed, void *workspace)
{
    (void)worker, (void)workspace;
    switch (op->desc.kind) {
    case TRIB_CONCAT:
    case TRIB_REORDER: run_copies(&op->desc, inputs, outputs[0]); break;
    case TRIB_RELU: run_relu(&op->desc, inputs[0], outputs[0]); break;
    case TRIB_BATCH_NORM: run_scale_shift(op, inputs[0], outputs[0], packed); break;
    case TRIB_SOFTMAX: run_softmax(&op->desc, inputs[0], outputs[0]); break;
    case TRIB_LRN: run_lrn(&op->desc, inputs[0], outputs[0]); break;
    case TRIB_FOLD: run_fold(&op->desc, inputs, outputs); break;
    case TRIB_TOP_K: return run_top_k(&op->desc, inputs[0], outputs[0], outputs[1]);
    default: trib_native_pool(&op->desc, inputs[0], outputs[0]);
    }
    return trib_success();
}

static bool supported(const trib_op_desc *desc)
{
    switch (desc->kind) {
    case TRIB_CONCAT:
    case TRIB_REORDER:
    case TRIB_FOLD:
    case TRIB_RELU: return true;
    case TRIB_BATCH_NORM: return desc->inputs[0].layout == desc->outputs[0].layout;
    case TRIB_SOFTMAX:
    case TRIB_LRN: return !desc->relu;
    case TRIB_TOP_K:
        return trib_layout_block(desc->inputs[0].layout) == 1 && trib_layout_block(desc->outputs[0].layout) == 1 &&
               trib_layout_block(desc->outputs[1].layout) == 1;
    case TRIB_MAX_POOL2D:
    case TRIB_AVG_POOL2D:
    case TRIB_ADAPTIVE_AVG_POOL2D: return !desc->relu && desc->inputs[0].layout == desc->outputs[0].layout;
    default: return false;
    }
}

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    (void)device;
    if (*count < capacity && supported(desc))
        out[(*count)++] = (trib_implementation) { .name = "native",
                                                  .note = "plain loops, one thread",
                                                  .packed_bytes = packing_of(desc).bytes };
    else
        snprintf(reason, TRIB_MESSAGE_SIZE, "no plain loops for %s from %s to %s%s", trib_kind_name(desc->kind),
                 trib_layout_name(desc->inputs[0].layout), trib_layout_name(desc->outputs[0].layout),
                 desc->relu ? " with a fused relu" : "");
    return trib_success();
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    (void)device;
    const trib_op_desc *desc = &op->desc;
    if (strcmp(name, "native") || !supported(desc))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" for this", trib_kind_name(desc->kind), name);
    op->run = run;
    op->packing = packing_of(desc);
    op->pack = pack_scale_shift;
    return trib_success();
}

const trib_cpu_backend trib_cpu_native_backend = { offer, prepare };

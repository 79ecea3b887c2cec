/* SPDX-License-Identifier: Apache-2.0
 * Every op through the C references of kernels.h: NHWC, one thread, slow; they define the right results. A reorder is
 * done in every layout, element by element. Sums are those of whole batches whatever desc.chunk says. */
#include <stdio.h>
#include <string.h>

#include "cpu/ops/op.h"
#include "cpu/ops/reference_rows.h"
#include "device/fold.h"
#include "device/regions.h"
#include "device/window.h"
#include "graph/kinds.h"
#include "tributary/kernels.h"

/* ---- the kinds of inference ---- */

static void conv2d(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_conv2d(&g, m->inputs[0], m->weight, m->bias, m->outputs[0]);
}

static void max_pool2d(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_max_pool2d(&g, m->inputs[0], m->outputs[0]);
}

static void avg_pool2d(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_avg_pool2d(&g, m->inputs[0], m->outputs[0]);
}

static void adaptive_avg_pool2d(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_adaptive_avg_pool2d(&g, m->inputs[0], m->outputs[0]);
}

static trib_pixel_geometry pixels_of(const trib_op_desc *desc)
{
    return trib_pixels_between(&desc->inputs[0], &desc->outputs[0], desc->relu);
}

static void lrn(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_pixel_geometry g = pixels_of(desc);
    const trib_lrn *a = &desc->attributes.lrn;
    trib_ref_lrn(&g, a->size, a->alpha, a->beta, a->k, m->inputs[0], m->outputs[0]);
}

static void batch_norm(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_pixel_geometry g = pixels_of(desc);
    trib_ref_scale_shift(&g, m->weight, m->bias, m->inputs[0], m->outputs[0]);
}

static void relu(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_pixel_geometry g = pixels_of(desc);
    g.relu = true;
    trib_ref_copy(&g, m->inputs[0], m->outputs[0]);
}

static void softmax(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_pixel_geometry g = pixels_of(desc);
    trib_ref_softmax(&g, m->inputs[0], m->outputs[0]);
}

static void top_k(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_pixel_geometry g = pixels_of(desc);
    trib_ref_softmax_top_k(&g, desc->attributes.top_k.k, m->inputs[0], m->outputs[0], m->outputs[1]);
}

static void linear(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_linear_geometry g = trib_op_linear(desc);
    trib_ref_linear(&g, m->inputs[0], m->weight, m->bias, m->outputs[0]);
}

static void concat(const trib_op_desc *desc, const trib_reference_memory *m)
{
    float *y = m->outputs[0];
    for (int i = 0; i < desc->input_count; ++i) {
        trib_pixel_geometry g = trib_pixels_between(&desc->inputs[i], &desc->outputs[0], desc->relu);
        trib_ref_copy(&g, m->inputs[i], y);
        y += desc->inputs[i].c;
    }
}

/* Floats from the slice's first element to element (n,c,pixel). */
static int64_t place(const trib_view *v, int n, int c, int64_t pixel)
{
    int64_t pixels = (int64_t)v->h * v->w;
    int block = trib_layout_block(v->layout);
    int64_t image = n * ((v->c_total + block - 1) / block * block) * pixels;
    if (v->layout == TRIB_NHWC) return image + pixel * v->c_total + c;
    return image + (c / block * pixels + pixel) * block + c % block;
}

static void reorder(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const float *x = m->inputs[0];
    float *y = m->outputs[0];
    const trib_view *from = &desc->inputs[0], *to = &desc->outputs[0];
    int block = trib_layout_block(to->layout), channels = (to->c + block - 1) / block * block;
    for (int n = 0; n < to->n; ++n)
        for (int c = 0; c < channels; ++c)
            for (int64_t i = 0; i < (int64_t)to->h * to->w; ++i) {
                float value = c < to->c ? x[place(from, n, c, i)] : 0;
                y[place(to, n, c, i)] = desc->relu && value < 0 ? 0 : value;
            }
}

static void fold(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_fold_geometry g = trib_fold_geometry_of(desc);
    trib_fold_inputs x = trib_fold_inputs_of(desc, m->inputs);
    trib_ref_fold_batch_norm(&g, &x, m->outputs[0], m->outputs[1]);
}

static void regions(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_regions_geometry g = trib_regions_of(desc);
    trib_ref_regions(&g, m->inputs[0], NULL, m->outputs[0]);
}

static trib_reference_row row_of(trib_kind kind)
{
    static const trib_reference_row rows[TRIB_KIND_COUNT] = {
        [TRIB_CONV2D] = { .run = conv2d, .reads_weight = true },
        [TRIB_BATCH_NORM] = { .run = batch_norm },
        [TRIB_RELU] = { .run = relu },
        [TRIB_MAX_POOL2D] = { .run = max_pool2d },
        [TRIB_AVG_POOL2D] = { .run = avg_pool2d },
        [TRIB_ADAPTIVE_AVG_POOL2D] = { .run = adaptive_avg_pool2d },
        [TRIB_LRN] = { .run = lrn },
        [TRIB_CONCAT] = { .run = concat },
        [TRIB_LINEAR] = { .run = linear, .reads_weight = true },
        [TRIB_SOFTMAX] = { .run = softmax },
        [TRIB_TOP_K] = { .run = top_k },
        [TRIB_REORDER] = { .run = reorder, .any_layout = true },
        [TRIB_FOLD] = { .run = fold, .any_layout = true },
        [TRIB_REGIONS] = { .run = regions, .any_layout = true },
    };
    return rows[kind].run ? rows[kind] : trib_reference_training_row(kind);
}

/* ---- weights as inputs, and gradients of weights: any plain layout, turned into O,I,R,S if it is another ---- */

static const trib_view *weight_view(const trib_op_desc *desc)
{
    const trib_reference_row row = row_of(desc->kind);
    if (row.writes_weight) return &desc->outputs[0];
    return row.reads_weight && desc->input_count > 1 ? &desc->inputs[1] : NULL;
}

static bool is_turned(const trib_view *weight)
{
    return weight && weight->layout == TRIB_NHWC && weight->h * weight->w > 1;
}

static int64_t workspace_of(const trib_op_desc *desc)
{
    const trib_view *weight = weight_view(desc);
    return is_turned(weight) ? trib_view_bytes(weight) : 0;
}

static void turn(const trib_view *weight, bool from_nhwc, const float *x, float *y)
{
    trib_reorder_geometry g = { .n = weight->n,
                                .c = weight->c,
                                .h = weight->h,
                                .w = weight->w,
                                .y_c = weight->c,
                                .x_nchw = !from_nhwc,
                                .y_nchw = from_nhwc,
                                .x_pitch = weight->c,
                                .y_pitch = weight->c };
    trib_ref_reorder(&g, x, y);
}

/* ---- packed parameters: as they are given, but for the channels that an input has beyond them ---- */

static trib_packing packing_of(const trib_op_desc *desc)
{
    int64_t count = weight_view(desc) ? 0 : trib_op_weight_elements(desc);
    bool bias = count && (trib_kind_row_of(desc->kind)->scales_and_shifts || desc->has_bias);
    return trib_packing_of(count * (int64_t)sizeof(float), bias ? desc->outputs[0].c * (int64_t)sizeof(float) : 0);
}

static trib_status pack(const trib_cpu_op *op, const trib_cpu_worker *worker, const trib_op_parameters *parameters,
                        void *packed, void *workspace)
{
    (void)worker, (void)workspace;
    const trib_op_desc *desc = &op->desc;
    int rows = desc->outputs[0].c, channels = desc->inputs[0].c;
    size_t row = (size_t)(trib_op_weight_elements(desc) / rows);
    size_t given = parameters->channels ? row / (size_t)channels * (size_t)parameters->channels : row;
    float *weight = packed, *bias = trib_packed_bias(&op->packing, packed);
    for (size_t k = 0; k < (size_t)rows; ++k) {
        memcpy(weight + k * row, parameters->weight + k * given, given * sizeof(float));
        memset(weight + k * row + given, 0, (row - given) * sizeof(float));
    }
    if (bias) memcpy(bias, parameters->bias, (size_t)rows * sizeof(float));
    return trib_success();
}

static trib_status run(const trib_cpu_op *op, const trib_cpu_worker *worker, const void *const *inputs,
                       void *const *outputs, const void *packed, void *workspace)
{
    (void)worker;
    const trib_op_desc *desc = &op->desc;
    const trib_view *weight = weight_view(desc);
    const trib_reference_row row = row_of(desc->kind);
    const bool turned = is_turned(weight);
    trib_reference_memory m = { inputs, outputs, packed, trib_packed_bias(&op->packing, packed), NULL };
    if (weight && row.reads_weight) {
        if (turned) turn(weight, true, inputs[1], workspace);
        m.weight = turned ? workspace : inputs[1];
        m.bias = desc->has_bias ? inputs[2] : NULL;
    }
    if (row.writes_weight) m.dweight = turned ? workspace : outputs[0];
    row.run(desc, &m);
    if (row.writes_weight && turned) turn(weight, false, workspace, outputs[0]);
    return trib_success();
}

static bool supported(const trib_op_desc *desc, char *reason)
{
    const trib_reference_row row = row_of(desc->kind);
    const trib_view *weight = weight_view(desc);
    if (!row.run) snprintf(reason, TRIB_MESSAGE_SIZE, "the reference has no %s", trib_kind_name(desc->kind));
    if (!row.run || row.any_layout) return row.run != NULL;
    for (int i = 0; i < desc->input_count + desc->output_count; ++i) {
        const trib_view *view = i < desc->input_count ? &desc->inputs[i] : &desc->outputs[i - desc->input_count];
        if (view == weight || trib_lies_as_nhwc(view)) continue;
        snprintf(reason, TRIB_MESSAGE_SIZE, "the reference works in nhwc, not %s", trib_layout_name(view->layout));
        return false;
    }
    return true;
}

static trib_status offer(trib_cpu_device *device, const trib_op_desc *desc, trib_implementation *out, int capacity,
                         int *count, char *reason)
{
    (void)device;
    if (*count < capacity && supported(desc, reason))
        out[(*count)++] = (trib_implementation) { .name = "reference",
                                                  .note = "plain C reference",
                                                  .workspace_bytes = workspace_of(desc),
                                                  .packed_bytes = packing_of(desc).bytes };
    return trib_success();
}

static trib_status prepare(trib_cpu_device *device, trib_cpu_op *op, const char *name)
{
    (void)device;
    char reason[TRIB_MESSAGE_SIZE] = "no such name";
    if (strcmp(name, "reference") || !supported(&op->desc, reason))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no implementation \"%s\" for this: %s", trib_kind_name(op->desc.kind),
                          name, reason);
    op->run = run;
    op->base.workspace_bytes = workspace_of(&op->desc);
    op->packing = packing_of(&op->desc);
    op->pack = pack;
    return trib_success();
}

const trib_cpu_backend trib_cpu_reference_backend = { offer, prepare };

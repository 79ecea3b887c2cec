/* SPDX-License-Identifier: Apache-2.0
 * Every op through the C references of kernels.h: NHWC, one thread, slow; they define the right results. A reorder is
 * done in every layout, element by element. */
#include <stdio.h>
#include <string.h>

#include "cpu/ops/op.h"
#include "device/fold.h"
#include "device/window.h"
#include "graph/kinds.h"
#include "tributary/kernels.h"

/* A convolution slides its window as a pool does. */
static trib_window_geometry window_of(const trib_op_desc *desc)
{
    const trib_view *x = &desc->inputs[0], *y = &desc->outputs[0];
    const trib_conv2d *conv = &desc->attributes.conv2d;
    trib_pool2d window = desc->attributes.pool2d;
    if (desc->kind == TRIB_CONV2D)
        window = (trib_pool2d) {
            .r = conv->r, .s = conv->s, .stride_h = conv->stride_h, .stride_w = conv->stride_w, .pad = conv->pad
        };
    bool adaptive = desc->kind == TRIB_ADAPTIVE_AVG_POOL2D;
    trib_window_geometry g = adaptive ? trib_adaptive_window_of(x, y) : trib_window_of(x, &window, y);
    g.relu = desc->relu;
    return g;
}

static void concat(const trib_op_desc *desc, const void *const *inputs, float *y)
{
    for (int i = 0; i < desc->input_count; ++i) {
        trib_pixel_geometry g = trib_pixels_between(&desc->inputs[i], &desc->outputs[0], desc->relu);
        trib_ref_copy(&g, inputs[i], y);
        y += desc->inputs[i].c;
    }
}

static void linear(const trib_op_desc *desc, const float *x, const float *weight, const float *bias, float *y)
{
    const trib_view *in = &desc->inputs[0], *out = &desc->outputs[0];
    trib_linear_geometry g = { .n = in->n,
                               .c = in->c,
                               .h = in->h,
                               .w = in->w,
                               .out = out->c,
                               .x_pitch = in->c_total,
                               .y_pitch = out->c_total,
                               .relu = desc->relu };
    trib_ref_linear(&g, x, weight, bias, y);
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

static void reorder(const trib_op_desc *desc, const float *x, float *y)
{
    const trib_view *from = &desc->inputs[0], *to = &desc->outputs[0];
    int block = trib_layout_block(to->layout), channels = (to->c + block - 1) / block * block;
    for (int n = 0; n < to->n; ++n)
        for (int c = 0; c < channels; ++c)
            for (int64_t i = 0; i < (int64_t)to->h * to->w; ++i) {
                float value = c < to->c ? x[place(from, n, c, i)] : 0;
                y[place(to, n, c, i)] = desc->relu && value < 0 ? 0 : value;
            }
}

static void fold(const trib_op_desc *desc, const void *const *inputs, void *const *outputs)
{
    trib_fold_geometry g = trib_fold_geometry_of(desc);
    trib_fold_inputs x = trib_fold_inputs_of(desc, inputs);
    trib_ref_fold_batch_norm(&g, &x, outputs[0], outputs[1]);
}

/* ---- parameters: as they are given, but for the channels that an input has beyond them ---- */

static trib_packing packing_of(const trib_op_desc *desc)
{
    int64_t count = trib_op_weight_elements(desc);
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
    (void)worker, (void)workspace;
    const trib_op_desc *desc = &op->desc;
    const trib_lrn *lrn = &desc->attributes.lrn;
    trib_window_geometry window = window_of(desc);
    trib_pixel_geometry pixels = trib_pixels_between(&desc->inputs[0], &desc->outputs[0], desc->relu);
    const float *x = inputs[0], *weight = packed, *bias = trib_packed_bias(&op->packing, packed);
    float *y = outputs[0];
    switch (desc->kind) {
    case TRIB_CONV2D: trib_ref_conv2d(&window, x, weight, bias, y); break;
    case TRIB_MAX_POOL2D: trib_ref_max_pool2d(&window, x, y); break;
    case TRIB_AVG_POOL2D: trib_ref_avg_pool2d(&window, x, y); break;
    case TRIB_ADAPTIVE_AVG_POOL2D: trib_ref_adaptive_avg_pool2d(&window, x, y); break;
    case TRIB_LRN: trib_ref_lrn(&pixels, lrn->size, lrn->alpha, lrn->beta, lrn->k, x, y); break;
    case TRIB_BATCH_NORM: trib_ref_scale_shift(&pixels, weight, bias, x, y); break;
    case TRIB_RELU:
        pixels.relu = true;
        trib_ref_copy(&pixels, x, y);
        break;
    case TRIB_CONCAT: concat(desc, inputs, y); break;
    case TRIB_LINEAR: linear(desc, x, weight, bias, y); break;
    case TRIB_SOFTMAX: trib_ref_softmax(&pixels, x, y); break;
    case TRIB_REORDER: reorder(desc, x, y); break;
    case TRIB_FOLD: fold(desc, inputs, outputs); break;
    default: return TRIB_ERROR(TRIB_INTERNAL, "the reference has no such op; please report this");
    }
    return trib_success();
}

static bool supported(const trib_op_desc *desc, char *reason)
{
    if (desc->kind == TRIB_REORDER || desc->kind == TRIB_FOLD) return true;
    if (desc->kind == TRIB_PREPROCESS || desc->kind == TRIB_TOP_K) {
        snprintf(reason, TRIB_MESSAGE_SIZE, "the reference has no %s", trib_kind_name(desc->kind));
        return false;
    }
    for (int i = 0; i < desc->input_count + desc->output_count; ++i) {
        const trib_view *view = i < desc->input_count ? &desc->inputs[i] : &desc->outputs[i - desc->input_count];
        if (trib_lies_as_nhwc(view)) continue;
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
    op->packing = packing_of(&op->desc);
    op->pack = pack;
    return trib_success();
}

const trib_cpu_backend trib_cpu_reference_backend = { offer, prepare };

/* SPDX-License-Identifier: Apache-2.0 */
#include "op_problem.h"

#include <stdio.h>
#include <string.h>

#include "cuda/ops/conv_columns.h"
#include "cuda/ops/conv_problem.h"
#include "cuda/ops/geometry.h"
#include "device/fold.h"
#include "device/regions.h"
#include "table/problem.h"
#include "training_problem.h"

/* ---- problems by kernel, of the geometries that the device computes from the same desc ---- */

static void conv1x1(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_conv1x1_geometry g = trib_conv1x1_of(d);
    int y_first[TRIB_MAX_OUTPUTS];
    for (int i = 0; i < d->output_count; ++i) y_first[i] = d->outputs[i].c_offset;
    trib_conv1x1_problem(out, &g, d->has_bias, d->inputs[0].c_offset, y_first);
}

static void window(const trib_op_desc *d, trib_kernel_problem *out)
{
    trib_window_geometry g = trib_window_of(&d->inputs[0], &d->attributes.pool2d, &d->outputs[0]);
    g.relu = d->relu;
    trib_window_problem(out, &g, d->inputs[0].c_offset, d->outputs[0].c_offset);
}

static void adaptive(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_window_geometry g = trib_adaptive_window_of(&d->inputs[0], &d->outputs[0]);
    trib_adaptive_problem(out, &g, d->inputs[0].c_offset, d->outputs[0].c_offset);
}

static void add_lrn(trib_kernel_problem *p, const trib_lrn *lrn, const trib_view *of)
{
    const trib_lrn_coefficients coefficients = trib_coefficients_of(lrn);
    trib_problem_add_lrn(p, &coefficients, (double)of->n * of->h * of->w * of->c);
}

static void pool_lrn(const trib_op_desc *d, trib_kernel_problem *out)
{
    window(d, out);
    add_lrn(out, &d->after.attributes.lrn, &d->outputs[0]);
}

static void lrn_pool(const trib_op_desc *d, trib_kernel_problem *out)
{
    window(d, out);
    add_lrn(out, &d->before.attributes.lrn, &d->inputs[0]);
}

static trib_pixel_geometry pixels_of(const trib_op_desc *d)
{
    return trib_pixels_between(&d->inputs[0], &d->outputs[0], d->relu);
}

static void lrn(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_pixel_geometry g = pixels_of(d);
    trib_pixel_problem(out, &g, d->inputs[0].c_offset, d->outputs[0].c_offset);
    add_lrn(out, &d->attributes.lrn, &d->inputs[0]);
}

static void scale_shift(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_pixel_geometry g = pixels_of(d);
    trib_scale_shift_problem(out, &g, d->inputs[0].c_offset, d->outputs[0].c_offset);
}

static void softmax(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_pixel_geometry g = pixels_of(d);
    trib_softmax_problem(out, &g, d->inputs[0].c_offset, d->outputs[0].c_offset);
}

static void top_k(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_pixel_geometry g = pixels_of(d);
    trib_top_k_problem(out, &g, d->inputs[0].c_offset, d->attributes.top_k.k);
}

static trib_kernel_element element_of(trib_dtype dtype)
{
    return dtype == TRIB_F32 ? TRIB_KERNEL_F32 : dtype == TRIB_F16 ? TRIB_KERNEL_F16 : TRIB_KERNEL_BF16;
}

static void reorder(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_view *x = &d->inputs[0], *y = &d->outputs[0];
    const trib_reorder_geometry g = trib_reorder_of(x, y, d->relu || d->kind == TRIB_RELU);
    trib_reorder_problem(out, &g, x->dtype == y->dtype ? TRIB_KERNEL_STORAGE : element_of(x->dtype), x->c_offset,
                         y->c_offset);
}

static void preprocess(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_view *x = &d->inputs[0];
    trib_preprocess_problem(out, (int64_t)x->n * x->h * x->w, x->c, d->attributes.preprocess.bgr);
}

/* Of one photo, which a batch of proposals shares. */
static void regions(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_regions_geometry g = trib_regions_of(d);
    trib_regions_problem(out, &g, 1, 500, 375, 0);
}

static void fold(const trib_op_desc *d, trib_kernel_problem *out)
{
    const trib_fold_geometry g = trib_fold_geometry_of(d);
    trib_fold_problem(out, g.k, g.row, d->attributes.fold.weight, d->attributes.fold.bias);
}

/* ---- ops to kernels: those of training are found by their arrays (training_problem.c) ---- */

typedef struct row {
    const char *implementation;
    const char *kernel; /* of the table */
    void (*problem)(const trib_op_desc *d, trib_kernel_problem *out);
    bool typed_by_output; /* the kernel is run with the type of the output; otherwise of the input */
} row;

static const row rows[] = {
    { "tributary:conv1x1", "conv1x1", conv1x1, false },
    { "tributary:max_pool2d_conv1x1", "max_pool2d_conv1x1", conv1x1, false },
    { "tributary:avg_pool2d_conv1x1", "avg_pool2d_conv1x1", conv1x1, false },
    { "tributary:max_pool2d", "max_pool2d", window, false },
    { "tributary:avg_pool2d", "avg_pool2d", window, false },
    { "tributary:adaptive_avg_pool2d", "adaptive_avg_pool2d", adaptive, false },
    { "tributary:max_pool2d_lrn", "max_pool2d_lrn", pool_lrn, false },
    { "tributary:lrn_max_pool2d", "lrn_max_pool2d", lrn_pool, false },
    { "tributary:lrn", "lrn", lrn, false },
    { "tributary:scale_shift", "scale_shift", scale_shift, false },
    { "tributary:batch_norm_apply", "scale_shift", scale_shift, false },
    { "tributary:softmax", "softmax", softmax, false },
    { "tributary:softmax_top_k", "softmax_top_k", top_k, false },
    { "tributary:reorder", "reorder", reorder, true },
    { "tributary:relu", "reorder", reorder, true },
    { "tributary:copy", "reorder", reorder, true }, /* plans copy one input at a time */
    { "tributary:preprocess", "preprocess", preprocess, true },
    { "tributary:regions", "regions", regions, true },
    { "tributary:fold_batch_norm", "fold_batch_norm", fold, true },
};

static const row *find_row(const char *implementation)
{
    for (int i = 0; i < TRIB_COUNT(rows); ++i)
        if (!strcmp(rows[i].implementation, implementation)) return &rows[i];
    return NULL;
}

static const trib_kernel *find_kernel(const char *name, const char *suffix)
{
    char whole[64];
    snprintf(whole, sizeof whole, "%s%s", name, suffix);
    for (int i = 0; trib_kernel_at(i); ++i)
        if (!strcmp(trib_kernel_at(i)->name, whole)) return trib_kernel_at(i);
    return NULL;
}

/* The table has kernels of some names a second time, for tf32 and for a change of type. */
static const trib_kernel *kernel_of(const row *r, const trib_op_desc *d)
{
    const trib_kernel *special = NULL;
    if (d->precision == TRIB_PRECISION_TF32) special = find_kernel(r->kernel, "_tf32");
    if (r->problem == reorder && d->inputs[0].dtype != d->outputs[0].dtype)
        special = find_kernel(r->kernel, "_converting");
    return special ? special : find_kernel(r->kernel, "");
}

/* ---- packing, by what reads the result ---- */

/* Whether a library computes it over wide columns. */
static bool in_columns(const trib_plan_op *reader, trib_column_geometry *out)
{
    char reason[TRIB_MESSAGE_SIZE];
    trib_conv_desc conv;
    if (!strncmp(reader->implementation, "tributary:", strlen("tributary:"))) return false;
    if (!trib_conv_problem_of(&reader->desc, &conv, reason)) return false;
    trib_conv_join_columns(&conv, out);
    return out->outputs > 0;
}

/* The weight; a bias is packed by the same kernel, as one more row of k values. */
static void pack(const trib_plan_op *op, const trib_plan_op *consumer, const trib_kernel **kernel, trib_dtype *dtype,
                 trib_kernel_problem *out)
{
    const trib_op_desc *reader = &consumer->desc;
    trib_column_geometry columns;
    const trib_view *w = &op->desc.inputs[0], *x = &reader->inputs[0];               /* w is k, c, taps as c, h, w */
    const bool product = reader->kind == TRIB_CONV2D || reader->kind == TRIB_LINEAR; /* else a batch norm alone */
    const trib_precision precision = product ? reader->precision : TRIB_PRECISION_FP32;
    trib_pack_geometry g = { .k = w->c, .c = w->h, .taps = w->w, .tf32 = precision == TRIB_PRECISION_TF32 };
    if (reader->kind == TRIB_LINEAR) g.taps = x->h * x->w, g.c = w->h / g.taps;
    g.padded = reader->kind == TRIB_CONV2D ? x->c : g.c;
    *dtype = trib_precision_dtype(precision);
    if (in_columns(consumer, &columns)) {
        columns.c = w->h;
        *kernel = find_kernel("pack_columns", "");
        trib_column_problem(out, &columns);
        return;
    }
    *kernel = find_kernel("pack_weights", g.tf32 ? "_tf32" : "");
    trib_pack_problem(out, &g);
}

/* ---- any op ---- */

trib_status bench_op_problem(const trib_plan *plan, const trib_plan_op *op, const trib_kernel **kernel,
                             trib_dtype *dtype, trib_kernel_problem *out)
{
    const trib_op_desc *d = &op->desc;
    *kernel = NULL;
    if (!op->implementation) return trib_success();
    if (d->kind == TRIB_PACK) {
        pack(op, &plan->ops[op->consumer], kernel, dtype, out);
    } else {
        if (strncmp(op->implementation, "tributary:", strlen("tributary:"))) return trib_success();
        const row *r = find_row(op->implementation);
        if (r) *kernel = kernel_of(r, d);
        if (r) *dtype = r->typed_by_output ? d->outputs[0].dtype : d->inputs[0].dtype;
        if (*kernel) r->problem(d, out);
        if (!r) *kernel = bench_training_problem(plan, op, dtype, out);
    }
    if (!*kernel || !((*kernel)->dtypes >> *dtype & 1))
        return TRIB_ERROR(
            TRIB_NOT_FOUND,
            "layer %s: no kernel of kernels/table is known for %s: add it to benches/kernels/op_problem.c", op->name,
            op->implementation);
    return trib_success();
}

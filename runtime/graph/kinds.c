/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/kinds.h"

#include <math.h>

#include "graph/training_kinds.h"
#include "graph/windows.h"
#include "tributary/region_kernels.h"
#include "tributary/status.h"

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)
#define BIT(kind) ((uint64_t)1 << (kind))

enum { MOST_CHANNELS = 1 << 24, MOST_LRN_SIZE = 1 << 16 };

static int64_t elements(trib_extent e) { return (int64_t)e.c * e.h * e.w; }

static bool per_channel(int c, trib_shape *shape)
{
    *shape = trib_shape_of(1, c, 0, 0, 0);
    return true;
}

/* ---- batch norm, ReLU, dropout ---- */

static trib_status batch_norm_check(const trib_attributes *a)
{
    return a->batch_norm.eps > 0 ? trib_success() : INVALID("eps must be greater than 0");
}

static bool batch_norm_parameter(const trib_attributes *a, trib_extent in, trib_role role, trib_shape *shape)
{
    (void)a;
    return role >= TRIB_BN_WEIGHT && role <= TRIB_BN_VAR && per_channel(in.c, shape);
}

static int64_t two_each(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)a, (void)in;
    return 2 * elements(out);
}

static int64_t one_each(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)a, (void)in;
    return elements(out);
}

static trib_status dropout_check(const trib_attributes *a)
{
    float p = a->dropout.p;
    return p >= 0 && p < 1 ? trib_success() : INVALID("dropout probability %g is not in [0, 1)", (double)p);
}

/* ---- adaptive pool, LRN ---- */

static trib_status adaptive_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)count;
    *out = (trib_extent) { in->c, a->adaptive_pool2d.p, a->adaptive_pool2d.q };
    return out->h > 0 && out->w > 0 ? trib_success() : INVALID("an output of %dx%d", out->h, out->w);
}

static int64_t one_per_input(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)a, (void)out;
    return elements(in);
}

static trib_status lrn_check(const trib_attributes *a)
{
    const trib_lrn *v = &a->lrn;
    if (v->size < 1 || v->size > MOST_LRN_SIZE)
        return INVALID("local response norm over %d channels is not possible", v->size);
    if (!isfinite(v->alpha) || !isfinite(v->beta) || !isfinite(v->k)) return INVALID("alpha, beta or k is not finite");
    return v->k > 0 ? trib_success() : INVALID("k is %g, must be greater than 0", (double)v->k);
}

static int64_t lrn_operations(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)in;
    return elements(out) * (2 * a->lrn.size + 4);
}

static void lrn_describe(const trib_attributes *a, const trib_fields *f)
{
    f->ints(f->context, "size", &a->lrn.size, 1);
    f->reals(f->context, "alpha", &a->lrn.alpha, 1);
    f->reals(f->context, "beta", &a->lrn.beta, 1);
    f->reals(f->context, "k", &a->lrn.k, 1);
}

/* ---- concat, linear, softmax ---- */

static trib_status concat_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)a;
    int64_t channels = 0;
    for (int i = 0; i < count; ++i) {
        channels += in[i].c;
        if (in[i].h != in[0].h || in[i].w != in[0].w)
            return INVALID("input 0 is %dx%d but input %d is %dx%d", in[0].h, in[0].w, i, in[i].h, in[i].w);
    }
    if (channels > MOST_CHANNELS) return INVALID("%lld channels are too many", (long long)channels);
    *out = (trib_extent) { (int)channels, in[0].h, in[0].w };
    return trib_success();
}

static trib_status linear_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)in, (void)count;
    *out = (trib_extent) { a->linear.out, 1, 1 };
    return trib_success();
}

static bool linear_parameter(const trib_attributes *a, trib_extent in, trib_role role, trib_shape *shape)
{
    if (role == TRIB_WEIGHT) *shape = trib_shape_of(2, a->linear.out, elements(in), 0, 0);
    if (role == TRIB_BIAS) per_channel(a->linear.out, shape);
    return role == TRIB_WEIGHT || (role == TRIB_BIAS && !a->linear.no_bias);
}

static int64_t linear_operations(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)a;
    return 2 * elements(out) * elements(in);
}

static trib_status rows_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)a, (void)count;
    *out = *in;
    return in->h == 1 && in->w == 1 ? trib_success() : INVALID("an input of 1x1 is needed, not %dx%d", in->h, in->w);
}

static int64_t four_each(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)a, (void)in;
    return 4 * elements(out);
}

/* ---- only in plans ---- */

static trib_status normalise_check(const trib_normalise *a)
{
    for (int i = 0; i < 3; ++i)
        if (!isfinite(a->scale[i]) || !isfinite(a->shift[i])) return INVALID("scale or shift is not finite");
    return trib_success();
}

static void normalise_describe(const trib_normalise *a, const trib_fields *f)
{
    f->word(f->context, "channels", a->bgr ? "bgr" : "rgb");
    f->reals(f->context, "scale", a->scale, 3);
    f->reals(f->context, "shift", a->shift, 3);
}

static trib_status preprocess_check(const trib_attributes *a) { return normalise_check(&a->preprocess); }

static trib_status preprocess_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)a, (void)count;
    *out = (trib_extent) { 3, in->h, in->w };
    return trib_success();
}

static trib_status preprocess_check_op(const trib_op_desc *desc)
{
    const trib_view *x = &desc->inputs[0];
    if ((x->c == 1 || x->c == 3) && x->c == x->c_total && x->layout == TRIB_NHWC) return trib_success();
    return INVALID("pixels of %d channels in %s; 1 or 3 in nhwc are needed", x->c, trib_layout_name(x->layout));
}

static void preprocess_describe(const trib_attributes *a, const trib_fields *f)
{
    normalise_describe(&a->preprocess, f);
}

static trib_status regions_check(const trib_attributes *a)
{
    if (a->regions.h < 1 || a->regions.w < 1) return INVALID("images of %dx%d", a->regions.h, a->regions.w);
    return normalise_check(&a->regions.normalise);
}

static trib_status regions_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    (void)in, (void)count;
    *out = (trib_extent) { 3, a->regions.h, a->regions.w };
    return trib_success();
}

static trib_status regions_check_op(const trib_op_desc *desc)
{
    const trib_view *x = &desc->inputs[0];
    if (desc->outputs[0].c > TRIB_REGIONS_MOST_CHANNELS)
        return INVALID("%d channels; at most %d are possible", desc->outputs[0].c, TRIB_REGIONS_MOST_CHANNELS);
    bool rows = x->c == TRIB_REGION_ROW_BYTES && x->c_total == x->c && x->h == 1 && x->w == 1;
    if (rows && x->layout == TRIB_NHWC) return trib_success();
    return INVALID("regions of %d of %d bytes, %dx%d, in %s; rows of %d bytes in nhwc are needed", x->c, x->c_total,
                   x->h, x->w, trib_layout_name(x->layout), TRIB_REGION_ROW_BYTES);
}

/* Each value: three times between two others, a subtraction and a multiply-add; then scale and shift. */
static int64_t regions_operations(const trib_attributes *a, trib_extent in, trib_extent out)
{
    (void)a, (void)in;
    return 11 * 3 * (int64_t)out.h * out.w;
}

/* As for a copy; an enlarged region reads less, one made smaller up to four pixels for each. */
static int64_t regions_reads_beside(const trib_attributes *a) { return 3 * (int64_t)a->regions.h * a->regions.w; }

static void regions_describe(const trib_attributes *a, const trib_fields *f)
{
    const int size[] = { a->regions.h, a->regions.w };
    f->ints(f->context, "size", size, 2);
    normalise_describe(&a->regions.normalise, f);
}

static trib_status top_k_shape(const trib_attributes *a, const trib_extent *in, int count, trib_extent *out)
{
    TRIB_TRY(rows_shape(a, in, count, out));
    out->c = a->top_k.k;
    if (out->c >= 1 && out->c <= in->c) return trib_success();
    return INVALID("the %d largest of %d", out->c, in->c);
}

static void top_k_describe(const trib_attributes *a, const trib_fields *f) { f->ints(f->context, "k", &a->top_k.k, 1); }

/* ---- parameters ---- */

static trib_status fold_check(const trib_attributes *a)
{
    return a->fold.eps > 0 ? trib_success() : INVALID("eps must be greater than 0");
}

static bool is_dense_f32(const trib_view *v) { return v->dtype == TRIB_F32 && v->layout == TRIB_NCHW && v->n == 1; }

static bool is_vector(const trib_view *v) { return v->h == 1 && v->w == 1; }

static trib_status fold_check_op(const trib_op_desc *desc)
{
    const trib_fold *fold = &desc->attributes.fold;
    const trib_view *weight = &desc->outputs[0], *bias = &desc->outputs[1];
    if (desc->input_count != 4 + fold->weight + fold->bias)
        return INVALID("%d inputs instead of %d", desc->input_count, 4 + fold->weight + fold->bias);
    for (int i = 0; i < desc->input_count; ++i) {
        const trib_view *x = &desc->inputs[i], *like = i == 0 && fold->weight ? weight : bias;
        if (!is_dense_f32(x) || x->c != weight->c || x->h != like->h || x->w != like->w)
            return INVALID("input %d of %dx%dx%d does not fit", i, x->c, x->h, x->w);
    }
    if (!is_dense_f32(weight) || !is_dense_f32(bias) || bias->c != weight->c || !is_vector(bias) ||
        (!fold->weight && !is_vector(weight)))
        return INVALID("outputs of %dx%dx%d and %dx%dx%d", weight->c, weight->h, weight->w, bias->c, bias->h, bias->w);
    return trib_success();
}

static void fold_describe(const trib_attributes *a, const trib_fields *f)
{
    const int parts[] = { a->fold.weight, a->fold.bias };
    f->ints(f->context, "weight_and_bias", parts, 2);
    f->reals(f->context, "eps", &a->fold.eps, 1);
}

static void pack_describe(const trib_attributes *a, const trib_fields *f)
{
    f->ints(f->context, "channels", &a->pack.channels, 1);
}

/* ---- the table ---- */

#define TRAINING(least_in, most_in, least_out, most_out)                                                            \
    .least_inputs = (least_in), .most_inputs = (most_in), .least_outputs = (least_out), .most_outputs = (most_out), \
    .plan_only = true, .own_extents = true
#define ONE_IN_ONE_OUT .least_inputs = 1, .most_inputs = 1, .least_outputs = 1, .most_outputs = 1

const trib_kind_row *trib_kind_row_of(trib_kind kind)
{
    static const trib_kind_row rows[TRIB_KIND_COUNT] = {
        [TRIB_INPUT] = { .name = "input", .least_outputs = 1, .most_outputs = 1, .nothing_to_run = true },
        [TRIB_CONV2D] = { .name = "conv2d",
                          .work = TRIB_WORK_FORWARD,
                          .least_inputs = 1,
                          .most_inputs = 3,
                          .operands = 1,
                          .least_outputs = 1,
                          .most_outputs = TRIB_MAX_OUTPUTS,
                          .takes = TRIB_TAKES_FACTORS,
                          .ignores_zeros = true,
                          .takes_relu = true,
                          .before = BIT(TRIB_MAX_POOL2D) | BIT(TRIB_AVG_POOL2D),
                          .resolve = trib_conv2d_resolve,
                          .check = trib_conv2d_check,
                          .shape = trib_conv2d_shape,
                          .parameter = trib_conv2d_parameter,
                          .operations = trib_conv2d_operations,
                          .describe = trib_conv2d_describe,
                          .check_op = trib_weights_check_op,
                          .backward = TRIB_CONV2D_BACKWARD_DATA,
                          .backward_reads = { TRIB_READS_INPUT + 1 },
                          .backward_weight = TRIB_CONV2D_BACKWARD_WEIGHT },
        [TRIB_BATCH_NORM] = { .name = "batch_norm",
                              .work = TRIB_WORK_BATCH_NORM,
                              ONE_IN_ONE_OUT,
                              .updates = { 1 },
                              .scales_and_shifts = true,
                              .check = batch_norm_check,
                              .parameter = batch_norm_parameter,
                              .operations = two_each },
        [TRIB_RELU] = { .name = "relu",
                        ONE_IN_ONE_OUT,
                        .updates = { 1 },
                        .operations = one_each,
                        .backward = TRIB_RELU_BACKWARD,
                        .backward_reads = { TRIB_READS_OUTPUT } },
        [TRIB_MAX_POOL2D] = { .name = "max_pool2d",
                              .work = TRIB_WORK_POOL,
                              ONE_IN_ONE_OUT,
                              .before = BIT(TRIB_LRN),
                              .after = BIT(TRIB_LRN),
                              .resolve = trib_pool2d_resolve,
                              .check = trib_pool2d_check,
                              .shape = trib_pool2d_shape,
                              .operations = trib_pool2d_operations,
                              .describe = trib_pool2d_describe },
        [TRIB_AVG_POOL2D] = { .name = "avg_pool2d",
                              .work = TRIB_WORK_POOL,
                              ONE_IN_ONE_OUT,
                              .resolve = trib_pool2d_resolve,
                              .check = trib_pool2d_check,
                              .shape = trib_pool2d_shape,
                              .operations = trib_pool2d_operations,
                              .describe = trib_pool2d_describe,
                              .backward = TRIB_AVG_POOL2D_BACKWARD },
        [TRIB_ADAPTIVE_AVG_POOL2D] = { .name = "adaptive_avg_pool2d",
                                       .work = TRIB_WORK_POOL,
                                       ONE_IN_ONE_OUT,
                                       .shape = adaptive_shape,
                                       .operations = one_per_input,
                                       .backward = TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD },
        [TRIB_LRN] = { .name = "lrn",
                       ONE_IN_ONE_OUT,
                       .check = lrn_check,
                       .operations = lrn_operations,
                       .describe = lrn_describe,
                       .backward = TRIB_LRN_BACKWARD,
                       .backward_reads = { TRIB_READS_INPUT } },
        [TRIB_CONCAT] = { .name = "concat",
                          .least_inputs = 1,
                          .most_inputs = TRIB_MAX_INPUTS,
                          .least_outputs = 1,
                          .most_outputs = 1,
                          .shape = concat_shape,
                          .backward = TRIB_REORDER },
        [TRIB_LINEAR] = { .name = "linear",
                          .work = TRIB_WORK_FORWARD,
                          .least_inputs = 1,
                          .most_inputs = 3,
                          .operands = 1,
                          .least_outputs = 1,
                          .most_outputs = 1,
                          .takes = TRIB_TAKES_FACTORS,
                          .gives = TRIB_GIVES_SAME_OR_F32,
                          .rows = true,
                          .takes_relu = true,
                          .shape = linear_shape,
                          .parameter = linear_parameter,
                          .operations = linear_operations,
                          .check_op = trib_weights_check_op,
                          .backward = TRIB_LINEAR_BACKWARD_DATA,
                          .backward_reads = { TRIB_READS_INPUT + 1 },
                          .backward_weight = TRIB_LINEAR_BACKWARD_WEIGHT },
        [TRIB_DROPOUT] = { .name = "dropout", ONE_IN_ONE_OUT, .nothing_to_run = true, .check = dropout_check },
        [TRIB_SOFTMAX] = { .name = "softmax",
                           ONE_IN_ONE_OUT,
                           .rows = true,
                           .shape = rows_shape,
                           .operations = four_each },
        [TRIB_REORDER] = { .name = "reorder",
                           ONE_IN_ONE_OUT,
                           .gives = TRIB_GIVES_FLOATS,
                           .plan_only = true,
                           .may_widen = true,
                           .backward = TRIB_REORDER },
        [TRIB_PREPROCESS] = { .name = "preprocess",
                              ONE_IN_ONE_OUT,
                              .takes = TRIB_TAKES_PIXELS,
                              .gives = TRIB_GIVES_FLOATS,
                              .plan_only = true,
                              .may_widen = true,
                              .check = preprocess_check,
                              .shape = preprocess_shape,
                              .describe = preprocess_describe,
                              .check_op = preprocess_check_op },
        [TRIB_REGIONS] = { .name = "regions",
                           ONE_IN_ONE_OUT,
                           .takes = TRIB_TAKES_REGIONS,
                           .gives = TRIB_GIVES_FLOATS,
                           .plan_only = true,
                           .may_widen = true,
                           .check = regions_check,
                           .shape = regions_shape,
                           .operations = regions_operations,
                           .reads_beside = regions_reads_beside,
                           .describe = regions_describe,
                           .check_op = regions_check_op },
        [TRIB_TOP_K] = { .name = "top_k",
                         .least_inputs = 1,
                         .most_inputs = 1,
                         .least_outputs = 2,
                         .most_outputs = 2,
                         .gives = TRIB_GIVES_TOP_K,
                         .plan_only = true,
                         .rows = true,
                         .shape = top_k_shape,
                         .describe = top_k_describe },
        [TRIB_FOLD] = { .name = "fold",
                        .least_inputs = 4,
                        .most_inputs = 6,
                        .least_outputs = 2,
                        .most_outputs = 2,
                        .plan_only = true,
                        .own_extents = true,
                        .check = fold_check,
                        .describe = fold_describe,
                        .check_op = fold_check_op },
        [TRIB_PACK] = { .name = "pack",
                        .least_inputs = 1,
                        .most_inputs = 2,
                        .least_outputs = 1,
                        .most_outputs = 1,
                        .plan_only = true,
                        .nothing_to_run = true, /* by itself */
                        .own_extents = true,
                        .describe = pack_describe },
        [TRIB_CONV2D_BACKWARD_DATA] = { .name = "conv2d_backward_data",
                                        .work = TRIB_WORK_BACKWARD_DATA,
                                        TRAINING(2, 2, 1, 1),
                                        .accumulates = true,
                                        .check = trib_conv2d_check,
                                        .describe = trib_conv2d_describe,
                                        .check_op = trib_backward_data_check_op },
        [TRIB_CONV2D_BACKWARD_WEIGHT] = { .name = "conv2d_backward_weight",
                                          .work = TRIB_WORK_BACKWARD_WEIGHT,
                                          TRAINING(2, 2, 1, 1),
                                          .check = trib_conv2d_check,
                                          .describe = trib_conv2d_describe,
                                          .check_op = trib_backward_weight_check_op,
                                          .operands = 2 },
        [TRIB_LINEAR_BACKWARD_DATA] = { .name = "linear_backward_data",
                                        .work = TRIB_WORK_BACKWARD_DATA,
                                        TRAINING(2, 2, 1, 1),
                                        .accumulates = true,
                                        .check_op = trib_backward_data_check_op },
        [TRIB_LINEAR_BACKWARD_WEIGHT] = { .name = "linear_backward_weight",
                                          .work = TRIB_WORK_BACKWARD_WEIGHT,
                                          TRAINING(2, 2, 1, 1),
                                          .check_op = trib_backward_weight_check_op,
                                          .operands = 2 },
        [TRIB_BIAS_BACKWARD] = { .name = "bias_backward",
                                 TRAINING(1, 1, 1, 1),
                                 .check_op = trib_bias_backward_check_op },
        [TRIB_RELU_BACKWARD] = { .name = "relu_backward",
                                 TRAINING(2, 2, 1, 2),
                                 .updates = { 1 },
                                 .check_op = trib_relu_backward_check_op },
        [TRIB_BATCH_STATISTICS] = { .name = "batch_statistics",
                                    .work = TRIB_WORK_BATCH_NORM,
                                    TRAINING(5, 5, 3, 3),
                                    .updates = { 0, 4, 5 },
                                    .check = trib_batch_statistics_check,
                                    .describe = trib_batch_statistics_describe,
                                    .check_op = trib_batch_statistics_check_op },
        [TRIB_BATCH_NORM_APPLY] = { .name = "batch_norm_apply",
                                    .work = TRIB_WORK_BATCH_NORM,
                                    TRAINING(2, 2, 1, 1),
                                    .updates = { 1 },
                                    .check_op = trib_batch_norm_apply_check_op,
                                    .backward = TRIB_BATCH_NORM_BACKWARD,
                                    .backward_reads = { TRIB_READS_INPUT, TRIB_READS_INPUT + 1 } },
        [TRIB_BATCH_NORM_BACKWARD] = { .name = "batch_norm_backward",
                                       .work = TRIB_WORK_BATCH_NORM,
                                       TRAINING(3, 3, 3, 3),
                                       .updates = { 1 },
                                       .check_op = trib_batch_norm_backward_check_op },
        [TRIB_MAX_POOL2D_INDEXED] = { .name = "max_pool2d_indexed",
                                      .work = TRIB_WORK_POOL,
                                      TRAINING(1, 1, 2, 2),
                                      .check = trib_pool2d_check,
                                      .shape = trib_pool2d_shape,
                                      .describe = trib_pool2d_describe,
                                      .check_op = trib_max_pool2d_indexed_check_op,
                                      .backward = TRIB_MAX_POOL2D_BACKWARD,
                                      .backward_reads = { TRIB_READS_OUTPUT + 1 } },
        [TRIB_MAX_POOL2D_BACKWARD] = { .name = "max_pool2d_backward",
                                       .work = TRIB_WORK_POOL,
                                       TRAINING(2, 2, 1, 1),
                                       .accumulates = true,
                                       .check = trib_pool2d_check,
                                       .describe = trib_pool2d_describe,
                                       .check_op = trib_pool_backward_check_op },
        [TRIB_AVG_POOL2D_BACKWARD] = { .name = "avg_pool2d_backward",
                                       .work = TRIB_WORK_POOL,
                                       TRAINING(1, 1, 1, 1),
                                       .accumulates = true,
                                       .check = trib_pool2d_check,
                                       .describe = trib_pool2d_describe,
                                       .check_op = trib_pool_backward_check_op },
        [TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD] = { .name = "adaptive_avg_pool2d_backward",
                                                .work = TRIB_WORK_POOL,
                                                TRAINING(1, 1, 1, 1),
                                                .accumulates = true,
                                                .check_op = trib_pool_backward_check_op },
        [TRIB_LRN_BACKWARD] = { .name = "lrn_backward",
                                TRAINING(2, 2, 1, 1),
                                .check = lrn_check,
                                .describe = lrn_describe,
                                .check_op = trib_lrn_backward_check_op },
        [TRIB_DROPOUT_TRAINING] = { .name = "dropout_training",
                                    TRAINING(2, 2, 1, 1),
                                    .updates = { 1 },
                                    .check = dropout_check,
                                    .describe = trib_dropout_describe,
                                    .check_op = trib_dropout_training_check_op,
                                    .backward = TRIB_DROPOUT_TRAINING,
                                    .backward_reads = { TRIB_READS_INPUT + 1 } },
        [TRIB_CROSS_ENTROPY] = { .name = "cross_entropy",
                                 TRAINING(3, 3, 2, 2),
                                 .check = trib_cross_entropy_check,
                                 .describe = trib_cross_entropy_describe,
                                 .check_op = trib_cross_entropy_check_op },
        [TRIB_SCALE_CONTROLS] = { .name = "scale_controls",
                                  .work = TRIB_WORK_UPDATE,
                                  TRAINING(2, 2, 1, 1),
                                  .check_op = trib_scale_controls_check_op },
        [TRIB_CHECK_GRADIENTS] = { .name = "check_gradients",
                                   .work = TRIB_WORK_UPDATE,
                                   TRAINING(2, 2, 1, 1),
                                   .updates = { 2 },
                                   .check_op = trib_check_gradients_check_op },
        [TRIB_ADJUST_LOSS_SCALE] = { .name = "adjust_loss_scale",
                                     .work = TRIB_WORK_UPDATE,
                                     TRAINING(2, 2, 1, 1),
                                     .updates = { 2 },
                                     .check = trib_adjust_loss_scale_check,
                                     .describe = trib_adjust_loss_scale_describe,
                                     .check_op = trib_adjust_loss_scale_check_op },
        [TRIB_SUM_GRADIENTS] = { .name = "sum_gradients",
                                 .work = TRIB_WORK_UPDATE,
                                 TRAINING(3, 3, 1, 1),
                                 .updates = { 1 },
                                 .check_op = trib_sum_gradients_check_op },
        [TRIB_CLIP_GRADIENTS] = { .name = "clip_gradients",
                                  .work = TRIB_WORK_UPDATE,
                                  TRAINING(2, 3, 1, 2),
                                  .updates = { 1, 2 },
                                  .check_op = trib_clip_gradients_check_op },
        [TRIB_SGD] = { .name = "sgd",
                       .work = TRIB_WORK_UPDATE,
                       TRAINING(4, 4, 2, 2),
                       .updates = { 1, 3 },
                       .check = trib_sgd_check,
                       .describe = trib_sgd_describe,
                       .check_op = trib_sgd_check_op },
        [TRIB_MOVING_AVERAGE] = { .name = "moving_average",
                                  .work = TRIB_WORK_UPDATE,
                                  TRAINING(3, 3, 1, 1),
                                  .updates = { 1 },
                                  .check_op = trib_moving_average_check_op },
    };
    return (unsigned)kind < TRIB_KIND_COUNT ? &rows[kind] : NULL;
}

bool trib_is_product(trib_kind kind)
{
    trib_work work = trib_kind_row_of(kind)->work;
    return work == TRIB_WORK_FORWARD || work == TRIB_WORK_BACKWARD_DATA || work == TRIB_WORK_BACKWARD_WEIGHT;
}

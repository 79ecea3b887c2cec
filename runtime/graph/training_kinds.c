/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/training_kinds.h"

#include <math.h>

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)

enum { MOST_WINDOW_INDEX = 255 };

/* ---- views ---- */

static trib_extent extent_of(const trib_view *v) { return (trib_extent) { v->c, v->h, v->w }; }

static trib_status has_extent(const trib_view *v, const char *what, int n, trib_extent e)
{
    if (v->n == n && v->c == e.c && v->h == e.h && v->w == e.w) return trib_success();
    return INVALID("%s is %dx%dx%dx%d where %dx%dx%dx%d is needed", what, v->n, v->c, v->h, v->w, n, e.c, e.h, e.w);
}

static trib_status is_like(const trib_view *v, const char *what, const trib_view *like)
{
    return has_extent(v, what, like->n, extent_of(like));
}

static trib_status has_type(const trib_view *v, const char *what, trib_dtype dtype)
{
    if (v->dtype == dtype) return trib_success();
    return INVALID("%s is %s where %s is needed", what, trib_dtype_name(v->dtype), trib_dtype_name(dtype));
}

static trib_status is_float(const trib_view *v, const char *what)
{
    if (trib_dtype_is_float(v->dtype)) return trib_success();
    return INVALID("%s is %s where a floating type is needed", what, trib_dtype_name(v->dtype));
}

/* Elements in plain order, one image behind the other. (One image of a slice is dense, too.) */
static trib_status is_dense(const trib_view *v, const char *what)
{
    bool plain = v->layout == TRIB_NCHW || v->layout == TRIB_NHWC;
    return plain && (v->n == 1 || v->c == v->c_total) ? trib_success()
                                                      : INVALID("%s must be dense, in nchw or nhwc", what);
}

/* f32, n rows of c values. */
static trib_status is_rows(const trib_view *v, const char *what, int n, int c)
{
    TRIB_TRY(has_type(v, what, TRIB_F32));
    TRIB_TRY(is_dense(v, what));
    return has_extent(v, what, n, (trib_extent) { c, 1, 1 });
}

static trib_status is_vector(const trib_view *v, const char *what, int c) { return is_rows(v, what, 1, c); }

static trib_status is_controls(const trib_view *v)
{
    TRIB_TRY(has_type(v, "controls", TRIB_U8));
    TRIB_TRY(is_dense(v, "controls"));
    return has_extent(v, "controls", 1, (trib_extent) { (int)sizeof(trib_step_controls), 1, 1 });
}

/* Dense, in the shape that `forward` gives its weight for this input. */
static trib_status is_weight(const trib_view *v, const char *what, trib_kind forward, const trib_attributes *a,
                             const trib_view *x)
{
    trib_shape shape;
    trib_extent in = extent_of(x);
    const trib_kind_row *row = trib_kind_row_of(forward);
    if (!row->parameter(a, in, TRIB_WEIGHT, &shape)) return INVALID("%s has no weight", row->name);
    if (v->c != v->c_total || (v->layout != TRIB_NCHW && v->layout != TRIB_NHWC))
        return INVALID("%s must be dense, in nchw or nhwc", what);
    trib_extent e = { in.c, in.h, in.w };
    if (shape.rank == 4) e = (trib_extent) { (int)shape.dim[1], (int)shape.dim[2], (int)shape.dim[3] };
    return has_extent(v, what, (int)shape.dim[0], e);
}

/* The kind that this one is the backward of. */
static trib_kind forward_of(trib_kind kind)
{
    int forward = 0;
    while (forward < TRIB_KIND_COUNT - 1 && trib_kind_row_of((trib_kind)forward)->backward != kind &&
           trib_kind_row_of((trib_kind)forward)->backward_weight != kind)
        ++forward;
    return (trib_kind)forward;
}

/* dy has the extents that `forward` gives for x. */
static trib_status is_result(const trib_view *dy, trib_kind forward, const trib_attributes *a, const trib_view *x)
{
    trib_extent in = extent_of(x), out;
    TRIB_TRY(trib_kind_shape(forward, a, &in, 1, &out));
    return has_extent(dy, "dy", x->n, out);
}

/* ---- convolutions and linear layers ---- */

trib_status trib_weights_check_op(const trib_op_desc *d)
{
    if (d->input_count == 1) return trib_success();
    if (d->output_count > 1 || trib_op_has_stages(d))
        return INVALID("with a weight as its input, it has one output, no prologue and no epilogue");
    if ((d->input_count == 3) != d->has_bias) return INVALID("%d inputs, bias or not", d->input_count);
    TRIB_TRY(has_type(&d->inputs[1], "weight", d->inputs[0].dtype));
    TRIB_TRY(is_weight(&d->inputs[1], "weight", d->kind, &d->attributes, &d->inputs[0]));
    return d->has_bias ? is_vector(&d->inputs[2], "bias", d->outputs[0].c) : trib_success();
}

trib_status trib_backward_data_check_op(const trib_op_desc *d)
{
    const trib_view *dy = &d->inputs[0], *w = &d->inputs[1], *dx = &d->outputs[0];
    trib_kind forward = forward_of(d->kind);
    TRIB_TRY(has_type(dy, "dy", trib_precision_dtype(d->precision)));
    TRIB_TRY(has_type(dx, "dx", dy->dtype));
    TRIB_TRY(has_type(w, "weight", dy->dtype));
    TRIB_TRY(is_result(dy, forward, &d->attributes, dx));
    return is_weight(w, "weight", forward, &d->attributes, dx);
}

trib_status trib_backward_weight_check_op(const trib_op_desc *d)
{
    const trib_view *x = &d->inputs[0], *dy = &d->inputs[1], *dw = &d->outputs[0];
    trib_kind forward = forward_of(d->kind);
    TRIB_TRY(has_type(x, "x", trib_precision_dtype(d->precision)));
    TRIB_TRY(has_type(dy, "dy", x->dtype));
    TRIB_TRY(has_type(dw, "dweight", TRIB_F32));
    TRIB_TRY(is_result(dy, forward, &d->attributes, x));
    return is_weight(dw, "dweight", forward, &d->attributes, x);
}

trib_status trib_bias_backward_check_op(const trib_op_desc *d)
{
    TRIB_TRY(is_float(&d->inputs[0], "dy"));
    return is_vector(&d->outputs[0], "dbias", d->inputs[0].c);
}

trib_status trib_relu_backward_check_op(const trib_op_desc *d)
{
    const trib_view *dy = &d->inputs[0];
    TRIB_TRY(is_float(dy, "dy"));
    TRIB_TRY(is_like(&d->inputs[1], "y", dy));
    TRIB_TRY(has_type(&d->inputs[1], "y", dy->dtype));
    TRIB_TRY(is_like(&d->outputs[0], "dx", dy));
    TRIB_TRY(has_type(&d->outputs[0], "dx", dy->dtype));
    return d->output_count > 1 ? is_vector(&d->outputs[1], "dbias", dy->c) : trib_success();
}

/* ---- batch norm ---- */

trib_status trib_batch_statistics_check(const trib_attributes *a)
{
    const trib_batch_statistics *s = &a->batch_statistics;
    if (!(s->eps > 0)) return INVALID("eps must be greater than 0");
    return s->momentum >= 0 && s->momentum <= 1 ? trib_success()
                                                : INVALID("momentum %g is not in [0, 1]", (double)s->momentum);
}

trib_status trib_batch_statistics_check_op(const trib_op_desc *d)
{
    static const char *const inputs[] = { "x", "weight", "bias", "mean", "var" };
    int c = d->inputs[0].c;
    TRIB_TRY(is_float(&d->inputs[0], "x"));
    for (int i = 1; i < d->input_count; ++i) TRIB_TRY(is_vector(&d->inputs[i], inputs[i], c));
    TRIB_TRY(is_rows(&d->outputs[0], "saved", 4, c));
    TRIB_TRY(is_vector(&d->outputs[1], "mean", c));
    return is_vector(&d->outputs[2], "var", c);
}

trib_status trib_batch_norm_apply_check_op(const trib_op_desc *d)
{
    const trib_view *x = &d->inputs[0];
    TRIB_TRY(is_float(x, "x"));
    TRIB_TRY(is_rows(&d->inputs[1], "saved", 4, x->c));
    TRIB_TRY(has_type(&d->outputs[0], "y", x->dtype));
    return is_like(&d->outputs[0], "y", x);
}

trib_status trib_batch_norm_backward_check_op(const trib_op_desc *d)
{
    const trib_view *dy = &d->inputs[0];
    TRIB_TRY(is_float(dy, "dy"));
    TRIB_TRY(has_type(&d->inputs[1], "x", dy->dtype));
    TRIB_TRY(is_like(&d->inputs[1], "x", dy));
    TRIB_TRY(is_rows(&d->inputs[2], "saved", 4, dy->c));
    TRIB_TRY(has_type(&d->outputs[0], "dx", dy->dtype));
    TRIB_TRY(is_like(&d->outputs[0], "dx", dy));
    TRIB_TRY(is_vector(&d->outputs[1], "dweight", dy->c));
    return is_vector(&d->outputs[2], "dbias", dy->c);
}

void trib_batch_statistics_describe(const trib_attributes *a, const trib_fields *f)
{
    f->reals(f->context, "eps", &a->batch_statistics.eps, 1);
    f->reals(f->context, "momentum", &a->batch_statistics.momentum, 1);
}

/* ---- pools, LRN, dropout ---- */

trib_status trib_max_pool2d_indexed_check_op(const trib_op_desc *d)
{
    const trib_view *x = &d->inputs[0], *y = &d->outputs[0], *index = &d->outputs[1];
    TRIB_TRY(is_float(x, "x"));
    TRIB_TRY(has_type(y, "y", x->dtype));
    TRIB_TRY(is_result(y, d->kind, &d->attributes, x));
    TRIB_TRY(has_type(index, "index", TRIB_U8));
    TRIB_TRY(is_like(index, "index", y));
    if (index->layout != y->layout) return INVALID("index and y differ in layout");
    if ((int64_t)d->attributes.pool2d.r * d->attributes.pool2d.s <= MOST_WINDOW_INDEX + 1) return trib_success();
    return INVALID("a window of more than %d elements: its indices have 8 bits", MOST_WINDOW_INDEX + 1);
}

trib_status trib_pool_backward_check_op(const trib_op_desc *d)
{
    const trib_view *dy = &d->inputs[0], *dx = &d->outputs[0];
    TRIB_TRY(is_float(dy, "dy"));
    TRIB_TRY(has_type(dx, "dx", dy->dtype));
    TRIB_TRY(is_result(dy, forward_of(d->kind), &d->attributes, dx));
    if (d->input_count == 1) return trib_success();
    TRIB_TRY(has_type(&d->inputs[1], "index", TRIB_U8));
    return is_like(&d->inputs[1], "index", dy);
}

trib_status trib_lrn_backward_check_op(const trib_op_desc *d)
{
    const trib_view *dy = &d->inputs[0];
    TRIB_TRY(is_float(dy, "dy"));
    TRIB_TRY(has_type(&d->inputs[1], "x", dy->dtype));
    TRIB_TRY(is_like(&d->inputs[1], "x", dy));
    TRIB_TRY(has_type(&d->outputs[0], "dx", dy->dtype));
    return is_like(&d->outputs[0], "dx", dy);
}

trib_status trib_dropout_training_check_op(const trib_op_desc *d)
{
    TRIB_TRY(is_float(&d->inputs[0], "x"));
    TRIB_TRY(is_controls(&d->inputs[1]));
    TRIB_TRY(has_type(&d->outputs[0], "y", d->inputs[0].dtype));
    return is_like(&d->outputs[0], "y", &d->inputs[0]);
}

void trib_dropout_describe(const trib_attributes *a, const trib_fields *f)
{
    int salt = (int)(a->dropout.salt & INT32_MAX);
    f->reals(f->context, "p", &a->dropout.p, 1);
    f->ints(f->context, "salt", &salt, 1);
}

/* ---- loss ---- */

trib_status trib_cross_entropy_check(const trib_attributes *a)
{
    const trib_cross_entropy *v = &a->cross_entropy;
    if (!isfinite(v->weight)) return INVALID("the weight of a loss is not finite");
    return v->smoothing >= 0 && v->smoothing < 1 ? trib_success()
                                                 : INVALID("label smoothing %g is not in [0, 1)", (double)v->smoothing);
}

trib_status trib_cross_entropy_check_op(const trib_op_desc *d)
{
    const trib_view *logits = &d->inputs[0], *labels = &d->inputs[1];
    TRIB_TRY(is_float(logits, "logits"));
    TRIB_TRY(has_extent(logits, "logits", logits->n, (trib_extent) { logits->c, 1, 1 }));
    TRIB_TRY(has_type(labels, "labels", TRIB_I32));
    TRIB_TRY(is_dense(labels, "labels"));
    TRIB_TRY(has_extent(labels, "labels", logits->n, (trib_extent) { 1, 1, 1 }));
    TRIB_TRY(is_controls(&d->inputs[2]));
    TRIB_TRY(is_float(&d->outputs[0], "dlogits"));
    TRIB_TRY(is_like(&d->outputs[0], "dlogits", logits));
    return is_rows(&d->outputs[1], "loss", logits->n, 1);
}

void trib_cross_entropy_describe(const trib_attributes *a, const trib_fields *f)
{
    f->reals(f->context, "weight", &a->cross_entropy.weight, 1);
    f->reals(f->context, "smoothing", &a->cross_entropy.smoothing, 1);
}

/* ---- updates ---- */

trib_status trib_clip_gradients_check_op(const trib_op_desc *d)
{
    if (d->output_count != d->input_count - 1)
        return INVALID("%d gradients in, %d out", d->input_count - 1, d->output_count);
    for (int i = 0; i < d->output_count; ++i) {
        TRIB_TRY(is_vector(&d->inputs[i], "a gradient", d->inputs[i].c));
        TRIB_TRY(is_vector(&d->outputs[i], "a gradient", d->inputs[i].c));
    }
    return is_controls(&d->inputs[d->output_count]);
}

trib_status trib_sgd_check(const trib_attributes *a)
{
    return isfinite(a->sgd.rate) && isfinite(a->sgd.decay) ? trib_success() : INVALID("rate or decay is not finite");
}

/* All operands but controls, the last input, are flat and of one length. */
static trib_status check_flat(const trib_op_desc *d)
{
    int c = d->inputs[0].c;
    for (int i = 0; i + 1 < d->input_count; ++i) TRIB_TRY(is_vector(&d->inputs[i], "an operand", c));
    for (int i = 0; i < d->output_count; ++i) TRIB_TRY(is_vector(&d->outputs[i], "a result", c));
    return is_controls(&d->inputs[d->input_count - 1]);
}

trib_status trib_sgd_check_op(const trib_op_desc *d) { return check_flat(d); }

trib_status trib_moving_average_check_op(const trib_op_desc *d) { return check_flat(d); }

trib_status trib_sum_gradients_check_op(const trib_op_desc *d) { return check_flat(d); }

/* ---- a loss scale that adapts ---- */

static trib_status is_scale(const trib_view *v)
{
    return is_vector(v, "scale", (int)(sizeof(trib_loss_scale) / sizeof(float)));
}

trib_status trib_scale_controls_check_op(const trib_op_desc *d)
{
    TRIB_TRY(is_controls(&d->inputs[0]));
    TRIB_TRY(is_scale(&d->inputs[1]));
    return is_controls(&d->outputs[0]);
}

trib_status trib_check_gradients_check_op(const trib_op_desc *d)
{
    TRIB_TRY(is_vector(&d->inputs[0], "a gradient", d->inputs[0].c));
    TRIB_TRY(is_controls(&d->inputs[1]));
    return is_controls(&d->outputs[0]);
}

trib_status trib_adjust_loss_scale_check(const trib_attributes *a)
{
    const int steps = a->adjust_loss_scale.growth_interval;
    return steps > 0 ? trib_success() : INVALID("a loss scale that doubles after %d steps", steps);
}

trib_status trib_adjust_loss_scale_check_op(const trib_op_desc *d)
{
    TRIB_TRY(is_controls(&d->inputs[0]));
    TRIB_TRY(is_scale(&d->inputs[1]));
    return is_scale(&d->outputs[0]);
}

void trib_adjust_loss_scale_describe(const trib_attributes *a, const trib_fields *f)
{
    f->ints(f->context, "growth_interval", &a->adjust_loss_scale.growth_interval, 1);
}

void trib_sgd_describe(const trib_attributes *a, const trib_fields *f)
{
    int nesterov = a->sgd.nesterov;
    f->reals(f->context, "rate", &a->sgd.rate, 1);
    f->reals(f->context, "decay", &a->sgd.decay, 1);
    f->ints(f->context, "nesterov", &nesterov, 1);
}

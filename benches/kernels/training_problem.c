/* SPDX-License-Identifier: Apache-2.0 */
#include "training_problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cuda/ops/geometry.h"
#include "graph/kinds.h"
#include "table/problem.h"

/* ---- arrays ---- */

static trib_kernel_element element_of(trib_dtype dtype)
{
    switch (dtype) {
    case TRIB_F16: return TRIB_KERNEL_F16;
    case TRIB_BF16: return TRIB_KERNEL_BF16;
    case TRIB_U8: return TRIB_KERNEL_U8;
    case TRIB_I32: return TRIB_KERNEL_I32;
    default: return TRIB_KERNEL_F32;
    }
}

static trib_kernel_array array_of(const trib_view *v)
{
    trib_kernel_array a = trib_slice((int64_t)v->n * v->h * v->w, v->c, v->c_offset, v->c_total - v->c_offset - v->c);
    a.element = element_of(v->dtype);
    return a;
}

static bool is_controls(const trib_plan *plan, const trib_view *v)
{
    const char *name = plan->buffers[v->buffer].name;
    return !strcmp(name, "controls") || !strcmp(name, "scaled_controls");
}

static trib_kernel_array controls(void)
{
    trib_kernel_array a = trib_floats(1, (int)(sizeof(trib_step_controls) / sizeof(float)));
    a.element = TRIB_KERNEL_CONTROLS;
    return a;
}

static bool is_updated(const trib_op_desc *d, int output)
{
    for (int i = 0; i < d->input_count; ++i)
        if (trib_op_updates(d, i) && !memcmp(&d->inputs[i], &d->outputs[output], sizeof d->inputs[i])) return true;
    return output == 0 && d->accumulate;
}

/* What an op updates in place is an output only. */
static void add_arrays(const trib_plan *plan, const trib_plan_op *op, trib_kernel_problem *p)
{
    const trib_op_desc *d = &op->desc;
    for (int i = 0; i < d->input_count; ++i) {
        const trib_view *x = &d->inputs[i];
        if (!trib_op_updates(d, i)) p->inputs[p->input_count++] = is_controls(plan, x) ? controls() : array_of(x);
    }
    for (int i = 0; i < d->output_count; ++i) {
        trib_kernel_array *y = &p->outputs[p->output_count++];
        *y = is_controls(plan, &d->outputs[i]) ? controls() : array_of(&d->outputs[i]);
        if (is_updated(d, i)) y->content = TRIB_KERNEL_UPDATED;
    }
    if (op->workspace < 0) return;
    trib_kernel_array *scratch = &p->outputs[p->output_count++];
    *scratch = trib_floats(1, (int)(plan->buffers[op->workspace].bytes / (int64_t)sizeof(float)));
    scratch->content = TRIB_KERNEL_SCRATCH;
}

/* ---- geometries, and operations per element of the first input ---- */

static void gradients(const trib_op_desc *d, trib_kernel_problem *p)
{
    p->gradient = trib_gradients_of(d);
    p->pixel.relu = d->relu;
}

static void batch_norm(const trib_op_desc *d, trib_kernel_problem *p)
{
    gradients(d, p);
    p->flops *= 10; /* two sums, then dx of dy, x and both */
}

static void lrn(const trib_op_desc *d, trib_kernel_problem *p)
{
    gradients(d, p);
    p->lrn = trib_coefficients_of(&d->attributes.lrn);
    p->flops *= 4 * p->lrn.size + 8; /* sums of squares and of gradients over the channels */
}

static void statistics(const trib_op_desc *d, trib_kernel_problem *p)
{
    const trib_batch_statistics *a = &d->attributes.batch_statistics;
    p->pixel = trib_pixels_between(&d->inputs[0], &d->inputs[0], false);
    p->batch_norm = (trib_batch_norm_parameters) { .eps = a->eps, .momentum = a->momentum };
    p->inputs[0].scale = 3;
    p->flops *= 3;
}

static void windows(const trib_op_desc *d, trib_kernel_problem *p)
{
    p->window = trib_op_window(d);
    p->accumulate = d->accumulate;
    for (int i = 0; i < p->input_count; ++i)
        if (p->inputs[i].element == TRIB_KERNEL_U8) p->inputs[i].below = p->window.r * p->window.s;
}

static void averages(const trib_op_desc *d, trib_kernel_problem *p)
{
    windows(d, p);
    p->flops *= p->window.r * p->window.s;
}

/* Windows differ in size: one operation for each element of dx. */
static void adaptive(const trib_op_desc *d, trib_kernel_problem *p)
{
    windows(d, p);
    p->flops = (double)p->outputs[0].rows * p->outputs[0].c;
}

static void maxima(const trib_op_desc *d, trib_kernel_problem *p)
{
    windows(d, p);
    p->flops = (double)p->outputs[0].rows * p->outputs[0].c * p->window.r * p->window.s;
}

static void dropout(const trib_op_desc *d, trib_kernel_problem *p) { p->dropout = trib_dropout_of(d); }

static void cross_entropy(const trib_op_desc *d, trib_kernel_problem *p)
{
    p->cross_entropy = trib_cross_entropy_of(d);
    p->inputs[0].scale = 8;
    p->inputs[1].scale = (float)d->inputs[0].c - 0.5f;
    p->flops *= 4;
}

static void sgd(const trib_op_desc *d, trib_kernel_problem *p)
{
    p->sgd = trib_sgd_rates_of(&d->attributes.sgd);
    p->flops *= 6;
}

static void adjust(const trib_op_desc *d, trib_kernel_problem *p)
{
    p->k = d->attributes.adjust_loss_scale.growth_interval;
}

/* Kernels that are not here need only their arrays: one operation for each element. */
static const struct {
    trib_kind kind;
    void (*fill)(const trib_op_desc *d, trib_kernel_problem *p);
} geometries[] = {
    { TRIB_BIAS_BACKWARD, gradients },
    { TRIB_RELU_BACKWARD, gradients },
    { TRIB_BATCH_STATISTICS, statistics },
    { TRIB_BATCH_NORM_BACKWARD, batch_norm },
    { TRIB_MAX_POOL2D_INDEXED, maxima },
    { TRIB_MAX_POOL2D_BACKWARD, windows },
    { TRIB_AVG_POOL2D_BACKWARD, averages },
    { TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD, adaptive },
    { TRIB_LRN_BACKWARD, lrn },
    { TRIB_DROPOUT_TRAINING, dropout },
    { TRIB_CROSS_ENTROPY, cross_entropy },
    { TRIB_SGD, sgd },
    { TRIB_ADJUST_LOSS_SCALE, adjust },
};

static void fill_geometry(const trib_op_desc *d, trib_kernel_problem *p)
{
    const trib_view *x = &d->inputs[0];
    p->controls = trib_some_controls;
    p->flops = (double)x->n * x->h * x->w * x->c;
    for (int i = 0; i < TRIB_COUNT(geometries); ++i)
        if (geometries[i].kind == d->kind) geometries[i].fill(d, p);
}

/* ---- text ---- */

static void append(trib_kernel_problem *p, const char *format, ...)
{
    const size_t used = strlen(p->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->text + used, sizeof p->text - used, format, arguments);
    va_end(arguments);
}

static void append_view(trib_kernel_problem *p, const trib_view *v)
{
    append(p, "%s%dx%dx%dx%d", p->text[0] ? " " : "", v->n, v->h, v->w, v->c);
    if (v->c < v->c_total) append(p, " of %d at %d", v->c_total, v->c_offset);
}

static void describe(const trib_op_desc *d, trib_kernel_problem *p)
{
    const trib_window_geometry *g = &p->window;
    for (int i = 0; i < d->input_count; ++i) append_view(p, &d->inputs[i]);
    append(p, " ->");
    for (int i = 0; i < d->output_count; ++i) append_view(p, &d->outputs[i]);
    if (g->r)
        append(p, " window %dx%d stride %dx%d pad %d,%d", g->r, g->s, g->stride_h, g->stride_w, g->pad_top,
               g->pad_left);
    if (p->lrn.size) append(p, " size=%d", p->lrn.size);
    if (p->pixel.relu) append(p, " relu");
}

/* ---- the kernel ---- */

static bool is_alike(const trib_kernel_array *a, const trib_kernel_array *edge, trib_dtype dtype)
{
    const trib_kernel_element of_edge = edge->element == TRIB_KERNEL_STORAGE ? element_of(dtype) : edge->element;
    return a->content == edge->content && a->element == of_edge;
}

/* Whether one of the kernel's edges has such arrays when the kernel is run with this type. */
static bool has_form(const trib_kernel *kernel, trib_dtype dtype, const trib_kernel_problem *p)
{
    bool found = false;
    for (int k = 0; k < kernel->edges && !found && kernel->dtypes >> dtype & 1; ++k) {
        trib_kernel_problem q;
        kernel->edge(k, &q);
        found = q.input_count == p->input_count && q.output_count == p->output_count;
        for (int i = 0; found && i < p->input_count; ++i) found = is_alike(&p->inputs[i], &q.inputs[i], dtype);
        for (int i = 0; found && i < p->output_count; ++i) found = is_alike(&p->outputs[i], &q.outputs[i], dtype);
    }
    return found;
}

static bool is_named(const trib_kernel *kernel, const char *name)
{
    const size_t length = strlen(name);
    return !strncmp(kernel->name, name, length) && (!kernel->name[length] || kernel->name[length] == '_');
}

/* Run with the type of its first input, or, where it changes the type, of its first output; controls are of none. */
static const trib_kernel *find(const char *name, const trib_op_desc *d, const trib_kernel_problem *p, trib_dtype *dtype)
{
    const trib_dtype dtypes[] = { d->inputs[0].dtype, d->outputs[0].dtype, TRIB_F32 };
    for (int k = 0; k < TRIB_COUNT(dtypes); ++k)
        for (int i = 0; trib_kernel_at(i); ++i) {
            *dtype = dtypes[k];
            if (is_named(trib_kernel_at(i), name) && has_form(trib_kernel_at(i), *dtype, p)) return trib_kernel_at(i);
        }
    return NULL;
}

const trib_kernel *bench_training_problem(const trib_plan *plan, const trib_plan_op *op, trib_dtype *dtype,
                                          trib_kernel_problem *out)
{
    const char *name = strchr(op->implementation, ':');
    memset(out, 0, sizeof *out);
    add_arrays(plan, op, out);
    fill_geometry(&op->desc, out);
    describe(&op->desc, out);
    return name ? find(name + 1, &op->desc, out, dtype) : NULL;
}

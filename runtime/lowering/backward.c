/* SPDX-License-Identifier: Apache-2.0
 * Adds to the forward ops of training the losses, the backward of each op in reverse order, and the update. Which kind
 * computes a gradient, and what it reads, is in the rows of the op kinds.
 *
 * The gradient of an activation lies in a buffer of the same form: a joined output's gradient is read slice by slice by
 * the branches, so a join needs no op. Where several ops read an activation, the first backward op writes its gradient,
 * and the others add to it. */
#include <string.h>

#include "graph/kinds.h"
#include "lowering/backward.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

/* Parameters never depend on others, and inputs of the plan depend on none. */
static void find_needed(trib_backward *b)
{
    const trib_plan *p = b->l->plan;
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op *op = &p->ops[i];
        bool needed = false;
        for (int role = 0; role < TRIB_ROLE_COUNT; ++role) needed = needed || trib_is_trained(b, op, (trib_role)role);
        for (int k = 0; k < op->desc.input_count; ++k)
            needed = needed || b->gradients[op->desc.inputs[k].buffer].needed;
        for (int k = 0; needed && k < op->desc.output_count; ++k)
            if (p->buffers[op->desc.outputs[k].buffer].kind == TRIB_BUFFER_ACTIVATION)
                b->gradients[op->desc.outputs[k].buffer].needed = true;
    }
}

/* ---- losses ---- */

static trib_status add_loss(trib_backward *b, const trib_loss *loss, int index)
{
    trib_lowering *l = b->l;
    const trib_training *t = l->options.training;
    trib_view logits = l->views[l->graph->outputs[index].layer], losses = l->labels, gradient;
    trib_plan_op op;
    TRIB_TRY(trib_new_training_op(trib_strings_format(l->strings, "loss/%s", loss->output), TRIB_CROSS_ENTROPY, &op));
    op.layer = l->graph->outputs[index].layer;
    op.desc.attributes.cross_entropy =
        (trib_cross_entropy) { .weight = t->accumulate > 1 ? loss->weight / (float)t->accumulate : loss->weight,
                               .smoothing = t->label_smoothing };
    trib_add_input_view(&op, logits);
    trib_add_input_view(&op, l->labels);
    trib_add_input_view(&op, l->step_controls);
    TRIB_TRY(trib_gradient_view(b, &logits, &gradient));
    b->gradients[logits.buffer].written = true;
    losses.dtype = TRIB_F32;
    TRIB_TRY(trib_lowering_add_buffer(l, op.name, TRIB_BUFFER_OUTPUT, trib_view_bytes(&losses), &losses.buffer));
    trib_add_output_view(&op, gradient);
    trib_add_output_view(&op, losses);
    l->plan->outputs[l->plan->output_count++] = (trib_plan_output) {
        .name = op.name, .buffer = losses.buffer, .shape = trib_shape_of(1, losses.n, 0, 0, 0), .dtype = TRIB_F32
    };
    return trib_lowering_add_op(l, &op);
}

/* ---- all of an op's ---- */

/* A slice that cuDNN reads: it would copy it for each of its two uses, and to float32 gradients of weights from slices
 * of 16 bits it has no plan. */
static bool is_read_as_slice(const trib_backward *b, const trib_plan_op *of, const trib_view *dy)
{
    return trib_kind_row_of(of->desc.kind)->backward_weight && dy->c_total != trib_gradient_pitch(b, dy) &&
           !trib_device_get_info(b->l->device)->host;
}

static trib_status new_dense(trib_backward *b, const trib_plan_op *of, trib_view *view)
{
    view->c_offset = 0;
    view->c_total = trib_gradient_pitch(b, view);
    return trib_new_activation(b->l, trib_strings_format(b->l->strings, "%s/dense_gradient", of->name), view);
}

static trib_status place_behind_relu(trib_backward *b, const trib_plan_op *of, const trib_view *dy, trib_view *dz)
{
    const int set = trib_merged_set_of(b, of);
    *dz = *dy;
    if (set >= 0) return trib_merged_slice(b, set, of, dz);
    return is_read_as_slice(b, of, dy) ? new_dense(b, of, dz) : trib_success();
}

/* Where no ReLU turns a slice into what is dense. */
static trib_status add_dense_copy(trib_backward *b, const trib_plan_op *of, trib_view *dy)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_backward_op(b, of, TRIB_REORDER, "dense_gradient", &op));
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.flops = 0;
    trib_add_input_view(&op, *dy);
    TRIB_TRY(new_dense(b, of, dy));
    trib_add_output_view(&op, *dy);
    return trib_lowering_add_op(b->l, &op);
}

static trib_status add_backward(trib_backward *b, const trib_plan_op *of)
{
    const trib_kind_row *row = trib_kind_row_of(of->desc.kind);
    trib_view dy, dz;
    int set = trib_merged_set_of(b, of);
    bool bias = trib_is_trained(b, of, TRIB_BIAS), relu = of->desc.relu && row->backward != TRIB_BATCH_NORM_BACKWARD;
    TRIB_TRY(trib_gradient_view(b, &of->desc.outputs[0], &dy));
    dz = dy;
    if (relu) TRIB_TRY(place_behind_relu(b, of, &dy, &dz));
    if (relu) TRIB_TRY(trib_add_backward_relu(b, of, &dy, &dz));
    if (!relu && set < 0 && is_read_as_slice(b, of, &dz)) TRIB_TRY(add_dense_copy(b, of, &dz));
    if (bias && !relu) TRIB_TRY(trib_add_backward_bias(b, of, &dz));
    if (set >= 0)
        return ++b->merged[set].done == b->l->merged[set].count ? trib_add_merged_backward(b, set, of) : trib_success();
    if (row->backward_weight && trib_is_trained(b, of, TRIB_WEIGHT)) TRIB_TRY(trib_add_backward_weight(b, of, &dz));
    return b->gradients[of->desc.inputs[0].buffer].needed ? trib_add_backward_data(b, of, &dz) : trib_success();
}

/* Ops whose output no loss depends on have no gradient: statistics, logits on their way to the caller. A join runs
 * nothing, and the branches read its gradient. */
static bool has_backward(const trib_backward *b, const trib_plan_op *op)
{
    const trib_op_desc *d = &op->desc;
    bool join = d->kind == TRIB_CONCAT && d->inputs[0].buffer == d->outputs[0].buffer;
    return trib_kind_row_of(d->kind)->backward && !join && b->gradients[d->outputs[0].buffer].written;
}

/* ---- updates ---- */

/* What updates read. */
static trib_view gradient_of(const trib_update *u) { return u->sum.buffer >= 0 ? u->sum : u->gradient; }

static trib_status add_sum(trib_lowering *l, const trib_update *u)
{
    trib_plan_op op;
    if (u->value.buffer < 0 || u->sum.buffer < 0) return trib_success();
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "sum"), TRIB_SUM_GRADIENTS, &op));
    trib_add_input_view(&op, u->sum);
    trib_add_input_view(&op, u->gradient);
    trib_add_input_view(&op, l->step_controls);
    trib_add_output_view(&op, u->sum);
    return trib_lowering_add_op(l, &op);
}

static trib_status add_check(trib_lowering *l, const trib_update *u)
{
    const trib_view gradient = gradient_of(u);
    return u->value.buffer >= 0 ? trib_add_gradient_check(l, &gradient) : trib_success();
}

/* All gradients together. */
static trib_status add_clip(trib_lowering *l)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "clip"), TRIB_CLIP_GRADIENTS, &op));
    for (int i = 0; i < TRIB_UPDATES; ++i) {
        if (l->updates[i].value.buffer < 0) continue;
        trib_add_input_view(&op, gradient_of(&l->updates[i]));
        trib_add_output_view(&op, gradient_of(&l->updates[i]));
    }
    trib_add_input_view(&op, l->step_controls);
    return op.desc.output_count ? trib_lowering_add_op(l, &op) : trib_success();
}

static trib_status add_average(trib_lowering *l, const trib_update *u)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "average"), TRIB_MOVING_AVERAGE, &op));
    trib_add_input_view(&op, u->average);
    trib_add_input_view(&op, u->value);
    trib_add_input_view(&op, l->step_controls);
    trib_add_output_view(&op, u->average);
    return trib_lowering_add_op(l, &op);
}

static trib_status add_update(trib_lowering *l, const trib_update *u)
{
    trib_plan_op op;
    if (u->value.buffer < 0 || l->options.training->no_update) return trib_success();
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "update"), TRIB_SGD, &op));
    op.desc.attributes.sgd = u->attributes;
    trib_add_input_view(&op, u->value);
    trib_add_input_view(&op, gradient_of(u));
    trib_add_input_view(&op, u->momentum);
    trib_add_input_view(&op, l->step_controls);
    trib_add_output_view(&op, u->value);
    trib_add_output_view(&op, u->momentum);
    TRIB_TRY(trib_lowering_add_op(l, &op));
    return u->average.buffer >= 0 ? add_average(l, u) : trib_success();
}

/* ---- the pass ---- */

/* Of the readers of a merged set's input, others (a branch's pool) come after the set: they add to a gradient in one
 * pass, while a product needs a second one. -1: the op need not wait. */
static int set_to_wait_for(const trib_backward *b, const trib_plan_op *op)
{
    const trib_lowering *l = b->l;
    for (int i = 0; i < l->merged_count && trib_merged_set_of(b, op) < 0; ++i) {
        const trib_layer *member = &l->graph->layers[l->merged[i].layers[0]];
        bool same_input = l->views[member->inputs[0]].buffer == op->desc.inputs[0].buffer;
        if (same_input && b->merged[i].done < l->merged[i].count) return i;
    }
    return -1;
}

/* The backward of op `i`, then, if that completed a set, of the ops that waited for it. */
static trib_status add_with_waiting(trib_backward *b, int i, int forward)
{
    const trib_plan_op op = b->l->plan->ops[i]; /* the list moves while it grows */
    const int set = trib_merged_set_of(b, &op);
    if (!has_backward(b, &op)) return trib_success();
    b->waits[i] = set_to_wait_for(b, &op) + 1;
    if (b->waits[i]) return trib_success();
    TRIB_TRY(add_backward(b, &op));
    for (int k = forward; set >= 0 && b->merged[set].done == b->l->merged[set].count && k-- > 0;) {
        const trib_plan_op later = b->l->plan->ops[k];
        if (b->waits[k] == set + 1) TRIB_TRY(add_backward(b, &later));
    }
    return trib_success();
}

static trib_status add_all(trib_backward *b)
{
    trib_lowering *l = b->l;
    const trib_training *t = l->options.training;
    int forward = l->plan->op_count;
    find_needed(b);
    TRIB_TRY(trib_place_merged_slices(b, forward));
    for (int i = 0; i < t->loss_count; ++i) TRIB_TRY(add_loss(b, &t->losses[i], i));
    for (int i = forward; i-- > 0;) TRIB_TRY(add_with_waiting(b, i, forward));
    for (int i = 0; i < TRIB_UPDATES; ++i) TRIB_TRY(add_sum(l, &l->updates[i]));
    for (int i = 0; i < TRIB_UPDATES; ++i) TRIB_TRY(add_check(l, &l->updates[i]));
    if (t->clip && !t->no_update) TRIB_TRY(add_clip(l));
    for (int i = 0; i < TRIB_UPDATES; ++i) TRIB_TRY(add_update(l, &l->updates[i]));
    TRIB_TRY(trib_add_loss_scale_adjustment(l));
    return trib_lowering_note(l, "backward: %d forward ops, %d losses, %d backward ops", forward, t->loss_count,
                              b->added);
}

trib_status trib_pass_backward(trib_lowering *l)
{
    trib_backward b = { .l = l };
    b.gradients = trib_alloc_zeroed((size_t)l->plan->buffer_count, sizeof *b.gradients);
    b.merged = trib_alloc_zeroed((size_t)l->merged_count + 1, sizeof *b.merged);
    b.waits = trib_alloc_zeroed((size_t)l->plan->op_count, sizeof *b.waits);
    trib_status status = b.gradients && b.merged && b.waits ? trib_success() : trib_plan_no_memory();
    if (!trib_failed(&status)) {
        for (int i = 0; i < l->plan->buffer_count; ++i) b.gradients[i].view.buffer = -1;
        for (int i = 0; i < l->merged_count; ++i) b.merged[i].view.buffer = -1;
        status = add_all(&b);
    }
    trib_free(b.gradients);
    trib_free(b.merged);
    trib_free(b.waits);
    return status;
}

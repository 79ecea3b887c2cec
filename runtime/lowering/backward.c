/* SPDX-License-Identifier: Apache-2.0
 * Adds to the forward ops of training the losses, the backward of each op in reverse order, and the update. Which kind
 * computes a gradient, and what it reads, is in the rows of the op kinds.
 *
 * The gradient of an activation lies in a buffer of the same form: a joined output's gradient is read slice by slice by
 * the branches, so a join needs no op. Where several ops read an activation, the first backward op writes its gradient,
 * and the others add to it. */
#include <string.h>

#include "graph/kinds.h"
#include "lowering/passes.h"
#include "lowering/training.h"
#include "tributary/internal/alloc.h"

/* What is known of an activation's gradient. */
typedef struct gradient {
    trib_view view; /* of all channels; buffer -1: it has no memory yet */
    bool needed;    /* a parameter that is trained contributes to the activation */
    bool written;   /* by the backward op of at least one reader */
} gradient;

/* The gradients of a merged set, side by side. */
typedef struct merged_gradient {
    trib_view view; /* buffer -1: not yet */
    int done;       /* members whose gradient is complete */
} merged_gradient;

typedef struct backward {
    trib_lowering *l;
    gradient *gradients;     /* by buffer of the forward ops */
    merged_gradient *merged; /* by set */
    int *waits;              /* by forward op: 1 + the set that its backward comes after; 0: none */
    int added;               /* ops */
} backward;

static bool is_trained(const backward *b, const trib_plan_op *op, trib_role role)
{
    int id = op->parts[0].parameters[role];
    return id >= 0 && b->l->trained[id].gradient.buffer >= 0;
}

static trib_view gradient_of_parameter(const backward *b, const trib_plan_op *op, trib_role role)
{
    return b->l->trained[op->parts[0].parameters[role]].gradient;
}

/* ---- gradients of activations ---- */

static trib_status new_activation(trib_lowering *l, const char *name, trib_view *view)
{
    if (!name) return trib_plan_no_memory();
    return trib_lowering_add_buffer(l, name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(view), &view->buffer);
}

/* Where the gradient of this activation lies; memory is added when it is first asked for. */
static trib_status gradient_view(backward *b, const trib_view *of, trib_view *out)
{
    gradient *g = &b->gradients[of->buffer];
    if (g->view.buffer < 0) {
        const char *name = b->l->plan->buffers[of->buffer].name;
        g->view = *of;
        g->view.c_offset = 0;
        g->view.c = of->c_total;
        TRIB_TRY(new_activation(b->l, trib_strings_format(b->l->strings, "%s/gradient", name), &g->view));
    }
    *out = g->view;
    out->c_offset = g->view.c_offset + of->c_offset;
    out->c = of->c;
    return trib_success();
}

/* Parameters never depend on others, and inputs of the plan depend on none. */
static void find_needed(backward *b)
{
    const trib_plan *p = b->l->plan;
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op *op = &p->ops[i];
        bool needed = false;
        for (int role = 0; role < TRIB_ROLE_COUNT; ++role) needed = needed || is_trained(b, op, (trib_role)role);
        for (int k = 0; k < op->desc.input_count; ++k)
            needed = needed || b->gradients[op->desc.inputs[k].buffer].needed;
        for (int k = 0; needed && k < op->desc.output_count; ++k)
            if (p->buffers[op->desc.outputs[k].buffer].kind == TRIB_BUFFER_ACTIVATION)
                b->gradients[op->desc.outputs[k].buffer].needed = true;
    }
}

/* ---- losses ---- */

static trib_status add_loss(backward *b, const trib_loss *loss, int index)
{
    trib_lowering *l = b->l;
    trib_view logits = l->views[l->graph->outputs[index].layer], losses = l->labels, gradient;
    trib_plan_op op;
    TRIB_TRY(trib_new_training_op(trib_strings_format(l->strings, "loss/%s", loss->output), TRIB_CROSS_ENTROPY, &op));
    op.layer = l->graph->outputs[index].layer;
    op.desc.attributes.cross_entropy =
        (trib_cross_entropy) { .weight = loss->weight, .smoothing = l->options.training->label_smoothing };
    trib_add_input_view(&op, logits);
    trib_add_input_view(&op, l->labels);
    trib_add_input_view(&op, l->controls);
    TRIB_TRY(gradient_view(b, &logits, &gradient));
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

/* ---- one op ---- */

static trib_status new_op(backward *b, const trib_plan_op *of, trib_kind kind, const char *what, trib_plan_op *op)
{
    TRIB_TRY(trib_new_training_op(trib_strings_format(b->l->strings, "%s/%s", of->name, what), kind, op));
    op->layer = of->layer;
    op->fork = of->fork;
    op->branch = of->branch;
    op->flops = of->flops;
    op->desc.precision = of->desc.precision;
    op->desc.attributes = of->desc.attributes;
    ++b->added;
    return trib_success();
}

/* max(0, y) at the end of an op, and the gradient of its bias in the same pass. */
static trib_status add_relu(backward *b, const trib_plan_op *of, const trib_view *dy, const trib_view *dz)
{
    trib_plan_op op;
    TRIB_TRY(new_op(b, of, TRIB_RELU_BACKWARD, "relu/backward", &op));
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.flops = 0;
    trib_add_input_view(&op, *dy);
    trib_add_input_view(&op, of->desc.outputs[0]);
    trib_add_output_view(&op, *dz);
    if (is_trained(b, of, TRIB_BIAS)) trib_add_output_view(&op, gradient_of_parameter(b, of, TRIB_BIAS));
    return trib_lowering_add_op(b->l, &op);
}

static trib_status add_bias(backward *b, const trib_plan_op *of, const trib_view *dy)
{
    trib_plan_op op;
    TRIB_TRY(new_op(b, of, TRIB_BIAS_BACKWARD, "backward_bias", &op));
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.flops = 0;
    trib_add_input_view(&op, *dy);
    trib_add_output_view(&op, gradient_of_parameter(b, of, TRIB_BIAS));
    return trib_lowering_add_op(b->l, &op);
}

static trib_status add_weight(backward *b, const trib_plan_op *of, const trib_view *dy)
{
    trib_plan_op op;
    TRIB_TRY(new_op(b, of, trib_kind_row_of(of->desc.kind)->backward_weight, "backward_weight", &op));
    trib_add_input_view(&op, of->desc.inputs[0]);
    trib_add_input_view(&op, *dy);
    trib_add_output_view(&op, gradient_of_parameter(b, of, TRIB_WEIGHT));
    return trib_lowering_add_op(b->l, &op);
}

static const trib_view *operand(const trib_plan_op *op, int read)
{
    return read >= TRIB_READS_OUTPUT ? &op->desc.outputs[read - TRIB_READS_OUTPUT]
                                     : &op->desc.inputs[read - TRIB_READS_INPUT];
}

/* A batch norm's own parameters come out of the same op; those that are frozen need a place, too. */
static trib_status add_norm_outputs(backward *b, const trib_plan_op *of, trib_plan_op *op)
{
    for (int role = TRIB_BN_WEIGHT; role <= TRIB_BN_BIAS; ++role) {
        trib_view view = b->l->trained[of->parts[0].parameters[role]].value;
        if (is_trained(b, of, (trib_role)role))
            view = gradient_of_parameter(b, of, (trib_role)role);
        else
            TRIB_TRY(new_activation(b->l, op->name, &view));
        trib_add_output_view(op, view);
    }
    return trib_success();
}

/* Memory of dy that holds nothing else can become that of dx. */
static void try_in_place(backward *b, const trib_plan_op *of, trib_kind kind, const trib_view *dy)
{
    gradient *g = &b->gradients[of->desc.inputs[0].buffer];
    const trib_view *x = &of->desc.inputs[0];
    bool whole = dy->c == dy->c_total && x->c == x->c_total && dy->c == x->c;
    if (trib_kind_row_of(kind)->updates[0] == 1 && g->view.buffer < 0 && whole && dy->layout == x->layout)
        g->view = *dy;
}

static trib_status add_data(backward *b, const trib_plan_op *of, const trib_view *dy)
{
    const trib_kind_row *row = trib_kind_row_of(of->desc.kind);
    gradient *g = &b->gradients[of->desc.inputs[0].buffer];
    trib_view dx;
    trib_plan_op op;
    TRIB_TRY(new_op(b, of, row->backward, row->backward_weight ? "backward_data" : "backward", &op));
    trib_add_input_view(&op, *dy);
    for (int k = 0; k < TRIB_MAX_READS && row->backward_reads[k]; ++k)
        trib_add_input_view(&op, *operand(of, row->backward_reads[k]));
    try_in_place(b, of, row->backward, dy);
    TRIB_TRY(gradient_view(b, &of->desc.inputs[0], &dx));
    trib_add_output_view(&op, dx);
    op.desc.accumulate = g->written;
    g->written = true;
    if (op.desc.accumulate && !trib_kind_row_of(row->backward)->accumulates)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "layer %s: its input is read by others, too, and %s cannot add to a gradient", of->name,
                          trib_kind_name(row->backward));
    if (row->backward == TRIB_BATCH_NORM_BACKWARD) {
        op.desc.relu = of->desc.relu;
        TRIB_TRY(add_norm_outputs(b, of, &op));
    }
    return trib_lowering_add_op(b->l, &op);
}

/* ---- merged sets ---- */

static int set_of(const backward *b, const trib_plan_op *op)
{
    const trib_merged *m = op->desc.kind == TRIB_CONV2D ? trib_merged_of(b->l, op->layer) : NULL;
    return m ? (int)(m - b->l->merged) : -1;
}

/* All members' gradients in one buffer. */
static trib_status place_merged(backward *b, int set, const trib_view *like)
{
    trib_lowering *l = b->l;
    const trib_merged *m = &l->merged[set];
    trib_view *view = &b->merged[set].view;
    if (view->buffer >= 0) return trib_success();
    *view = *like;
    view->c = view->c_offset = 0;
    for (int i = 0; i < m->count; ++i) view->c += l->graph->layers[m->layers[i]].c;
    view->c_total = view->c;
    return new_activation(
        l, trib_strings_format(l->strings, "%s+%d/gradient", l->graph->layers[m->layers[0]].name, m->count - 1), view);
}

/* The member's slice. */
static trib_status merged_slice(backward *b, int set, const trib_plan_op *op, trib_view *out)
{
    const trib_merged *m = &b->l->merged[set];
    TRIB_TRY(place_merged(b, set, &op->desc.outputs[0]));
    *out = b->merged[set].view;
    for (int i = 0; m->layers[i] != op->layer; ++i) out->c_offset += b->l->graph->layers[m->layers[i]].c;
    out->c = op->desc.outputs[0].c;
    return trib_success();
}

/* Gradients that no ReLU separates from the convolution are written where the set has them. */
static trib_status place_slices(backward *b, int forward)
{
    for (int i = 0; i < forward; ++i) {
        const trib_plan_op op = b->l->plan->ops[i];
        int set = set_of(b, &op);
        if (set < 0 || op.desc.relu) continue;
        trib_view slice;
        TRIB_TRY(merged_slice(b, set, &op, &slice));
        b->gradients[op.desc.outputs[0].buffer].view = slice;
    }
    return trib_success();
}

/* The set as one convolution, on the branch of the input. */
static trib_status as_one(backward *b, int set, const trib_plan_op *of, trib_plan_op *out)
{
    trib_lowering *l = b->l;
    const trib_layer *input = &l->graph->layers[l->graph->layers[of->layer].inputs[0]];
    *out = *of;
    out->name = trib_strings_format(l->strings, "%s+%d", l->graph->layers[l->merged[set].layers[0]].name,
                                    l->merged[set].count - 1);
    if (!out->name) return trib_plan_no_memory();
    out->fork = input->fork;
    out->branch = input->branch;
    out->flops = 0;
    for (int i = 0; i < l->merged[set].count; ++i)
        out->flops += trib_layer_flops(l->graph, l->merged[set].layers[i]) * l->options.batch;
    out->desc.attributes.conv2d.k = b->merged[set].view.c;
    return trib_merged_view(l, &l->merged[set], TRIB_TENSOR_PARAMETER, &out->desc.inputs[1]);
}

static trib_status add_merged(backward *b, int set, const trib_plan_op *of)
{
    trib_plan_op one, op;
    const trib_view *dy = &b->merged[set].view;
    trib_view dw;
    TRIB_TRY(as_one(b, set, of, &one));
    TRIB_TRY(trib_merged_view(b->l, &b->l->merged[set], TRIB_TENSOR_GRADIENT, &dw));
    TRIB_TRY(new_op(b, &one, TRIB_CONV2D_BACKWARD_WEIGHT, "backward_weight", &op));
    trib_add_input_view(&op, one.desc.inputs[0]);
    trib_add_input_view(&op, *dy);
    trib_add_output_view(&op, dw);
    TRIB_TRY(trib_lowering_add_op(b->l, &op));
    return b->gradients[one.desc.inputs[0].buffer].needed ? add_data(b, &one, dy) : trib_success();
}

/* ---- all of an op's ---- */

static trib_status add_backward(backward *b, const trib_plan_op *of)
{
    const trib_kind_row *row = trib_kind_row_of(of->desc.kind);
    trib_view dy, dz;
    int set = set_of(b, of);
    bool bias = is_trained(b, of, TRIB_BIAS), relu = of->desc.relu && row->backward != TRIB_BATCH_NORM_BACKWARD;
    TRIB_TRY(gradient_view(b, &of->desc.outputs[0], &dy));
    dz = dy;
    if (relu && set >= 0) TRIB_TRY(merged_slice(b, set, of, &dz));
    if (relu) TRIB_TRY(add_relu(b, of, &dy, &dz));
    if (bias && !relu) TRIB_TRY(add_bias(b, of, &dz));
    if (set >= 0) return ++b->merged[set].done == b->l->merged[set].count ? add_merged(b, set, of) : trib_success();
    if (row->backward_weight && is_trained(b, of, TRIB_WEIGHT)) TRIB_TRY(add_weight(b, of, &dz));
    return b->gradients[of->desc.inputs[0].buffer].needed ? add_data(b, of, &dz) : trib_success();
}

/* Ops whose output no loss depends on have no gradient: statistics, logits on their way to the caller. A join runs
 * nothing, and the branches read its gradient. */
static bool has_backward(const backward *b, const trib_plan_op *op)
{
    const trib_op_desc *d = &op->desc;
    bool join = d->kind == TRIB_CONCAT && d->inputs[0].buffer == d->outputs[0].buffer;
    return trib_kind_row_of(d->kind)->backward && !join && b->gradients[d->outputs[0].buffer].written;
}

/* ---- updates ---- */

static trib_status add_average(trib_lowering *l, const trib_update *u)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_training_op(trib_strings_add(l->strings, "average"), TRIB_MOVING_AVERAGE, &op));
    trib_add_input_view(&op, u->average);
    trib_add_input_view(&op, u->value);
    trib_add_input_view(&op, l->controls);
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
    trib_add_input_view(&op, u->gradient);
    trib_add_input_view(&op, u->momentum);
    trib_add_input_view(&op, l->controls);
    trib_add_output_view(&op, u->value);
    trib_add_output_view(&op, u->momentum);
    TRIB_TRY(trib_lowering_add_op(l, &op));
    return u->average.buffer >= 0 ? add_average(l, u) : trib_success();
}

/* ---- the pass ---- */

/* Of the readers of a merged set's input, others (a branch's pool) come after the set: they add to a gradient in one
 * pass, while a product needs a second one. -1: the op need not wait. */
static int set_to_wait_for(const backward *b, const trib_plan_op *op)
{
    const trib_lowering *l = b->l;
    for (int i = 0; i < l->merged_count && set_of(b, op) < 0; ++i) {
        const trib_layer *member = &l->graph->layers[l->merged[i].layers[0]];
        bool same_input = l->views[member->inputs[0]].buffer == op->desc.inputs[0].buffer;
        if (same_input && b->merged[i].done < l->merged[i].count) return i;
    }
    return -1;
}

/* The backward of op `i`, then, if that completed a set, of the ops that waited for it. */
static trib_status add_with_waiting(backward *b, int i, int forward)
{
    const trib_plan_op op = b->l->plan->ops[i]; /* the list moves while it grows */
    const int set = set_of(b, &op);
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

static trib_status add_all(backward *b)
{
    trib_lowering *l = b->l;
    const trib_training *t = l->options.training;
    int forward = l->plan->op_count;
    find_needed(b);
    TRIB_TRY(place_slices(b, forward));
    for (int i = 0; i < t->loss_count; ++i) TRIB_TRY(add_loss(b, &t->losses[i], i));
    for (int i = forward; i-- > 0;) TRIB_TRY(add_with_waiting(b, i, forward));
    for (int i = 0; i < TRIB_UPDATES; ++i) TRIB_TRY(add_update(l, &l->updates[i]));
    return trib_lowering_note(l, "backward: %d forward ops, %d losses, %d backward ops", forward, t->loss_count,
                              b->added);
}

trib_status trib_pass_backward(trib_lowering *l)
{
    backward b = { .l = l };
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

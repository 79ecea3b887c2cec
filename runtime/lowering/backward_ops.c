/* SPDX-License-Identifier: Apache-2.0
 * The backward of one op: ReLU, bias, weight, input. */
#include "lowering/backward.h"

#include <string.h>

#include "device/window.h"
#include "graph/kinds.h"

bool trib_is_trained(const trib_backward *b, const trib_plan_op *op, trib_role role)
{
    int id = op->parts[0].parameters[role];
    return id >= 0 && b->l->trained[id].gradient.buffer >= 0;
}

trib_view trib_gradient_of_parameter(const trib_backward *b, const trib_plan_op *op, trib_role role)
{
    return b->l->trained[op->parts[0].parameters[role]].gradient;
}

/* ---- gradients of activations ---- */

int trib_gradient_pitch(const trib_backward *b, const trib_view *of)
{
    const int multiple = trib_device_get_info(b->l->device)->channel_multiple;
    if (trib_dtype_size(of->dtype) >= sizeof(float) || !trib_lies_as_nhwc(of)) return of->c;
    return (of->c + multiple - 1) / multiple * multiple;
}

trib_status trib_gradient_view(trib_backward *b, const trib_view *of, trib_view *out)
{
    trib_gradient *g = &b->gradients[of->buffer];
    if (g->view.buffer < 0) {
        const char *name = b->l->plan->buffers[of->buffer].name;
        g->view = *of;
        g->view.dtype = trib_precision_dtype(b->l->options.precision); /* of logits in float32, too */
        g->view.c_offset = 0;
        g->view.c = of->c_total;
        g->view.c_total = trib_gradient_pitch(b, &g->view);
        TRIB_TRY(trib_new_activation(b->l, trib_strings_format(b->l->strings, "%s/gradient", name), &g->view));
    }
    *out = g->view;
    out->c_offset = g->view.c_offset + of->c_offset;
    out->c = of->c;
    return trib_success();
}

/* ---- one op ---- */

trib_status trib_new_backward_op(trib_backward *b, const trib_plan_op *of, trib_kind kind, const char *what,
                                 trib_plan_op *op)
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

trib_status trib_add_backward_relu(trib_backward *b, const trib_plan_op *of, const trib_view *dy, const trib_view *dz)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_backward_op(b, of, TRIB_RELU_BACKWARD, "relu/backward", &op));
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.flops = 0;
    trib_add_input_view(&op, *dy);
    trib_add_input_view(&op, of->desc.outputs[0]);
    trib_add_output_view(&op, *dz);
    if (trib_is_trained(b, of, TRIB_BIAS)) trib_add_output_view(&op, trib_gradient_of_parameter(b, of, TRIB_BIAS));
    return trib_lowering_add_op(b->l, &op);
}

trib_status trib_add_backward_bias(trib_backward *b, const trib_plan_op *of, const trib_view *dy)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_backward_op(b, of, TRIB_BIAS_BACKWARD, "backward_bias", &op));
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.flops = 0;
    trib_add_input_view(&op, *dy);
    trib_add_output_view(&op, trib_gradient_of_parameter(b, of, TRIB_BIAS));
    return trib_lowering_add_op(b->l, &op);
}

trib_status trib_add_backward_weight(trib_backward *b, const trib_plan_op *of, const trib_view *dy)
{
    trib_plan_op op;
    TRIB_TRY(trib_new_backward_op(b, of, trib_kind_row_of(of->desc.kind)->backward_weight, "backward_weight", &op));
    trib_add_input_view(&op, of->desc.inputs[0]);
    trib_add_input_view(&op, *dy);
    trib_add_output_view(&op, trib_gradient_of_parameter(b, of, TRIB_WEIGHT));
    return trib_lowering_add_op(b->l, &op);
}

static const trib_view *operand(const trib_plan_op *op, int read)
{
    return read >= TRIB_READS_OUTPUT ? &op->desc.outputs[read - TRIB_READS_OUTPUT]
                                     : &op->desc.inputs[read - TRIB_READS_INPUT];
}

/* A batch norm's own parameters come out of the same op; those that are frozen need a place, too. */
static trib_status add_norm_outputs(trib_backward *b, const trib_plan_op *of, trib_plan_op *op)
{
    for (int role = TRIB_BN_WEIGHT; role <= TRIB_BN_BIAS; ++role) {
        trib_view view = b->l->trained[of->parts[0].parameters[role]].value;
        if (trib_is_trained(b, of, (trib_role)role))
            view = trib_gradient_of_parameter(b, of, (trib_role)role);
        else
            TRIB_TRY(trib_new_activation(b->l, op->name, &view));
        trib_add_output_view(op, view);
    }
    return trib_success();
}

/* Memory of dy that holds nothing else can become that of dx. */
static void try_in_place(trib_backward *b, const trib_plan_op *of, trib_kind kind, const trib_view *dy)
{
    trib_gradient *g = &b->gradients[of->desc.inputs[0].buffer];
    const trib_view *x = &of->desc.inputs[0];
    bool whole = dy->c == dy->c_total && x->c == x->c_total && dy->c == x->c;
    if (trib_kind_row_of(kind)->updates[0] == 1 && g->view.buffer < 0 && whole && dy->layout == x->layout)
        g->view = *dy;
}

trib_status trib_add_backward_data(trib_backward *b, const trib_plan_op *of, const trib_view *dy)
{
    const trib_kind_row *row = trib_kind_row_of(of->desc.kind);
    trib_gradient *g = &b->gradients[of->desc.inputs[0].buffer];
    trib_view dx;
    trib_plan_op op;
    TRIB_TRY(trib_new_backward_op(b, of, row->backward, row->backward_weight ? "backward_data" : "backward", &op));
    trib_add_input_view(&op, *dy);
    for (int k = 0; k < TRIB_MAX_READS && row->backward_reads[k]; ++k)
        trib_add_input_view(&op, *operand(of, row->backward_reads[k]));
    try_in_place(b, of, row->backward, dy);
    TRIB_TRY(trib_gradient_view(b, &of->desc.inputs[0], &dx));
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

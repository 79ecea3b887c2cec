/* SPDX-License-Identifier: Apache-2.0
 * Which 1x1 convolutions have merged backward ops: those that read the same input, as the branches of an Inception
 * module do. Their weights then lie one behind the other, and their gradients are slices of one buffer. */
#include "device/alignment.h"
#include "lowering/backward.h"
#include "tributary/internal/alloc.h"

static bool is_trained(const trib_lowering *l, const trib_layer *layer)
{
    const trib_training *t = l->options.training;
    return layer->parameters[TRIB_WEIGHT] >= 0 &&
           !trib_is_frozen(t, l->graph->parameters[layer->parameters[TRIB_WEIGHT]].name);
}

static bool is_1x1(const trib_lowering *l, const trib_layer *layer)
{
    const trib_conv2d *c = &layer->attributes.conv2d;
    if (layer->kind != TRIB_CONV2D || !is_trained(l, layer)) return false;
    return c->r == 1 && c->s == 1 && c->stride_h == 1 && c->stride_w == 1 && !c->pad.top && !c->pad.left &&
           !c->pad.bottom && !c->pad.right;
}

/* Whether another member may follow: its slice begins at a full block of channels, and its weight where memory of the
 * device begins. */
static bool ends_evenly(const trib_lowering *l, const trib_layer *layer)
{
    int64_t weight = (int64_t)layer->c * l->graph->layers[layer->inputs[0]].c * (int64_t)sizeof(float);
    return layer->c % trib_layout_block(l->plan->layout) == 0 && trib_aligned(weight) == weight;
}

/* Members that end evenly come first; at most one other ends the set. */
static trib_merged collect(const trib_lowering *l, int input)
{
    trib_merged m = { 0 };
    int last = -1;
    for (int i = 0; i < (int)l->graph->layer_count; ++i) {
        const trib_layer *layer = &l->graph->layers[i];
        if (!layer->input_count || layer->inputs[0] != input || !is_1x1(l, layer)) continue;
        if (!ends_evenly(l, layer))
            last = i;
        else if (m.count < TRIB_MAX_MERGED - 1)
            m.layers[m.count++] = i;
    }
    if (last >= 0) m.layers[m.count++] = last;
    return m;
}

trib_status trib_find_merged(trib_lowering *l)
{
    l->merged = trib_alloc_zeroed(l->graph->layer_count, sizeof *l->merged);
    if (!l->merged) return trib_plan_no_memory();
    for (int i = 0; i < (int)l->graph->layer_count; ++i) {
        trib_merged m = collect(l, i);
        if (m.count > 1 && l->graph->layers[i].kind != TRIB_INPUT) l->merged[l->merged_count++] = m;
    }
    return trib_success();
}

const trib_merged *trib_merged_of(const trib_lowering *l, int layer)
{
    for (int i = 0; i < l->merged_count; ++i)
        for (int k = 0; k < l->merged[i].count; ++k)
            if (l->merged[i].layers[k] == layer) return &l->merged[i];
    return NULL;
}

/* ---- their backward ---- */

int trib_merged_set_of(const trib_backward *b, const trib_plan_op *op)
{
    const trib_merged *m = op->desc.kind == TRIB_CONV2D ? trib_merged_of(b->l, op->layer) : NULL;
    return m ? (int)(m - b->l->merged) : -1;
}

/* All members' gradients in one buffer. */
static trib_status place_merged(trib_backward *b, int set, const trib_view *like)
{
    trib_lowering *l = b->l;
    const trib_merged *m = &l->merged[set];
    trib_view *view = &b->merged[set].view;
    if (view->buffer >= 0) return trib_success();
    *view = *like;
    view->c = view->c_offset = 0;
    for (int i = 0; i < m->count; ++i) view->c += l->graph->layers[m->layers[i]].c;
    view->c_total = trib_gradient_pitch(b, view);
    return trib_new_activation(
        l, trib_strings_format(l->strings, "%s+%d/gradient", l->graph->layers[m->layers[0]].name, m->count - 1), view);
}

/* The member's slice. */
trib_status trib_merged_slice(trib_backward *b, int set, const trib_plan_op *op, trib_view *out)
{
    const trib_merged *m = &b->l->merged[set];
    TRIB_TRY(place_merged(b, set, &op->desc.outputs[0]));
    *out = b->merged[set].view;
    for (int i = 0; m->layers[i] != op->layer; ++i) out->c_offset += b->l->graph->layers[m->layers[i]].c;
    out->c = op->desc.outputs[0].c;
    return trib_success();
}

trib_status trib_place_merged_slices(trib_backward *b, int forward)
{
    for (int i = 0; i < forward; ++i) {
        const trib_plan_op op = b->l->plan->ops[i];
        int set = trib_merged_set_of(b, &op);
        if (set < 0 || op.desc.relu) continue;
        trib_view slice;
        TRIB_TRY(trib_merged_slice(b, set, &op, &slice));
        b->gradients[op.desc.outputs[0].buffer].view = slice;
    }
    return trib_success();
}

/* The set as one convolution, on the branch of the input. */
static trib_status as_one(trib_backward *b, int set, const trib_plan_op *of, trib_plan_op *out)
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
    return trib_merged_view(l, &l->merged[set], false, &out->desc.inputs[1]);
}

trib_status trib_add_merged_backward(trib_backward *b, int set, const trib_plan_op *of)
{
    trib_plan_op one, op;
    const trib_view *dy = &b->merged[set].view;
    trib_view dw;
    TRIB_TRY(as_one(b, set, of, &one));
    TRIB_TRY(trib_merged_view(b->l, &b->l->merged[set], true, &dw));
    TRIB_TRY(trib_new_backward_op(b, &one, TRIB_CONV2D_BACKWARD_WEIGHT, "backward_weight", &op));
    trib_add_input_view(&op, one.desc.inputs[0]);
    trib_add_input_view(&op, *dy);
    trib_add_output_view(&op, dw);
    TRIB_TRY(trib_lowering_add_op(b->l, &op));
    return b->gradients[one.desc.inputs[0].buffer].needed ? trib_add_backward_data(b, &one, dy) : trib_success();
}

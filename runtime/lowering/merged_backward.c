/* SPDX-License-Identifier: Apache-2.0
 * Which 1x1 convolutions have merged backward ops: those that read the same input, as the branches of an Inception
 * module do. Their weights then lie one behind the other, and their gradients are slices of one buffer. */
#include "device/alignment.h"
#include "lowering/training.h"
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

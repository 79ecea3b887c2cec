/* SPDX-License-Identifier: Apache-2.0
 * From layers to ops: one op per layer, a buffer per output. A concatenation becomes one copy per input, on that
 * input's branch, and a join: a point where streams meet and nothing runs. An input in another form than the first
 * layers need (8-bit pixels, another element type, too few channels) gets an op that converts it. */
#include <string.h>

#include "graph/kinds.h"
#include "lowering/lowering.h"
#include "lowering/passes.h"
#include "lowering/training.h"
#include "tributary/internal/alloc.h"
#include "tributary/region_kernels.h"

static trib_view whole_view(const trib_lowering *l, const trib_layer *layer, trib_dtype dtype, trib_layout layout)
{
    return (trib_view) { .buffer = -1,
                         .dtype = dtype,
                         .layout = layout,
                         .n = l->options.batch,
                         .c = layer->c,
                         .h = layer->h,
                         .w = layer->w,
                         .c_total = layer->c };
}

/* ---- element types ---- */

static bool is_row(const trib_layer *layer) { return trib_kind_row_of(layer->kind)->rows; }

static bool reads(const trib_layer *layer, int id)
{
    for (int k = 0; k < layer->input_count; ++k)
        if (layer->inputs[k] == id) return true;
    return false;
}

/* Softmax. */
static bool passes_rows_on(const trib_layer *layer)
{
    return is_row(layer) && trib_kind_row_of(layer->kind)->gives == TRIB_GIVES_SAME;
}

/* Logits keep the float32 of their sums: rounded to fewer bits, classes would tie. */
static trib_dtype dtype_of(const trib_lowering *l, int id)
{
    const trib_graph *g = l->graph;
    const trib_layer *layer = &g->layers[id];
    trib_dtype dtype = trib_precision_dtype(l->options.precision);
    if (passes_rows_on(layer)) return l->views[layer->inputs[0]].dtype;
    if (trib_kind_row_of(layer->kind)->gives != TRIB_GIVES_SAME_OR_F32) return dtype;
    for (size_t i = 0; i < g->layer_count; ++i)
        if (reads(&g->layers[i], id) && !passes_rows_on(&g->layers[i])) return dtype;
    return TRIB_F32;
}

/* The first input is the image. */
static bool is_pixels(const trib_lowering *l, int input) { return l->options.normalise && input == 0; }
static bool is_regions(const trib_lowering *l, int input) { return l->options.regions && input == 0; }

static trib_view rows_of_regions(const trib_lowering *l)
{
    return (trib_view) { .dtype = TRIB_U8,
                         .layout = TRIB_NHWC,
                         .n = l->options.batch,
                         .c = TRIB_REGION_ROW_BYTES,
                         .h = 1,
                         .w = 1,
                         .c_total = TRIB_REGION_ROW_BYTES };
}

static trib_status add_input(trib_lowering *l, int id)
{
    const trib_layer *layer = &l->graph->layers[id];
    trib_view *view = &l->views[id];
    *view = is_regions(l, id) ? rows_of_regions(l)
                              : whole_view(l, layer, is_pixels(l, id) ? TRIB_U8 : TRIB_F32, l->options.input_layout);
    TRIB_TRY(trib_lowering_add_buffer(l, layer->name, TRIB_BUFFER_INPUT, trib_view_bytes(view), &view->buffer));
    l->plan->inputs[l->plan->input_count++] =
        (trib_plan_input) { .name = l->plan->buffers[view->buffer].name,
                            .buffer = view->buffer,
                            .shape = trib_shape_of(4, view->n, view->c, view->h, view->w),
                            .dtype = view->dtype,
                            .layout = view->layout };
    return trib_success();
}

/* Dropout, which is a layer of plans for training only, stands between rows or between images. */
static trib_layout layout_of(const trib_lowering *l, const trib_layer *layer)
{
    if (layer->kind == TRIB_DROPOUT) return l->views[layer->inputs[0]].layout;
    return is_row(layer) ? TRIB_NHWC : l->plan->layout;
}

/* Every layer's output gets a buffer of its own; elide_concat and choose_implementation may move it. Rows of a linear
 * layer are plain. */
static trib_status place_outputs(trib_lowering *l)
{
    const trib_graph *g = l->graph;
    for (size_t i = 0; i < g->layer_count; ++i) {
        const trib_layer *layer = &g->layers[i];
        trib_view *view = &l->views[i];
        if (layer->kind == TRIB_INPUT) {
            TRIB_TRY(add_input(l, (int)i));
            continue;
        }
        *view = whole_view(l, layer, dtype_of(l, (int)i), layout_of(l, layer));
        TRIB_TRY(
            trib_lowering_add_buffer(l, layer->name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(view), &view->buffer));
    }
    return trib_success();
}

/* ---- inputs ---- */

int trib_entry_channels(const trib_lowering *l, int input)
{
    const trib_graph *g = l->graph;
    int multiple = trib_device_get_info(l->device)->channel_multiple, c = g->layers[input].c;
    for (size_t i = 0; i < g->layer_count; ++i)
        if (reads(&g->layers[i], input) && !trib_kind_row_of(g->layers[i].kind)->ignores_zeros) return c;
    for (size_t i = 0; i < g->output_count; ++i)
        if (g->outputs[i].layer == input) return c;
    return multiple > 1 && !l->options.reference ? (c + multiple - 1) / multiple * multiple : c;
}

static void cut_regions(const trib_lowering *l, const trib_layer *layer, trib_plan_op *op)
{
    trib_cut_regions *a = &op->desc.attributes.regions;
    a->normalise = *l->options.normalise;
    a->h = layer->h;
    a->w = layer->w;
    op->flops =
        l->options.batch * trib_kind_row_of(TRIB_REGIONS)
                               ->operations(&op->desc.attributes, (trib_extent) { 0 }, (trib_extent) { 3, a->h, a->w });
}

/* The op that makes the layers' form of an input, `to`, of the caller's. */
static trib_status add_conversion(trib_lowering *l, int id, trib_view from, trib_view to)
{
    const trib_layer *layer = &l->graph->layers[id];
    const char *does = is_regions(l, id) ? "regions" : is_pixels(l, id) ? "normalise" : "convert";
    trib_plan_op op;
    TRIB_TRY(trib_lowering_new_op(l, id, trib_strings_format(l->strings, "%s/%s", layer->name, does), &op));
    TRIB_TRY(trib_lowering_add_buffer(l, op.name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(&to), &to.buffer));
    op.desc.kind = is_regions(l, id) ? TRIB_REGIONS : is_pixels(l, id) ? TRIB_PREPROCESS : TRIB_REORDER;
    if (is_regions(l, id))
        cut_regions(l, layer, &op);
    else if (is_pixels(l, id))
        op.desc.attributes.preprocess = *l->options.normalise;
    op.desc.input_count = op.desc.output_count = 1;
    op.desc.inputs[0] = from;
    op.desc.outputs[0] = to;
    l->views[id] = to;
    return trib_lowering_add_op(l, &op);
}

/* Converts the caller's input to the layers' form, if they differ. */
static trib_status add_entry(trib_lowering *l, int id)
{
    trib_view from = l->views[id];
    trib_view to = whole_view(l, &l->graph->layers[id], trib_precision_dtype(l->options.precision), l->plan->layout);
    int given = to.c;
    to.c = to.c_total = trib_entry_channels(l, id);
    if (!is_regions(l, id) && to.c == from.c && to.dtype == from.dtype) return trib_success();
    /* as the caller's own pixels would be */
    if (is_regions(l, id) && to.c == given && to.dtype == TRIB_F32) to.layout = l->options.input_layout;
    return add_conversion(l, id, from, to);
}

/* The copy of one input into its slice, on the input's branch. */
static trib_status add_copy(trib_lowering *l, int concat, int input, trib_view slice)
{
    const trib_layer *from = &l->graph->layers[input];
    const char *name = trib_strings_format(l->strings, "%s/copy_of:%s", l->graph->layers[concat].name, from->name);
    trib_plan_op op;
    TRIB_TRY(trib_lowering_new_op(l, concat, name, &op));
    op.fork = from->fork;
    op.branch = from->branch;
    op.desc.input_count = op.desc.output_count = 1;
    op.desc.inputs[0] = l->views[input];
    op.desc.outputs[0] = slice;
    return trib_lowering_add_op(l, &op);
}

static trib_status add_join(trib_lowering *l, int concat)
{
    const trib_layer *layer = &l->graph->layers[concat];
    trib_view slice = l->views[concat];
    int first = l->views[concat].c_offset;
    trib_plan_op join;
    TRIB_TRY(trib_lowering_new_op(l, concat, trib_strings_add(l->strings, layer->name), &join));
    join.desc.output_count = 1;
    join.desc.outputs[0] = l->views[concat];
    join.desc.input_count = layer->input_count;
    for (int k = 0; k < layer->input_count; ++k) {
        slice.c_offset = first;
        slice.c = l->graph->layers[layer->inputs[k]].c;
        first += slice.c;
        join.desc.inputs[k] = slice;
        bool elided = l->views[layer->inputs[k]].buffer == slice.buffer;
        if (!elided) TRIB_TRY(add_copy(l, concat, layer->inputs[k], slice));
    }
    return trib_lowering_add_op(l, &join);
}

static trib_status add_layer_op(trib_lowering *l, int id)
{
    const trib_layer *layer = &l->graph->layers[id];
    trib_plan_op op;
    TRIB_TRY(trib_lowering_new_op(l, id, trib_strings_add(l->strings, layer->name), &op));
    op.desc.input_count = layer->input_count;
    for (int k = 0; k < layer->input_count; ++k) op.desc.inputs[k] = l->views[layer->inputs[k]];
    op.desc.output_count = 1;
    op.desc.outputs[0] = l->views[id];
    op.desc.precision = l->options.precision;
    memcpy(op.parts[0].parameters, layer->parameters, sizeof op.parts[0].parameters);
    bool alone = trib_kind_row_of(layer->kind)->scales_and_shifts; /* batch norm that was not folded */
    op.parts[0].bn_eps = alone ? layer->attributes.batch_norm.eps : l->folded[id].bn_eps;
    op.desc.has_bias = layer->parameters[TRIB_BIAS] >= 0 || layer->parameters[TRIB_BN_MEAN] >= 0;
    op.flops = trib_layer_flops(l->graph, id) * l->options.batch;
    TRIB_TRY(trib_lowering_add_op(l, &op));
    return layer->kind == TRIB_INPUT ? add_entry(l, id) : trib_success();
}

static trib_status add_output_buffer(trib_lowering *l, const char *name, trib_view *view, int rank, int index)
{
    TRIB_TRY(trib_lowering_add_buffer(l, name, TRIB_BUFFER_OUTPUT, trib_view_bytes(view), &view->buffer));
    const char *kept = trib_strings_add(l->strings, name);
    if (!kept) return trib_plan_no_memory();
    l->plan->outputs[index] = (trib_plan_output) { .name = kept,
                                                   .buffer = view->buffer,
                                                   .shape = trib_shape_of(rank, view->n, view->c, view->h, view->w),
                                                   .dtype = view->dtype };
    return trib_success();
}

/* A network output: rows are written in place, activations are reordered to dense N,C,H,W. */
static trib_status add_output(trib_lowering *l, size_t index)
{
    const trib_output *output = &l->graph->outputs[index];
    const trib_layer *layer = &l->graph->layers[output->layer];
    trib_view target = whole_view(l, layer, TRIB_F32, TRIB_NCHW);
    TRIB_TRY(add_output_buffer(l, output->name, &target, is_row(layer) ? 2 : 4, (int)index));
    const char *name = trib_strings_format(l->strings, "%s/to_output", layer->name);
    trib_plan_op op;
    TRIB_TRY(trib_lowering_new_op(l, output->layer, name, &op));
    op.desc.kind = TRIB_REORDER;
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.desc.relu = false;
    op.desc.input_count = op.desc.output_count = 1;
    op.desc.inputs[0] = l->views[output->layer];
    op.desc.outputs[0] = target;
    return trib_lowering_add_op(l, &op);
}

/* Instead of the rows: the most likely classes of each. */
static trib_status add_top_k(trib_lowering *l)
{
    int id = l->graph->outputs[0].layer;
    const trib_layer *layer = &l->graph->layers[id];
    trib_plan_op op;
    TRIB_TRY(trib_lowering_new_op(l, id, trib_strings_format(l->strings, "%s/top_k", layer->name), &op));
    op.desc.kind = TRIB_TOP_K;
    memset(&op.desc.attributes, 0, sizeof op.desc.attributes);
    op.desc.attributes.top_k.k = l->options.top_k;
    op.desc.relu = false;
    op.desc.input_count = 1;
    op.desc.inputs[0] = l->views[id];
    op.desc.output_count = 2;
    trib_view rows = whole_view(l, layer, TRIB_F32, TRIB_NHWC);
    rows.c = rows.c_total = l->options.top_k;
    op.desc.outputs[0] = op.desc.outputs[1] = rows;
    op.desc.outputs[1].dtype = TRIB_I32;
    TRIB_TRY(add_output_buffer(l, "top_k/probabilities", &op.desc.outputs[0], 2, 0));
    TRIB_TRY(add_output_buffer(l, "top_k/indices", &op.desc.outputs[1], 2, 1));
    return trib_lowering_add_op(l, &op);
}

trib_status trib_lower_graph(trib_lowering *l)
{
    const trib_graph *g = l->graph;
    trib_plan *p = l->plan;
    size_t outputs = l->options.top_k ? 2 : g->output_count;
    bool training = l->options.training;
    l->views = trib_alloc_zeroed(g->layer_count, sizeof *l->views);
    p->inputs = trib_alloc_zeroed(g->layer_count + 2, sizeof *p->inputs); /* training adds two */
    p->outputs = trib_alloc_zeroed(2 * outputs, sizeof *p->outputs);      /* and a loss for each */
    if (!l->views || !p->inputs || !p->outputs) return trib_plan_no_memory();
    p->output_count = (int)outputs;
    TRIB_TRY(place_outputs(l));
    TRIB_TRY(trib_run_passes(l, TRIB_PASSES_ON_VIEWS));
    if (training) TRIB_TRY(trib_place_training(l));
    if (training) TRIB_TRY(trib_add_scaled_controls(l));
    if (training) TRIB_TRY(trib_add_weight_copies(l));
    for (size_t i = 0; i < g->layer_count; ++i) {
        if (g->layers[i].kind == TRIB_CONCAT)
            TRIB_TRY(add_join(l, (int)i));
        else if (training && g->layers[i].kind != TRIB_INPUT)
            TRIB_TRY(trib_add_training_ops(l, (int)i));
        else
            TRIB_TRY(add_layer_op(l, (int)i));
        for (size_t k = 0; k < g->output_count; ++k)
            if (g->outputs[k].layer == (int)i) TRIB_TRY(l->options.top_k ? add_top_k(l) : add_output(l, k));
    }
    return trib_success();
}

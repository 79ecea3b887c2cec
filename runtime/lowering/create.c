/* SPDX-License-Identifier: Apache-2.0
 * Making a plan: passes on the graph, lowering, passes on ops, and the finished data. */
#include <stdint.h>
#include <string.h>

#include "lowering/lowering.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

enum { MAX_BATCH = 1 << 20, MAX_OPS = 4096 };

/* ---- wanted outputs ---- */

static trib_status find_output(const trib_graph *g, const char *name, trib_output *out)
{
    for (size_t i = 0; i < g->output_count; ++i)
        if (!strcmp(g->outputs[i].name, name)) {
            *out = g->outputs[i];
            return trib_success();
        }
    int layer = trib_graph_find_layer(g, name);
    if (layer < 0)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s has no output or layer called '%s'; its first output is '%s'", g->name,
                          name, g->outputs[0].name);
    *out = (trib_output) { g->layers[layer].name, layer };
    return trib_success();
}

/* From here on the graph's outputs are exactly the wanted ones. */
static trib_status want_outputs(trib_graph *g, const trib_plan_options *o)
{
    if (!o->outputs || !o->output_count) {
        g->output_count = 1;
        return trib_success();
    }
    trib_output *wanted = trib_alloc_zeroed((size_t)o->output_count, sizeof *wanted);
    if (!wanted) return trib_plan_no_memory();
    for (int i = 0; i < o->output_count; ++i) {
        trib_status s = find_output(g, o->outputs[i], &wanted[i]);
        if (trib_failed(&s)) {
            trib_free(wanted);
            return s;
        }
    }
    trib_free(g->outputs);
    g->outputs = wanted;
    g->output_count = g->output_capacity = (size_t)o->output_count;
    return trib_success();
}

/* ---- layout of activations ---- */

/* Slices of a joined output must begin at a block's first channel. */
static bool joins_fit(const trib_graph *g, trib_layout layout)
{
    int block = trib_layout_block(layout);
    for (size_t i = 0; i < g->layer_count; ++i) {
        const trib_layer *l = &g->layers[i];
        for (int k = 0; l->kind == TRIB_CONCAT && k + 1 < l->input_count; ++k)
            if (g->layers[l->inputs[k]].c % block) return false;
    }
    return true;
}

/* The layouts to try, best first; more than one only when they are to be measured. */
static trib_status candidate_layouts(const trib_graph *g, const trib_device *device, const trib_plan_options *o,
                                     trib_layout *list, int *count)
{
    const trib_device_info *info = trib_device_get_info(device);
    *count = 0;
    if (o->reference && (o->layout == TRIB_LAYOUT_AUTO || o->layout == TRIB_NHWC)) {
        list[(*count)++] = TRIB_NHWC; /* what the references are written for */
        return trib_success();
    }
    for (int i = 0; i < info->layout_count; ++i)
        if ((o->layout == TRIB_LAYOUT_AUTO || o->layout == (int)info->layouts[i]) && joins_fit(g, info->layouts[i]))
            list[(*count)++] = info->layouts[i];
    if (*count == 0)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "layout %s is not possible for %s on %s%s",
                          trib_layout_name((trib_layout)o->layout), g->name, info->spec,
                          o->reference ? ": the reference needs nhwc"
                                       : ": not the device's, or branch widths are not multiples of its block");
    if (!o->measure) *count = 1;
    return trib_success();
}

/* ---- putting it together ---- */

static trib_status check_abilities(const trib_device_info *info, const trib_plan_options *o)
{
    if ((unsigned)o->precision >= TRIB_PRECISION_COUNT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "precision %d does not exist", (int)o->precision);
    if (!(info->precisions >> o->precision & 1u))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s does not compute in %s; use fp32", info->spec,
                          trib_precision_name(o->precision));
    if (o->reference && !info->host)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s has no reference: plain C runs on the cpu device only",
                          info->spec);
    if (o->normalise && (!info->normalises || o->input_layout != TRIB_NHWC))
        return TRIB_ERROR(TRIB_UNSUPPORTED, "8-bit pixels: device %s takes %s", info->spec,
                          info->normalises ? "them in nhwc only" : "float32 only");
    if (o->top_k < 0 || (o->top_k > 0 && o->output_count > 1))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the %d likeliest classes of %d outputs; one output is possible",
                          o->top_k, o->output_count);
    return trib_success();
}

static trib_status check_options(const trib_graph *g, trib_device *device, const trib_plan_options *o)
{
    if (!g || !device) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a plan needs a graph and a device");
    if (o->batch < 1 || o->batch > MAX_BATCH)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "batch size %d is not in 1..%d", o->batch, MAX_BATCH);
    if ((unsigned)o->schedule >= TRIB_SCHEDULE_COUNT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "schedule %d does not exist", (int)o->schedule);
    TRIB_TRY(trib_check_disabled_passes(o->disabled_passes));
    TRIB_TRY(check_abilities(trib_device_get_info(device), o));
    if (o->input_layout != TRIB_NCHW && o->input_layout != TRIB_NHWC)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the input's layout must be nchw or nhwc");
    if (o->output_count < 0 || o->output_count > TRIB_MAX_PLAN_OUTPUTS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d outputs; at most %d can be returned", o->output_count,
                          TRIB_MAX_PLAN_OUTPUTS);
    if (g->layer_count == 0 || g->layer_count > MAX_OPS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a graph of %zu layers; 1 to %d are possible", g->layer_count,
                          MAX_OPS);
    return trib_success();
}

/* Buffers that a pass made needless go; indices close up. */
static void drop_empty_buffers(trib_lowering *l, int *renumber)
{
    size_t kept = 0;
    for (size_t b = 0; b < l->buffer_count; ++b) {
        renumber[b] = l->buffers[b].bytes > 0 ? (int)kept : -1;
        if (l->buffers[b].bytes > 0) l->buffers[kept++] = l->buffers[b];
    }
    l->buffer_count = kept;
    for (size_t i = 0; i < l->op_count; ++i) {
        trib_plan_op *op = &l->ops[i];
        for (int k = 0; k < op->desc.input_count; ++k) op->desc.inputs[k].buffer = renumber[op->desc.inputs[k].buffer];
        for (int k = 0; k < op->desc.output_count; ++k)
            op->desc.outputs[k].buffer = renumber[op->desc.outputs[k].buffer];
        if (op->workspace >= 0) op->workspace = renumber[op->workspace];
    }
    for (size_t i = 0; i < l->output_count; ++i) l->outputs[i].buffer = renumber[l->outputs[i].buffer];
    l->input_buffer = renumber[l->input_buffer];
}

/* Moves the lowering's lists into a plan. */
static trib_status finish(trib_lowering *l, trib_plan **out)
{
    trib_plan *p = trib_alloc_zeroed(1, sizeof *p);
    trib_strings *strings = trib_alloc_zeroed(1, sizeof *strings);
    int *renumber = trib_alloc_zeroed(l->buffer_count, sizeof *renumber);
    const char *graph_name = trib_strings_add(l->strings, l->graph->name);
    const char *spec = trib_strings_add(l->strings, trib_device_get_info(l->device)->spec);
    bool ok = p && strings && renumber && graph_name && spec;
    for (size_t i = 0; ok && i < l->op_count; ++i) /* layer names belong to the graph */
        ok = (l->ops[i].name = trib_strings_add(l->strings, l->ops[i].name)) != NULL;
    if (!ok) {
        trib_free(p);
        trib_free(strings);
        trib_free(renumber);
        return trib_plan_no_memory();
    }
    drop_empty_buffers(l, renumber);
    trib_free(renumber);
    *strings = *l->strings;
    *l->strings = (trib_strings) { 0 };
    const trib_layer *in = &l->graph->layers[0];
    const trib_device_info *info = trib_device_get_info(l->device);
    *p = (trib_plan) {
        .graph_name = graph_name,
        .device_spec = spec,
        .batch = l->options.batch,
        .schedule = l->options.schedule,
        .precision = l->options.precision,
        .input_dtype = l->options.normalise ? TRIB_U8 : TRIB_F32,
        .copy_rate = info->copy_rate,
        .math_rate = info->math_rate[l->options.precision],
        .rates_source = info->rates_source,
        .layout = l->layout,
        .input_layout = l->options.input_layout,
        .threads = l->options.threads,
        .disabled_passes = l->options.disabled_passes,
        .op_count = (int)l->op_count,
        .buffer_count = (int)l->buffer_count,
        .output_count = (int)l->output_count,
        .stream_count = l->stream_count,
        .event_count = l->event_count,
        .ops = l->ops,
        .buffers = l->buffers,
        .outputs = l->outputs,
        .input_buffer = l->input_buffer,
        .input_shape = trib_shape_of(4, l->options.batch, in->c, in->h, in->w),
        .arena_bytes = l->arena_bytes,
        .activation_bytes = l->activation_bytes,
        .note_count = (int)l->note_count,
        .notes = l->notes,
        .storage = strings,
    };
    l->ops = NULL;
    l->buffers = NULL;
    l->outputs = NULL;
    l->notes = NULL;
    *out = p;
    return trib_success();
}

static trib_status create_with_layout(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                                      trib_layout layout, trib_plan **out, int64_t *measured_ns)
{
    trib_strings strings = { 0 };
    trib_graph *g = NULL;
    trib_lowering l = { .device = device, .options = *options, .layout = layout, .strings = &strings };
    trib_status status;
    TRIB_TRY_GOTO(status, done, trib_graph_clone(graph, &g));
    l.graph = g;
    TRIB_TRY_GOTO(status, done, want_outputs(g, options));
    TRIB_TRY_GOTO(status, done, trib_run_passes(&l, TRIB_PASSES_ON_GRAPH));
    TRIB_TRY_GOTO(status, done, trib_lower_graph(&l));
    TRIB_TRY_GOTO(status, done, trib_run_passes(&l, TRIB_PASSES_ON_OPS));
    *measured_ns = l.measured_ns;
    status = finish(&l, out);
done:
    trib_lowering_release(&l);
    trib_strings_release(&strings);
    trib_graph_destroy(g);
    return status;
}

static trib_status create_best(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                               trib_plan **out)
{
    trib_layout layouts[TRIB_LAYOUT_COUNT];
    int count = 0;
    int64_t best_ns = INT64_MAX, ns = 0;
    trib_plan *best = NULL, *plan = NULL;
    TRIB_TRY(check_options(graph, device, options));
    TRIB_TRY(candidate_layouts(graph, device, options, layouts, &count));
    for (int i = 0; i < count; ++i) {
        trib_status status = create_with_layout(graph, device, options, layouts[i], &plan, &ns);
        if (trib_failed(&status)) {
            trib_plan_destroy(best);
            return status;
        }
        trib_plan *worse = ns < best_ns ? best : plan;
        if (ns < best_ns) {
            best = plan;
            best_ns = ns;
        }
        trib_plan_destroy(worse);
    }
    *out = best;
    return trib_success();
}

trib_status trib_plan_create(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                             trib_plan **out)
{
    trib_plan_options o = options ? *options : trib_plan_default_options();
    trib_plan *plan = NULL;
    if (o.batch == 0) o.batch = 1;
    if (o.threads == 0 && device && trib_device_get_info(device)->host) o.threads = trib_device_get_info(device)->cores;
    trib_status status = create_best(graph, device, &o, &plan);
    /* Every plan, in every build: it costs 0.05 ms, and a race would cost somebody a week. */
    if (!trib_failed(&status)) status = trib_plan_check_stream_order(plan);
    if (trib_failed(&status)) {
        trib_add_context(&status, "planning %s", graph ? graph->name : "nothing");
        trib_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Layouts and implementations. For each op the device is asked what it offers for the layouts at hand; where it has
 * nothing, other source layouts are tried with a reorder in front, and then a slice is given up for a buffer and a
 * copy. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lowering/measure.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

enum { MAX_CANDIDATES = 16 };

typedef struct candidates {
    trib_implementation list[MAX_CANDIDATES];
    int count;
    char reason[TRIB_MESSAGE_SIZE];
} candidates;

static trib_status ask(trib_lowering *l, const trib_op_desc *desc, candidates *c)
{
    c->reason[0] = '\0';
    return trib_op_implementations(l->device, desc, l->options.reference, c->list, MAX_CANDIDATES, &c->count,
                                   c->reason);
}

static int find(const candidates *c, const char *name)
{
    for (int i = 0; name && i < c->count; ++i)
        if (!strcmp(c->list[i].name, name)) return i;
    return -1;
}

typedef struct decision {
    int best, fastest; /* of the candidates */
    trib_measurement measured[MAX_CANDIDATES];
    const char *how; /* "ranked", "remembered", "measured" */
} decision;

/* What was measured once, on this kind of card, is not measured again. */
static trib_status pick(trib_lowering *l, const trib_plan_op *op, const candidates *c, decision *d)
{
    const char *remembered = NULL;
    int64_t time = 0;
    *d = (decision) { .how = "ranked" };
    if (l->options.reference) {
        int reference = find(c, "reference");
        if (reference >= 0) d->best = d->fastest = reference;
        return trib_success();
    }
    TRIB_TRY(trib_op_recall(l->device, &op->desc, &remembered, &time));
    int known = find(c, remembered);
    if (known >= 0) {
        d->best = d->fastest = known;
        d->measured[known].ns = time;
        d->how = "remembered";
        return trib_success();
    }
    if (!l->options.measure) return trib_success();
    d->how = "measured";
    TRIB_TRY(trib_measure_candidates(l->device, op, c->list, c->count, d->measured));
    d->best = trib_measure_choose(c->list, d->measured, c->count, &d->fastest);
    return trib_op_remember(l->device, &op->desc, c->list[d->best].name, d->measured[d->best].ns);
}

enum { RIVALS_NAMED = 3 }; /* unmeasured candidates are listed by name only, and not all of them */

/* A text that is cut where it ends. */
typedef struct line {
    char text[1024];
    size_t used;
} line;

TRIB_PRINTF(2, 3)
static void say(line *l, const char *format, ...)
{
    va_list arguments;
    if (l->used >= sizeof l->text) return;
    va_start(arguments, format);
    int more = vsnprintf(l->text + l->used, sizeof l->text - l->used, format, arguments);
    va_end(arguments);
    if (more > 0) l->used += (size_t)more;
}

static void say_candidate(line *l, const candidates *c, const decision *d, int i)
{
    const trib_measurement *m = &d->measured[i];
    say(l, "%s", c->list[i].name);
    if (m->ns) say(l, " %.4f ms", (double)m->ns * 1e-6);
    if (m->noise) say(l, " +-%.4f", (double)m->noise * 0.5e-6);
}

/* The one that is taken, its note, and what else there was. */
static void say_why(const candidates *c, const decision *d, line *l)
{
    const char *note = c->list[d->best].note;
    int named = 0, unnamed = 0;
    say_candidate(l, c, d, d->best);
    if (note) say(l, " (%s)", note);
    if (d->best != d->fastest)
        say(l, " (as fast as the fastest within noise, and %lld bytes of workspace instead of %lld)",
            (long long)c->list[d->best].workspace_bytes, (long long)c->list[d->fastest].workspace_bytes);
    for (int i = 0; i < c->count; ++i) {
        if (i == d->best) continue;
        if (!d->measured[i].ns && named >= RIVALS_NAMED) {
            ++unnamed;
            continue;
        }
        say(l, "%s", named++ ? ", " : "; not ");
        say_candidate(l, c, d, i);
    }
    if (unnamed) say(l, " and %d more", unnamed);
}

/* Rank, remember or measure, and say why. */
static trib_status decide(trib_lowering *l, trib_plan_op *op, const candidates *c)
{
    decision d;
    line why = { .used = 0 };
    TRIB_TRY(pick(l, op, c, &d));
    say_why(c, &d, &why);
    const trib_implementation *best = &c->list[d.best];
    op->implementation = trib_strings_add(l->strings, best->name);
    op->reason = trib_strings_format(l->strings, "%s: %s", d.how, why.text);
    if (!op->implementation || !op->reason) return trib_plan_no_memory();
    l->measured_ns += d.measured[d.best].ns;
    if (best->workspace_bytes > 0)
        TRIB_TRY(trib_lowering_add_buffer(l, op->name, TRIB_BUFFER_WORKSPACE, best->workspace_bytes, &op->workspace));
    return trib_success();
}

static trib_status nothing_fits(const trib_lowering *l, const trib_plan_op *op, const char *reason)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "layer %s: device %s has no implementation of %s in layout %s: %s", op->name,
                      trib_device_get_info(l->device)->spec, trib_kind_name(op->desc.kind),
                      trib_layout_name(op->desc.outputs[0].layout), reason);
}

/* Puts a reorder of op's first input to `layout` in front of it. */
static trib_status add_reorder(trib_lowering *l, trib_plan_op *op, trib_layout layout)
{
    trib_plan_op reorder = *op;
    memset(&reorder.desc, 0, sizeof reorder.desc);
    trib_view from = op->desc.inputs[0], to = from;
    to.layout = layout;
    to.c_offset = 0;
    to.c_total = from.c;
    reorder.name = trib_strings_format(l->strings, "%s/to_%s", op->name, trib_layout_name(layout));
    if (!reorder.name) return trib_plan_no_memory();
    TRIB_TRY(trib_lowering_add_buffer(l, reorder.name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(&to), &to.buffer));
    reorder.part_count = 1;
    reorder.parts[0] = trib_no_parameters();
    reorder.flops = 0;
    reorder.desc.kind = TRIB_REORDER;
    reorder.desc.input_count = reorder.desc.output_count = 1;
    reorder.desc.inputs[0] = from;
    reorder.desc.outputs[0] = to;
    reorder.desc.threads = op->desc.threads;
    op->desc.inputs[0] = to;
    candidates c;
    TRIB_TRY(ask(l, &reorder.desc, &c));
    if (!c.count) return nothing_fits(l, &reorder, c.reason);
    TRIB_TRY(decide(l, &reorder, &c));
    return trib_lowering_add_op(l, &reorder);
}

/* A layout for which the device has something when the source is dense, or `c->count` == 0. */
static trib_status try_source_layouts(trib_lowering *l, const trib_plan_op *op, candidates *c, trib_layout *found)
{
    static const trib_layout others[] = { TRIB_NCHW, TRIB_NHWC, TRIB_NCHW16C, TRIB_NCHW8C };
    const trib_view *source = &op->desc.inputs[0];
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        if (op->desc.input_count != 1 || (others[i] == source->layout && source->c == source->c_total)) continue;
        trib_op_desc other = op->desc;
        other.inputs[0].layout = others[i];
        other.inputs[0].c_offset = 0;
        other.inputs[0].c_total = other.inputs[0].c;
        char first_reason[TRIB_MESSAGE_SIZE];
        memcpy(first_reason, c->reason, sizeof first_reason);
        TRIB_TRY(ask(l, &other, c));
        *found = others[i];
        if (c->count) return trib_success();
        memcpy(c->reason, first_reason, sizeof first_reason);
    }
    return trib_success();
}

/* Gives op's output a buffer of its own; *copy then brings it to the slice. */
static trib_status give_up_slice(trib_lowering *l, trib_plan_op *op, trib_plan_op *copy)
{
    trib_view slice = op->desc.outputs[0], own = slice;
    own.c_offset = 0;
    own.c_total = own.c;
    TRIB_TRY(trib_lowering_add_buffer(l, op->name, TRIB_BUFFER_ACTIVATION, trib_view_bytes(&own), &own.buffer));
    *copy = trib_new_op(&l->graph->layers[op->layer], op->layer);
    copy->name = trib_strings_format(l->strings, "%s/copy_to_slice", op->name);
    if (!copy->name) return trib_plan_no_memory();
    copy->desc.kind = TRIB_CONCAT;
    memset(&copy->desc.attributes, 0, sizeof copy->desc.attributes);
    copy->desc.relu = false;
    copy->desc.input_count = copy->desc.output_count = 1;
    copy->desc.inputs[0] = own;
    copy->desc.outputs[0] = slice;
    copy->desc.threads = op->desc.threads;
    op->desc.outputs[0] = own;
    return trib_success();
}

static trib_status choose(trib_lowering *l, trib_plan_op *op, int *slices_given_up)
{
    candidates c;
    trib_layout source = op->desc.inputs[0].layout;
    TRIB_TRY(ask(l, &op->desc, &c));
    bool as_it_is = c.count > 0;
    if (!as_it_is) TRIB_TRY(try_source_layouts(l, op, &c, &source));
    if (c.count) {
        if (!as_it_is) TRIB_TRY(add_reorder(l, op, source));
        TRIB_TRY(decide(l, op, &c));
        return trib_lowering_add_op(l, op);
    }
    const trib_view *out = &op->desc.outputs[0];
    if (out->c == out->c_total || op->desc.output_count > 1 || op->desc.kind == TRIB_CONCAT)
        return nothing_fits(l, op, c.reason);
    trib_plan_op copy;
    TRIB_TRY(give_up_slice(l, op, &copy));
    ++*slices_given_up;
    TRIB_TRY(choose(l, op, slices_given_up));
    return choose(l, &copy, slices_given_up);
}

static int64_t view_traffic(const trib_view *v)
{
    return (int64_t)v->n * v->c * v->h * v->w * (int64_t)trib_dtype_size(v->dtype);
}

/* Weights are stored as what they are multiplied with, everything else as float32. */
static int64_t parameter_traffic(const trib_graph *g, const trib_plan_op *op, const trib_plan_part *part)
{
    int64_t bytes = 0, count;
    for (int role = 0; role <= TRIB_BIAS; ++role) {
        if (part->parameters[role] == TRIB_NO_PARAMETER) continue;
        trib_status s = trib_shape_count(&g->parameters[part->parameters[role]].shape, &count);
        trib_dtype dtype = role == TRIB_WEIGHT ? op->desc.inputs[0].dtype : TRIB_F32;
        if (!trib_failed(&s)) bytes += count * (int64_t)trib_dtype_size(dtype);
    }
    return bytes;
}

/* What an op must read and write at least, parameters included. */
static int64_t traffic(const trib_graph *g, const trib_plan_op *op)
{
    int64_t bytes = 0;
    for (int i = 0; i < op->desc.input_count; ++i) bytes += view_traffic(&op->desc.inputs[i]);
    for (int i = 0; i < op->desc.output_count; ++i) bytes += view_traffic(&op->desc.outputs[i]);
    for (int i = 0; i < op->part_count; ++i) bytes += parameter_traffic(g, op, &op->parts[i]);
    return bytes;
}

/* A row (N,C,1,1) lies the same in NCHW and NHWC, so its producer can write the caller's buffer itself. */
static bool can_write_output(const trib_lowering *l, const trib_plan_op *to_output)
{
    const trib_view *from = &to_output->desc.inputs[0], *to = &to_output->desc.outputs[0];
    if (to_output->desc.kind != TRIB_REORDER || l->buffers[to->buffer].kind != TRIB_BUFFER_OUTPUT) return false;
    if (from->h != 1 || from->w != 1 || trib_layout_block(from->layout) != 1 || from->c != from->c_total) return false;
    if (from->dtype != to->dtype) return false;
    const trib_plan_op *producer = l->op_count ? &l->ops[l->op_count - 1] : NULL;
    return producer && producer->implementation && producer->desc.outputs[0].buffer == from->buffer &&
           l->buffers[from->buffer].kind == TRIB_BUFFER_ACTIVATION;
}

/* The last op writes `to` instead of `from`, and later ops read it there. */
static void move_output(trib_lowering *l, int from, int to, trib_plan_op *later, size_t count)
{
    l->buffers[from].bytes = 0;
    l->ops[l->op_count - 1].desc.outputs[0].buffer = to;
    for (size_t i = 0; i < count; ++i)
        for (int k = 0; k < later[i].desc.input_count; ++k)
            if (later[i].desc.inputs[k].buffer == from) later[i].desc.inputs[k].buffer = to;
}

static bool runs_nothing(const trib_op_desc *d)
{
    return d->kind == TRIB_INPUT || (d->kind == TRIB_CONCAT && d->inputs[0].buffer == d->outputs[0].buffer);
}

/* cpu: branches that run at the same time share the cores; the trunk, and a serial plan, have all of them. */
static int share_of_cores(const trib_lowering *l, const trib_plan_op *op)
{
    int threads = l->options.threads;
    int branches = op->fork < 0 || l->options.schedule == TRIB_SERIAL ? 1 : l->graph->forks[op->fork].branch_count;
    return threads > branches ? threads / branches : 1; /* 0 (not a cpu) becomes 1 */
}

static trib_status choose_all(trib_lowering *l, trib_plan_op *todo, size_t count, int *slices_given_up)
{
    for (size_t i = 0; i < count; ++i) {
        trib_plan_op *op = &todo[i];
        op->desc.threads = share_of_cores(l, op);
        if (can_write_output(l, op))
            move_output(l, op->desc.inputs[0].buffer, op->desc.outputs[0].buffer, op + 1, count - i - 1);
        else if (runs_nothing(&op->desc))
            TRIB_TRY(trib_lowering_add_op(l, op));
        else
            TRIB_TRY(choose(l, op, slices_given_up));
    }
    return trib_success();
}

trib_status trib_pass_choose_implementation(trib_lowering *l)
{
    trib_plan_op *todo = l->ops;
    size_t count = l->op_count;
    int slices_given_up = 0;
    l->ops = NULL;
    l->op_count = l->op_capacity = 0;
    trib_status status = choose_all(l, todo, count, &slices_given_up);
    trib_free(todo);
    TRIB_TRY(status);
    for (size_t i = 0; i < l->op_count; ++i)
        if (l->ops[i].implementation) l->ops[i].bytes = traffic(l->graph, &l->ops[i]);
    TRIB_TRY(trib_lowering_note(l, "choose_implementation: layout %s, %s; %d slices given up for a copy",
                                trib_layout_name(l->layout), l->options.measure ? "measured" : "ranked by the device",
                                slices_given_up));
    if (!l->options.measure) return trib_success();
    return trib_lowering_note(
        l,
        "choose_implementation: a time is the median of %d, each of up to %d runs behind each "
        "other; +- is the middle half of them; of candidates within that, and 2 %%, of the fastest "
        "the one with the smallest workspace is taken",
        TRIB_MEASURE_REPEATS, TRIB_MEASURE_RUNS);
}

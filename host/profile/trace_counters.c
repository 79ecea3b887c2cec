/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>

#include "profile/trace_private.h"
#include "tributary/internal/alloc.h"

/* A counter changes by `by` at `at`. */
typedef struct edge {
    int64_t at, by;
} edge;

typedef struct edges {
    edge *items;
    size_t count;
} edges;

static void add(edges *e, int64_t from, int64_t to, int64_t by)
{
    if (to <= from) return;
    e->items[e->count++] = (edge) { from, by };
    e->items[e->count++] = (edge) { to, -by };
}

static int by_time(const void *left, const void *right)
{
    const edge *a = left, *b = right;
    return (a->at > b->at) - (a->at < b->at);
}

/* A value wherever the sum changes; what happens at the same time is one change. */
static void write_counter(trace_writer *w, edges *e, const char *name, const char *unit)
{
    int64_t value = 0, shown = -1;
    if (e->count) qsort(e->items, e->count, sizeof *e->items, by_time);
    for (size_t i = 0; i < e->count && trib_writer_drain(w->file); ++i) {
        value += e->items[i].by;
        if (i + 1 < e->count && e->items[i + 1].at == e->items[i].at) continue;
        if (value == shown) continue;
        shown = value;
        trib_event_begin(w, 'C', 0, e->items[i].at);
        trib_event_string(w, "name", name);
        trib_text_format(&w->file->text, ",\"args\":{\"%s\":%" PRId64 "}", unit, value);
        trib_event_end(w);
        ++w->counts->counters;
    }
}

/* ---- streams busy ---- */

static void add_ops(edges *e, const trib_profile_graph *g, const trib_profile *p)
{
    for (int i = 0; i < g->op_count; ++i)
        if (trace_is_slice(g, p, i)) add(e, p->ops[i].from, p->ops[i].to, 1);
}

/* ---- memory ---- */

/* From when to when a buffer is used; to = 0: not at all. */
typedef struct use {
    int64_t from, to;
} use;

static void touch(use *uses, int buffer, const trib_profile_op_result *op)
{
    if (buffer < 0) return;
    use *u = &uses[buffer];
    if (!u->to || op->from < u->from) u->from = op->from;
    if (op->to > u->to) u->to = op->to;
}

static void touch_all(use *uses, const trib_plan_op *op, const trib_profile_op_result *result)
{
    for (int i = 0; i < op->desc.input_count; ++i) touch(uses, op->desc.inputs[i].buffer, result);
    for (int i = 0; i < op->desc.output_count; ++i) touch(uses, op->desc.outputs[i].buffer, result);
    touch(uses, op->workspace, result);
}

static void add_buffers(edges *e, const trib_trace_part *part, const trib_profile *p, use *uses)
{
    const trib_plan *plan = part->plan;
    for (int i = 0; i < plan->buffer_count; ++i) uses[i] = (use) { 0, 0 };
    for (int i = 0; i < plan->op_count; ++i)
        if (trace_is_slice(part->graph, p, i)) touch_all(uses, &plan->ops[i], &p->ops[i]);
    for (int i = 0; i < plan->buffer_count; ++i)
        if (trib_buffer_area(plan->buffers[i].kind) == TRIB_AREA_ARENA)
            add(e, uses[i].from, uses[i].to, plan->buffers[i].bytes);
}

/* ---- both ---- */

static void write_both(trace_writer *w, const trib_trace_part *part, int lane, edges *e, use *uses)
{
    for (int i = 0; i < part->run_count; ++i)
        if (part->runs[i].profile->lane == lane) add_ops(e, part->graph, part->runs[i].profile);
    write_counter(w, e, "streams", "busy");
    e->count = 0;
    for (int i = 0; i < part->run_count; ++i)
        if (part->runs[i].profile->lane == lane) add_buffers(e, part, part->runs[i].profile, uses);
    write_counter(w, e, "memory", "bytes");
}

trib_status trib_trace_write_counters(trace_writer *w, const trib_trace_part *part, int lane)
{
    const trib_plan *plan = part->plan;
    const size_t per_run = (size_t)(plan->op_count > plan->buffer_count ? plan->op_count : plan->buffer_count);
    edges e = { trib_alloc_zeroed(2 * per_run * (size_t)part->run_count + 1, sizeof(edge)), 0 };
    use *uses = trib_alloc_zeroed((size_t)plan->buffer_count + 1, sizeof *uses);
    trib_status s = trib_success();
    if (e.items && uses)
        write_both(w, part, lane, &e, uses);
    else
        s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for counters", w->file->path);
    trib_free(uses);
    trib_free(e.items);
    return s;
}

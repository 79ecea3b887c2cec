/* SPDX-License-Identifier: Apache-2.0
 * Arrows from what an op waited for on other streams. An op that runs nothing, such as a join, has no slice: arrows
 * pass through it, from what it waited for to what comes after it. */
#include "profile/trace_private.h"
#include "tributary/internal/alloc.h"

/* A search from one op backwards. */
typedef struct search {
    const trib_profile_graph *graph;
    const trib_profile *profile;
    const int *previous; /* of each op, on its stream; -1: none */
    int *seen;           /* by op: the last op for which it was reached, + 1 */
    int *stack;          /* ops to look at: at most one entry per op, as `seen` lets each in once */
    int depth;
} search;

static void push(search *s, int op, int consumer)
{
    if (op < 0 || s->seen[op] == consumer + 1) return;
    s->seen[op] = consumer + 1;
    s->stack[s->depth++] = op;
}

static void push_waits(search *s, int op, int consumer)
{
    for (int i = 0; i < s->graph->ops[op].wait_count; ++i) push(s, s->graph->ops[op].waits[i], consumer);
}

static void put_end(trace_writer *w, char phase, int track, int64_t at)
{
    trib_event_begin(w, phase, track, at);
    trib_text_format(&w->file->text, ",\"id\":%lld%s", (long long)w->flows, phase == 'f' ? ",\"bp\":\"e\"" : "");
    trib_event_string(w, "name", "waits for");
    trib_event_string(w, "cat", "wait");
    trib_event_end(w);
}

/* From the last nanosecond of `from` to the first of `to`, whose times may disagree by what clocks are wrong. */
static void write_flow(trace_writer *w, const search *s, int from, int to)
{
    const trib_profile_op_result *producer = &s->profile->ops[from], *consumer = &s->profile->ops[to];
    int64_t at = producer->to - 1;
    if (at >= consumer->from) at = consumer->from - 1;
    if (at < producer->from) {
        ++w->counts->left_out;
        return;
    }
    ++w->flows;
    put_end(w, 's', TRACE_STREAMS + s->graph->ops[from].stream, at);
    put_end(w, 'f', TRACE_STREAMS + s->graph->ops[to].stream, consumer->from);
    ++w->counts->flows;
}

static void write_flows_to(trace_writer *w, search *s, int op)
{
    const int own = s->graph->ops[op].stream;
    push_waits(s, op, op);
    push(s, s->previous[op], op);
    while (s->depth) {
        const int from = s->stack[--s->depth];
        if (trace_is_slice(s->graph, s->profile, from)) {
            if (s->graph->ops[from].stream != own) write_flow(w, s, from, op);
            continue;
        }
        push_waits(s, from, op);
        push(s, s->previous[from], op);
    }
}

static void find_previous(const trib_profile_graph *g, int *last, int *previous)
{
    for (int i = 0; i < g->stream_count; ++i) last[i] = -1;
    for (int i = 0; i < g->op_count; ++i) {
        previous[i] = last[g->ops[i].stream];
        last[g->ops[i].stream] = i;
    }
}

trib_status trib_trace_write_flows(trace_writer *w, const trib_trace_part *part, const trib_profile *p)
{
    const trib_profile_graph *g = part->graph;
    const size_t n = (size_t)g->op_count;
    int *all = trib_alloc_zeroed(3 * n + (size_t)g->stream_count + 1, sizeof *all);
    if (!all) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory for the arrows of %d ops", w->file->path, (int)n);
    find_previous(g, all + 3 * n, all);
    search s = { .graph = g, .profile = p, .previous = all, .seen = all + n, .stack = all + 2 * n };
    for (int i = 0; i < g->op_count && trib_writer_drain(w->file); ++i)
        if (trace_is_slice(g, p, i)) write_flows_to(w, &s, i);
    trib_free(all);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Why streams did nothing: every moment of a window in which a stream was not busy has one cause. */
#include "profile/analysis.h"
#include "profile/blocks.h"

/* What is being told apart: one window, one stream at a time. */
typedef struct teller {
    trib_analysis *a;
    int window, stream;
    int blamed; /* for imbalance: the op that ended last */
    trib_profile_idle *pieces;
    int count;
} teller;

static void tell(teller *t, trib_idle_cause cause, int64_t from, int64_t to, int next, int op)
{
    if (to <= from) return;
    trib_profile_window *window = &t->a->windows[t->window];
    trib_profile_stream *stream = (trib_profile_stream *)&window->stream[t->stream];
    int branch = op < 0 ? -1 : trib_analysis_op(t->a, op)->branch;
    t->pieces[t->count++] = (trib_profile_idle) { from, to, cause, t->window, t->stream, next, op, branch };
    stream->idle[cause] += to - from;
    if (cause != TRIB_IDLE_NO_WORK) window->idle[cause] += to - from;
}

/* A point where streams meet stands for the op that came to it last. */
static int really(const trib_analysis *a, int op)
{
    while (op >= 0 && !trib_analysis_op(a, op)->runs && a->after[op] >= 0) op = a->after[op];
    return op;
}

/* Of what op i waits for on other streams, what ended last; -1: it waits for nothing. A point before it on its own
 * stream stands for what that waits for. */
static int waited_for(const trib_analysis *a, int i)
{
    const trib_profile_op *op = trib_analysis_op(a, i);
    int last = a->before[i];
    if (last >= 0 && trib_analysis_op(a, last)->runs) last = -1;
    for (int k = 0; k < op->wait_count; ++k) {
        const int other = op->waits[k];
        const int64_t difference = last < 0 ? 1 : a->ops[other].to - a->ops[last].to;
        if (difference > 0 || (difference == 0 && other < last)) last = other;
    }
    return last;
}

/* Whether op i is the first of its branch that has a share in the window. */
static bool is_first(const teller *t, int i)
{
    const trib_analysis *a = t->a;
    const trib_profile_op *op = trib_analysis_op(a, i);
    if (op->branch < 0) return false;
    for (int k = a->first_share[t->window]; k < a->first_share[t->window + 1]; ++k) {
        const trib_profile_op *other = trib_analysis_op(a, a->shares[k].op);
        if (other->runs && other->window == op->window && other->branch == op->branch) return a->shares[k].op == i;
    }
    return false;
}

/* [from, to) before op i: waits, then launch, latency, contention. */
static void split(teller *t, int i, int64_t from, int64_t to)
{
    const trib_analysis *a = t->a;
    const int wait = waited_for(a, i);
    const int64_t issued = a->run->times[i].issued;
    if (wait >= 0 && a->ops[wait].to > from) {
        const int64_t end = trib_earlier(a->ops[wait].to, to);
        tell(t, is_first(t, i) ? TRIB_IDLE_FORK : TRIB_IDLE_DEPENDENCY, from, end, i, really(a, wait));
        from = end;
    }
    if (issued && issued > from) {
        const int64_t end = trib_earlier(issued, to);
        tell(t, TRIB_IDLE_LAUNCH, from, end, i, -1);
        from = end;
    }
    /* It may have been ready before the window began. */
    const int64_t late = trib_earlier(to, trib_later(from, a->ops[i].ready + a->limits->start_latency));
    tell(t, TRIB_IDLE_LATENCY, from, late, i, -1);
    tell(t, TRIB_IDLE_CONTENTION, late, to, i, -1);
}

/* Of the branches of the window's module, or else of all, what ended last in the window. */
static int ended_last(const trib_analysis *a, int w)
{
    const trib_share *last = NULL;
    bool branches = false;
    for (int k = a->first_share[w]; k < a->first_share[w + 1]; ++k) {
        const trib_share *share = &a->shares[k];
        const trib_profile_op *op = trib_analysis_op(a, share->op);
        const bool own = op->window == w && op->branch >= 0;
        if (!op->runs || (branches && !own)) continue;
        if (!last || share->to > last->to || (own && !branches)) last = share;
        branches |= own;
    }
    return last ? last->op : -1;
}

/* `shares`: those of the stream that run, by time. */
static void tell_stream(teller *t, const int *shares, int count)
{
    const trib_profile_window *window = &t->a->windows[t->window];
    int64_t end = window->from;
    for (int k = 0; k < count; ++k) {
        const trib_share *share = &t->a->shares[shares[k]];
        if (share->from > end) split(t, share->op, end, share->from);
        end = share->to;
    }
    const bool none = !window->stream[t->stream].has_ops;
    tell(t, none ? TRIB_IDLE_NO_WORK : TRIB_IDLE_IMBALANCE, end, window->to, -1, none ? -1 : t->blamed);
}

/* Sorts the indices of a window's shares that run by stream, each stream's in their order: those of stream s are
 * sorted[first[s] .. first[s + 1]). */
static void by_stream(const trib_analysis *a, int w, int *sorted, int *first)
{
    const int streams = a->graph->stream_count;
    for (int s = 0; s <= streams; ++s) first[s] = 0;
    for (int k = a->first_share[w]; k < a->first_share[w + 1]; ++k) {
        const trib_profile_op *op = trib_analysis_op(a, a->shares[k].op);
        if (op->runs) ++first[op->stream + 1];
    }
    for (int s = 0; s < streams; ++s) first[s + 1] += first[s];
    for (int k = a->first_share[w]; k < a->first_share[w + 1]; ++k) {
        const trib_profile_op *op = trib_analysis_op(a, a->shares[k].op);
        if (op->runs) sorted[first[op->stream]++] = k;
    }
    for (int s = streams; s > 0; --s) first[s] = first[s - 1];
    first[0] = 0;
}

static trib_status tell_window(trib_analysis *a, int w, const bool *used, int *sorted, int *first,
                               trib_profile_idle *pieces)
{
    trib_profile_window *window = &a->windows[w];
    teller t = { .a = a, .window = w, .blamed = ended_last(a, w), .pieces = pieces };
    by_stream(a, w, sorted, first);
    for (t.stream = 0; t.stream < a->graph->stream_count; ++t.stream)
        if (used[t.stream]) tell_stream(&t, sorted + first[t.stream], first[t.stream + 1] - first[t.stream]);
    trib_profile_idle *kept = trib_blocks_add(&a->out->storage, (size_t)t.count, sizeof *kept);
    if (!kept) return trib_blocks_no_memory();
    for (int i = 0; i < t.count; ++i) kept[i] = pieces[i];
    window->pieces = kept;
    window->idle_count = t.count;
    return trib_success();
}

trib_status trib_analysis_idle(trib_analysis *a)
{
    const size_t ops = (size_t)a->graph->op_count, streams = (size_t)a->graph->stream_count;
    bool *used = trib_blocks_add(&a->scratch, streams, sizeof *used);
    int *sorted = trib_blocks_add(&a->scratch, ops, sizeof *sorted);
    int *first = trib_blocks_add(&a->scratch, streams + 1, sizeof *first);
    /* Of each gap at most four, and one behind the last op of a stream. */
    trib_profile_idle *pieces = trib_blocks_add(&a->scratch, 4 * ops + streams, sizeof *pieces);
    if (!used || !sorted || !first || !pieces) return trib_blocks_no_memory();
    for (size_t i = 0; i < ops; ++i)
        if (a->graph->ops[i].runs) used[a->graph->ops[i].stream] = true;
    for (int w = 0; w < a->out->window_count; ++w) TRIB_TRY(tell_window(a, w, used, sorted, first, pieces));
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * When each op ran, what it followed, and whether its times can be true. */
#include "profile/analysis.h"
#include "profile/blocks.h"

static int64_t noise_of(const trib_analysis *a) { return a->out->noise; }

/* ---- contradictions ---- */

static trib_status contradiction(trib_analysis *a, trib_contradiction_kind kind, int op, int other, int64_t amount)
{
    a->found = (trib_contradiction) { kind, op, other, amount };
    const char *name = trib_profile_op_name(a->graph, op);
    const char *before = trib_profile_op_name(a->graph, other);
    const long long ns = (long long)amount;
    switch (kind) {
    case TRIB_CONTRADICTION_NOT_TIMED:
        return TRIB_ERROR(TRIB_BAD_DATA, "timestamps are missing: %s was not timed; measure again", name);
    case TRIB_CONTRADICTION_REVERSED:
        return TRIB_ERROR(TRIB_BAD_DATA, "timestamps contradict the plan: %s ends %lld ns before it starts", name, ns);
    case TRIB_CONTRADICTION_NOT_ISSUED:
        return TRIB_ERROR(TRIB_BAD_DATA, "timestamps contradict the plan: %s starts %lld ns before it was issued", name,
                          ns);
    case TRIB_CONTRADICTION_OVERLAP:
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "timestamps contradict the plan: %s starts %lld ns before the end of %s, the op before it on "
                          "its stream",
                          name, ns, before);
    default:
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "timestamps contradict the plan: %s starts %lld ns before the end of %s, which it waits for",
                          name, ns, before);
    }
}

static bool is_timed(const trib_op_time *t) { return t->start || t->end; }

static bool in_range(int64_t time) { return time >= -TRIB_PROFILE_MOST / 2 && time <= TRIB_PROFILE_MOST / 2; }

static trib_status check_times(trib_analysis *a, int i)
{
    const trib_op_time *t = &a->run->times[i];
    if (!is_timed(t)) return contradiction(a, TRIB_CONTRADICTION_NOT_TIMED, i, -1, 0);
    if (!in_range(t->start) || !in_range(t->end) || !in_range(t->issued))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: a time of %s is beyond 2^61 ns",
                          trib_profile_op_name(a->graph, i));
    if (t->end < t->start) return contradiction(a, TRIB_CONTRADICTION_REVERSED, i, -1, t->start - t->end);
    return trib_success();
}

/* ---- the run's begin ---- */

static trib_status find_begin(trib_analysis *a, int64_t *begin)
{
    bool found = false;
    int64_t last = 0;
    *begin = 0;
    for (int i = 0; i < a->graph->op_count; ++i) {
        if (!trib_analysis_op(a, i)->runs) continue;
        TRIB_TRY(check_times(a, i));
        const trib_op_time *t = &a->run->times[i];
        if (!found || t->start < *begin) *begin = t->start;
        if (!found || t->end > last) last = t->end;
        found = true;
    }
    if (last - *begin > TRIB_PROFILE_MOST / a->graph->stream_count)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: times of all streams add up to more than 2^62 ns");
    return trib_success();
}

/* ---- one op ---- */

/* Of the ops it follows, the one that ended last; of equals its own stream's, then the lower index. */
static int last_followed(const trib_analysis *a, int i)
{
    const trib_profile_op *op = trib_analysis_op(a, i);
    int last = a->before[i];
    for (int w = 0; w < op->wait_count; ++w) {
        int other = op->waits[w];
        if (last >= 0 && a->ops[other].to < a->ops[last].to) continue;
        if (last < 0 || a->ops[other].to > a->ops[last].to || (last != a->before[i] && other < last)) last = other;
    }
    return last;
}

/* `busy`: the last op on the stream that ran. */
static trib_status trim(trib_analysis *a, int i, int busy)
{
    trib_profile_op_result *op = &a->ops[i];
    const int64_t early = busy < 0 ? 0 : a->ops[busy].to - op->from;
    if (early <= 0) return trib_success();
    if (early > noise_of(a)) return contradiction(a, TRIB_CONTRADICTION_OVERLAP, i, busy, early);
    op->from = a->ops[busy].to;
    op->to = trib_later(op->to, op->from);
    ++a->out->trimmed;
    return trib_success();
}

static trib_status check_order(trib_analysis *a, int i)
{
    const trib_profile_op_result *op = &a->ops[i];
    const int64_t issued = a->run->times[i].issued;
    int last = a->after[i];
    int64_t early = last < 0 ? 0 : trib_later(0, a->ops[last].to - op->from);
    if (early > noise_of(a)) return contradiction(a, TRIB_CONTRADICTION_TOO_EARLY, i, last, early);
    if (issued && issued - op->from > trib_clock_noise_to_host(a->run->clock_step))
        return contradiction(a, TRIB_CONTRADICTION_NOT_ISSUED, i, -1, issued - op->from);
    a->out->negative_gaps += early > 0 || (issued && issued > op->from);
    return trib_success();
}

static trib_status place(trib_analysis *a, int i, int busy, int64_t begin)
{
    trib_profile_op_result *op = &a->ops[i];
    const bool runs = trib_analysis_op(a, i)->runs;
    const int64_t issued = runs ? a->run->times[i].issued : 0;
    int last = a->after[i] = last_followed(a, i);
    op->from = op->to = op->ready = last < 0 ? begin : a->ops[last].to;
    op->predecessor = last;
    if (!runs) return trib_success();
    op->from = a->run->times[i].start;
    op->to = a->run->times[i].end;
    if (issued && (last < 0 || issued > op->ready)) {
        op->ready = issued;
        op->predecessor = -1;
    }
    TRIB_TRY(trim(a, i, busy));
    return check_order(a, i);
}

trib_status trib_analysis_place(trib_analysis *a)
{
    const size_t streams = (size_t)a->graph->stream_count;
    int *latest = trib_blocks_add(&a->scratch, streams, sizeof *latest); /* op of each stream, or -1 */
    int *busy = trib_blocks_add(&a->scratch, streams, sizeof *busy);     /* the same of those that run */
    if (!latest || !busy) return trib_blocks_no_memory();
    for (size_t s = 0; s < streams; ++s) latest[s] = busy[s] = -1;
    int64_t begin;
    TRIB_TRY(find_begin(a, &begin));
    for (int i = 0; i < a->graph->op_count; ++i) {
        const trib_profile_op *op = trib_analysis_op(a, i);
        a->before[i] = latest[op->stream];
        TRIB_TRY(place(a, i, busy[op->stream], begin));
        latest[op->stream] = i;
        if (op->runs) busy[op->stream] = i;
    }
    a->out->total.from = a->out->total.to = begin;
    for (int i = 0; i < a->graph->op_count; ++i) a->out->total.to = trib_later(a->out->total.to, a->ops[i].to);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Whether the times of a run can be those of its plan. */
#include "trace/sink.h"
#include "tributary/internal/alloc.h"

enum { NOTHING = -1 };

int64_t trib_clock_noise(int64_t clock_step)
{
    enum { MICROSECOND = 1000 };
    return 2 * clock_step > MICROSECOND ? 2 * clock_step : MICROSECOND;
}

int64_t trib_clock_noise_to_host(int64_t clock_step)
{
    enum { DEVICE = 25 };
    return clock_step > 1 ? DEVICE * trib_clock_noise(clock_step) : trib_clock_noise(clock_step);
}

/* For each stream and each event: the op whose end was the last of all that come before it, or NOTHING. */
typedef struct reached {
    int *streams, *events;
} reached;

typedef struct check {
    const trib_plan *plan;
    const trib_timeline_run *run;
    int64_t noise, noise_to_host;
    reached last;
} check;

static bool timed(const trib_op_time *t) { return t->start || t->end; }

static const char *name_of(const check *c, int op) { return c->plan->ops[op].name; }

static int later(const check *c, int a, int b)
{
    if (a == NOTHING || b == NOTHING) return a == NOTHING ? b : a;
    return c->run->ops[b].end > c->run->ops[a].end ? b : a;
}

static trib_status check_alone(const check *c, int op)
{
    const trib_op_time *t = &c->run->ops[op];
    if (!t->start || !t->end)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "op %d (%s) has no time of its %s", op, name_of(c, op),
                          t->start ? "end" : "start");
    if (t->end < t->start)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "op %d (%s) ends %lld ns before it starts", op, name_of(c, op),
                          (long long)(t->start - t->end));
    if (t->issued - t->start > c->noise_to_host)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "op %d (%s) starts %lld ns before the host issued it", op,
                          name_of(c, op), (long long)(t->issued - t->start));
    return trib_success();
}

/* `before`: the last to end of those that it follows. */
static trib_status check_start(const check *c, int op, int before)
{
    if (before == NOTHING) return trib_success();
    const trib_plan_op *ops = c->plan->ops;
    int64_t early = c->run->ops[before].end - c->run->ops[op].start;
    if (early <= c->noise) return trib_success();
    if (ops[op].stream == ops[before].stream)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "op %d (%s) starts %lld ns before op %d (%s) ends, both on stream %d",
                          op, name_of(c, op), (long long)early, before, name_of(c, before), ops[op].stream);
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "op %d (%s) on stream %d starts %lld ns before op %d (%s) on stream %d ends, which it waits for",
                      op, name_of(c, op), ops[op].stream, (long long)early, before, name_of(c, before),
                      ops[before].stream);
}

static trib_status check_op(check *c, int op)
{
    const trib_plan_op *p = &c->plan->ops[op];
    int before = c->last.streams[p->stream];
    for (int k = 0; k < p->wait_count; ++k) before = later(c, before, c->last.events[p->waits[k]]);
    if (timed(&c->run->ops[op])) {
        TRIB_TRY(check_alone(c, op));
        TRIB_TRY(check_start(c, op, before));
        before = later(c, before, op);
    }
    c->last.streams[p->stream] = before;
    if (p->record >= 0) c->last.events[p->record] = before;
    return trib_success();
}

trib_status trib_timeline_check(const trib_plan *plan, const trib_timeline_run *run)
{
    if (!plan || !run || !run->ops)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a plan and one of its runs are needed to compare them");
    size_t count = (size_t)plan->stream_count + (size_t)plan->event_count;
    int *last = trib_alloc(count * sizeof *last);
    if (!last) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to compare a run with its plan");
    for (size_t i = 0; i < count; ++i) last[i] = NOTHING;
    check c = { .plan = plan,
                .run = run,
                .noise = trib_clock_noise(run->clock_step),
                .noise_to_host = trib_clock_noise_to_host(run->clock_step),
                .last = { last, last + plan->stream_count } };
    trib_status status = trib_success();
    for (int i = 0; i < plan->op_count && !trib_failed(&status); ++i) status = check_op(&c, i);
    trib_free(last);
    trib_add_context(&status, "lane %d, chunk %lld: the timestamps contradict the plan", run->lane,
                     (long long)run->chunk);
    return trib_outcome(&status);
}

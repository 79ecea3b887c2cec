/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trace.h"

#include "device/observation.h"
#include "tributary/internal/alloc.h"

typedef struct listener {
    const trib_trace_sink *sink;
    void *state;
} listener;

struct trib_trace {
    trib_observation *observation; /* NULL: nobody asks for ops, or they cannot be observed */
    int count;
    listener listeners[];
};

trib_trace_sinks trib_trace_default_sinks(void)
{
    static const trib_trace_sink *const all[] = { &trib_nvtx_sink };
    return (trib_trace_sinks) { all, (int)(sizeof all / sizeof *all) };
}

bool trib_trace_threads_report(trib_device *device)
{
    return trib_device_get_info(device)->host && trib_observation_possible(device);
}

/* ---- opening and closing ---- */

/* The list is created for the first sink that listens: otherwise nothing is allocated. */
static trib_status add_listener(trib_trace **trace, int most, const trib_trace_sink *sink, void *state)
{
    if (!*trace) *trace = trib_alloc_zeroed(1, sizeof **trace + (size_t)most * sizeof(listener));
    if (!*trace) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d trace sinks", most);
    (*trace)->listeners[(*trace)->count++] = (listener) { sink, state };
    return trib_success();
}

static trib_status open_sink(trib_trace **trace, int most, const trib_trace_sink *sink,
                             const trib_trace_subject *subject)
{
    void *state = NULL;
    trib_status status = sink->open(sink->context, subject, &state);
    trib_add_context(&status, "trace sink %s", sink->name);
    if (trib_failed(&status) || !state) return status;
    status = add_listener(trace, most, sink, state);
    if (trib_failed(&status)) sink->close(state);
    return status;
}

static trib_status open_sinks(trib_trace **trace, trib_trace_sinks sinks, const trib_trace_subject *subject)
{
    for (int i = 0; i < sinks.count; ++i) TRIB_TRY(open_sink(trace, sinks.count + 1, sinks.list[i], subject));
    if (!subject->timeline) return trib_success();
    return open_sink(trace, sinks.count + 1, trib_timeline_sink(subject->timeline), subject);
}

static bool wants_ops(const trib_trace *trace, const trib_trace_subject *subject, bool *times)
{
    bool any = false, threads_report = trib_trace_threads_report(subject->device);
    for (int i = 0; i < trace->count; ++i) {
        const trib_trace_sink *sink = trace->listeners[i].sink;
        any = any || (sink->begin_op && threads_report);
        *times = *times || sink->told;
    }
    return any || *times;
}

static void say_observer(const trib_trace *trace)
{
    for (int i = 0; trace->observation && i < trace->count; ++i)
        if (trace->listeners[i].sink->observed_by)
            trace->listeners[i].sink->observed_by(trace->listeners[i].state, trace->observation);
}

static trib_status observe(trib_trace *trace, const trib_trace_subject *subject)
{
    trib_observation_options o = { .op_count = subject->plan->op_count, .runs = subject->lanes * subject->turns };
    if (!wants_ops(trace, subject, &o.times)) return trib_success();
    TRIB_TRY(trib_observation_open(subject->device, &o, &trace->observation));
    say_observer(trace);
    return trib_success();
}

bool trib_trace_only_eager(const trib_trace *trace)
{
    return trace && trace->observation && trace->observation->only_eager;
}

trib_status trib_trace_create(const trib_trace_subject *subject, trib_trace_sinks sinks, trib_trace **out)
{
    trib_trace *trace = NULL;
    *out = NULL;
    trib_status status = open_sinks(&trace, sinks, subject);
    if (!trib_failed(&status) && trace) status = observe(trace, subject);
    if (trib_failed(&status))
        trib_trace_destroy(trace);
    else
        *out = trace;
    return trib_outcome(&status);
}

void trib_trace_destroy(trib_trace *trace)
{
    if (!trace) return;
    trib_observation_close(trace->observation);
    for (int i = trace->count - 1; i >= 0; --i) trace->listeners[i].sink->close(trace->listeners[i].state);
    trib_free(trace);
}

/* ---- ranges ---- */

void trib_trace_begin(const trib_trace *trace, const trib_trace_range *range)
{
    for (int i = 0; i < trace->count; ++i) trace->listeners[i].sink->push(trace->listeners[i].state, range);
}

void trib_trace_end(const trib_trace *trace, const trib_trace_range *range)
{
    for (int i = 0; i < trace->count; ++i) trace->listeners[i].sink->pop(trace->listeners[i].state, range);
}

void trib_trace_name_stream(const trib_trace *trace, int lane, int stream, const char *name)
{
    for (int i = 0; trace && i < trace->count; ++i)
        if (trace->listeners[i].sink->name_stream)
            trace->listeners[i].sink->name_stream(trace->listeners[i].state, lane, stream, name);
}

/* ---- ops, as they are computed ---- */

/* Calls `slot` of every sink that has it. The arguments after the sink's state are the slot's. */
#define TELL(trace, slot, ...)               \
    for (int i = 0; i < (trace)->count; ++i) \
        if ((trace)->listeners[i].sink->slot) (trace)->listeners[i].sink->slot((trace)->listeners[i].state, __VA_ARGS__)

static const trib_traced_run *traced(const trib_observed_run *run) { return (const trib_traced_run *)run; }

static void begin_op(trib_observed_run *run, int op) { TELL(traced(run)->trace, begin_op, &traced(run)->run, op); }

/* In reverse, so that one sink's calls are around those of the next. */
static void end_op(trib_observed_run *observed, int op)
{
    const trib_traced_run *run = traced(observed);
    for (int i = run->trace->count - 1; i >= 0; --i) {
        const listener *l = &run->trace->listeners[i];
        if (l->sink->end_op) l->sink->end_op(l->state, &run->run, op);
    }
}

static void told(trib_observed_run *run, int op, int64_t issued, int64_t start, int64_t end)
{
    TELL(traced(run)->trace, told, &traced(run)->run, op, issued, start, end);
}

static const trib_observer observer = { begin_op, end_op, told };

trib_status trib_trace_begin_op(const trib_trace *trace, trib_stream *stream, trib_traced_run *run, int op)
{
    if (!trace->observation) return trib_success();
    return trib_observe_begin(trace->observation, stream, run ? &run->observed : NULL, op);
}

trib_status trib_trace_end_op(const trib_trace *trace, trib_stream *stream)
{
    return trace->observation ? trib_observe_end(trace->observation, stream) : trib_success();
}

/* ---- runs ---- */

void trib_trace_begin_run(const trib_trace *trace, const trib_trace_run *run, trib_traced_run *out)
{
    *out = (trib_traced_run) { .observed = { .observer = &observer }, .trace = trace, .run = *run };
    for (int i = 0; i < trace->count; ++i) {
        const listener *l = &trace->listeners[i];
        if (l->sink->begin_run && l->sink->begin_run(l->state, run)) out->observed.timed = true;
    }
}

void trib_trace_issue_op(const trib_trace *trace, const trib_traced_run *run, int op)
{
    TELL(trace, issue, &run->run, op);
}

static trib_status collect(trib_traced_run *run)
{
    trib_observation *observation = run->trace->observation;
    return observation ? trib_observation_collect(observation, &run->observed) : trib_success();
}

void trib_trace_end_run(trib_traced_run *run, bool failed)
{
    const trib_trace *trace = run->trace;
    trib_status times = trib_success();
    if (!trace) return;
    failed = failed || run->incomplete;
    if (!failed) {
        times = collect(run);
        say_observer(trace);
    } else if (trace->observation)
        trib_observation_drop(trace->observation, &run->observed);
    TELL(trace, end_run, &run->run, failed ? NULL : &times);
    run->trace = NULL;
}

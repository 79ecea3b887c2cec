/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/trace.h"

#include "tributary/internal/alloc.h"

typedef struct listener {
    const trib_trace_sink *sink;
    void *state;
} listener;

struct trib_trace {
    int count;
    listener listeners[];
};

trib_trace_sinks trib_trace_default_sinks(void)
{
    static const trib_trace_sink *const all[] = { &trib_nvtx_sink };
    return (trib_trace_sinks) { all, (int)(sizeof all / sizeof *all) };
}

/* The list is created for the first sink that listens: otherwise nothing is allocated. */
static trib_status add_listener(trib_trace **trace, int most, const trib_trace_sink *sink, void *state)
{
    if (!*trace) *trace = trib_alloc_zeroed(1, sizeof **trace + (size_t)most * sizeof(listener));
    if (!*trace) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d trace sinks", most);
    (*trace)->listeners[(*trace)->count++] = (listener) { sink, state };
    return trib_success();
}

static trib_status open_sink(trib_trace **trace, int most, const trib_trace_sink *sink, const trib_plan *plan)
{
    void *state = NULL;
    trib_status status = sink->open(sink->context, plan, &state);
    trib_add_context(&status, "trace sink %s", sink->name);
    if (trib_failed(&status) || !state) return status;
    status = add_listener(trace, most, sink, state);
    if (trib_failed(&status)) sink->close(state);
    return status;
}

trib_status trib_trace_create(const trib_plan *plan, trib_trace_sinks sinks, trib_trace **out)
{
    trib_trace *trace = NULL;
    *out = NULL;
    for (int i = 0; i < sinks.count; ++i) {
        trib_status status = open_sink(&trace, sinks.count, sinks.list[i], plan);
        if (!trib_failed(&status)) continue;
        trib_trace_destroy(trace);
        return status;
    }
    *out = trace;
    return trib_success();
}

void trib_trace_destroy(trib_trace *trace)
{
    if (!trace) return;
    for (int i = trace->count - 1; i >= 0; --i) trace->listeners[i].sink->close(trace->listeners[i].state);
    trib_free(trace);
}

void trib_trace_begin(const trib_trace *trace, const trib_trace_range *range)
{
    for (int i = 0; i < trace->count; ++i) trace->listeners[i].sink->push(trace->listeners[i].state, range);
}

void trib_trace_end(const trib_trace *trace)
{
    for (int i = 0; i < trace->count; ++i) trace->listeners[i].sink->pop(trace->listeners[i].state);
}

void trib_trace_name_stream(const trib_trace *trace, int lane, int stream, const char *name)
{
    for (int i = 0; trace && i < trace->count; ++i)
        if (trace->listeners[i].sink->name_stream)
            trace->listeners[i].sink->name_stream(trace->listeners[i].state, lane, stream, name);
}

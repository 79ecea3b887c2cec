/* SPDX-License-Identifier: Apache-2.0
 * The sinks of one session. sink.h describes what they receive. */
#ifndef TRIBUTARY_RUNTIME_TRACE_TRACE_H
#define TRIBUTARY_RUNTIME_TRACE_TRACE_H

#include "trace/sink.h"

/* NULL if no sink listens. Immutable: threads may share it. */
typedef struct trib_trace trib_trace;

/* Before anything is recorded on the subject's device for it. */
trib_status trib_trace_create(const trib_trace_subject *subject, trib_trace_sinks sinks, trib_trace **out);
/* After streams and captures are destroyed. NULL is fine. */
void trib_trace_destroy(trib_trace *trace);

/* ---- ranges ---- */

void trib_trace_begin(const trib_trace *trace, const trib_trace_range *range);
void trib_trace_end(const trib_trace *trace, const trib_trace_range *range);
/* True if ops of a recorded plan cannot be told apart: then it must not be launched. NULL is fine. */
bool trib_trace_only_eager(const trib_trace *trace);
void trib_trace_name_stream(const trib_trace *trace, int lane, int stream, const char *name); /* NULL is fine */

/* Without listeners, this costs a comparison. */
static inline void trib_trace_push(const trib_trace *trace, const trib_trace_range *range)
{
    if (trace) trib_trace_begin(trace, range);
}

static inline void trib_trace_pop(const trib_trace *trace, const trib_trace_range *range)
{
    if (trace) trib_trace_end(trace, range);
}

/* ---- runs ---- */

/* Owned by the lane. Zero: it has not begun. */
typedef struct trib_traced_run {
    trib_observed_run observed; /* first: threads that compute are given this */
    const trib_trace *trace;    /* NULL: none is on its way */
    trib_trace_run run;
    bool incomplete; /* it could not be submitted as a whole */
} trib_traced_run;

void trib_trace_begin_run(const trib_trace *trace, const trib_trace_run *run, trib_traced_run *out);
/* Once, after its work has been waited for. `failed`: it has no results. */
void trib_trace_end_run(trib_traced_run *run, bool failed);

void trib_trace_issue_op(const trib_trace *trace, const trib_traced_run *run, int op);
trib_status trib_trace_begin_op(const trib_trace *trace, trib_stream *stream, trib_traced_run *run, int op);
trib_status trib_trace_end_op(const trib_trace *trace, trib_stream *stream);

/* `run` NULL: an op is being recorded. Without listeners, these cost a comparison. */
static inline void trib_trace_issue(const trib_trace *trace, const trib_traced_run *run, int op)
{
    if (trace && run) trib_trace_issue_op(trace, run, op);
}

/* Around the call that gives an op to a stream, or launches a graph (TRIB_OBSERVE_LAUNCH). */
static inline trib_status trib_trace_observe(const trib_trace *trace, trib_stream *stream, trib_traced_run *run, int op)
{
    return trace ? trib_trace_begin_op(trace, stream, run, op) : trib_success();
}

static inline trib_status trib_trace_observed(const trib_trace *trace, trib_stream *stream)
{
    return trace ? trib_trace_end_op(trace, stream) : trib_success();
}

#endif

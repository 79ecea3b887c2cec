/* SPDX-License-Identifier: Apache-2.0
 * The sinks of one session. sink.h describes what they receive. */
#ifndef TRIBUTARY_RUNTIME_TRACE_TRACE_H
#define TRIBUTARY_RUNTIME_TRACE_TRACE_H

#include "trace/sink.h"

/* NULL if no sink listens. Immutable: threads may share it. */
typedef struct trib_trace trib_trace;

trib_status trib_trace_create(const trib_plan *plan, trib_trace_sinks sinks, trib_trace **out);
void trib_trace_destroy(trib_trace *trace); /* NULL is fine */

void trib_trace_begin(const trib_trace *trace, const trib_trace_range *range);
void trib_trace_end(const trib_trace *trace);
void trib_trace_name_stream(const trib_trace *trace, int lane, int stream, const char *name); /* NULL is fine */

/* Without listeners, this costs a comparison. */
static inline void trib_trace_push(const trib_trace *trace, trib_trace_range range)
{
    if (trace) trib_trace_begin(trace, &range);
}

static inline void trib_trace_pop(const trib_trace *trace)
{
    if (trace) trib_trace_end(trace);
}

#endif

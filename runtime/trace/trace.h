/* SPDX-License-Identifier: Apache-2.0
 * Named ranges for profilers (NVTX): what a session gives to its streams, op by op. See runtime/README.md.
 *
 * Ranges nest per thread: each push has its pop on the same thread, whether what is between them fails or not. */
#ifndef TRIBUTARY_RUNTIME_TRACE_TRACE_H
#define TRIBUTARY_RUNTIME_TRACE_TRACE_H

#include "tributary/plan.h"

/* The names of a plan's ranges; NULL when no tool listens, or none could. Immutable: threads may share it. */
typedef struct trib_trace trib_trace;

/* What a range is about: an op of the plan, by its index, or one of these. */
enum { TRIB_TRACE_CHUNK = -1, TRIB_TRACE_CAPTURE = -2, TRIB_TRACE_LAUNCH = -3 };

trib_status trib_trace_create(const trib_plan *plan, trib_trace **out);
void trib_trace_destroy(trib_trace *trace); /* NULL is fine */

void trib_trace_begin(const trib_trace *trace, int what, int64_t chunk);
void trib_trace_end(const trib_trace *trace);

/* `chunk`: the range's payload; negative: none. */
static inline void trib_trace_push(const trib_trace *trace, int what, int64_t chunk)
{
    if (trace) trib_trace_begin(trace, what, chunk);
}

static inline void trib_trace_pop(const trib_trace *trace)
{
    if (trace) trib_trace_end(trace);
}

#endif

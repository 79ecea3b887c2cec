/* SPDX-License-Identifier: Apache-2.0
 * Built without NVTX: nobody ever listens. */
#include "trace/trace.h"

trib_status trib_trace_create(const trib_plan *plan, trib_trace **out)
{
    (void)plan;
    *out = NULL;
    return trib_success();
}

void trib_trace_destroy(trib_trace *trace) { (void)trace; }

void trib_trace_begin(const trib_trace *trace, int what, int64_t chunk)
{
    (void)trace;
    (void)what;
    (void)chunk;
}

void trib_trace_end(const trib_trace *trace) { (void)trace; }

/* SPDX-License-Identifier: Apache-2.0
 * A build without NVTX: there is never a listener. */
#include "trace/sink.h"

static trib_status nobody(void *context, const trib_trace_subject *subject, void **state)
{
    (void)context, (void)subject, (void)state;
    return trib_success();
}

static void nothing(void *state) { (void)state; }

static void no_range(void *state, const trib_trace_range *range) { (void)state, (void)range; }

const trib_trace_sink trib_nvtx_sink = {
    .name = "nvtx", .open = nobody, .close = nothing, .push = no_range, .pop = no_range
};

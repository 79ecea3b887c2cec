/* SPDX-License-Identifier: Apache-2.0
 * trib_session_create with a given list of trace sinks, instead of trib_trace_default_sinks(). */
#ifndef TRIBUTARY_RUNTIME_SESSION_TRACED_H
#define TRIBUTARY_RUNTIME_SESSION_TRACED_H

#include "trace/sink.h"
#include "tributary/session.h"

/* The sinks, and what their contexts point to, must outlive the session. */
trib_status trib_session_create_traced(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                                       const trib_session_options *options, trib_trace_sinks sinks, trib_session **out);

#endif

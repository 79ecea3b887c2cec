/* SPDX-License-Identifier: Apache-2.0
 * Listeners of a session: a profiler's ranges, a timeline. A session reports the same to every sink on its list, in the
 * same order; a sink is a row of functions. See runtime/README.md.
 *
 * Ranges nest: each push has its pop on the same thread, even after a failure in between. A session reports one range
 * at a time; several sessions may report at once, each to its own state of a sink. */
#ifndef TRIBUTARY_RUNTIME_TRACE_SINK_H
#define TRIBUTARY_RUNTIME_TRACE_SINK_H

#include "tributary/plan.h"

/* The work in a range. */
typedef enum trib_trace_what {
    TRIB_TRACE_CHUNK,   /* a chunk being enqueued: its copies and its ops */
    TRIB_TRACE_CAPTURE, /* the ops being recorded into a graph */
    TRIB_TRACE_LAUNCH,  /* inside a chunk: the recorded graph being launched */
    TRIB_TRACE_OP       /* one op being enqueued, with its waits and its event */
} trib_trace_what;

typedef struct trib_trace_range {
    trib_trace_what what;
    int lane;
    int stream;    /* the plan's stream of the work; 0 for a chunk, a capture and a launch */
    int op;        /* index in the plan; -1 unless it is TRIB_TRACE_OP */
    int64_t chunk; /* counted from 0 in each session; -1: none, as in a capture */
} trib_trace_range;

typedef struct trib_trace_sink {
    const char *name; /* for messages */
    void *context;    /* argument of `open`; NULL if the sink needs none */
    /* Once per session. Leaves *state NULL if there is no listener: then nothing else is called. `plan` outlives the
     * state. A failure makes the session fail, with the sink's name in the message. */
    trib_status (*open)(void *context, const trib_plan *plan, void **state);
    void (*close)(void *state);
    /* (optional) Before the first range of that lane. Streams have the plan's numbers; those that copy follow. */
    void (*name_stream)(void *state, int lane, int stream, const char *name);
    void (*push)(void *state, const trib_trace_range *range);
    void (*pop)(void *state);
} trib_trace_sink;

typedef struct trib_trace_sinks {
    const trib_trace_sink *const *list;
    int count;
} trib_trace_sinks;

/* The sinks of every session: NVTX, which has no listener if built without its headers. */
trib_trace_sinks trib_trace_default_sinks(void);

extern const trib_trace_sink trib_nvtx_sink;

#endif

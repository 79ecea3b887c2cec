/* SPDX-License-Identifier: Apache-2.0
 * What listens to a session: a profiler's ranges, a timeline. A session tells every sink on its list the same, in the
 * same order; a sink fills in a row of functions. See runtime/README.md.
 *
 * Ranges nest: each push has its pop on the same thread, whether what is between them fails or not. A session tells of
 * one range at a time; several sessions may tell at once, each sink's state of its own. */
#ifndef TRIBUTARY_RUNTIME_TRACE_SINK_H
#define TRIBUTARY_RUNTIME_TRACE_SINK_H

#include "tributary/plan.h"

/* What a range is about. */
typedef enum trib_trace_what {
    TRIB_TRACE_CHUNK,   /* a chunk given to the device: its copies and its ops */
    TRIB_TRACE_CAPTURE, /* the ops being recorded into a graph */
    TRIB_TRACE_LAUNCH,  /* inside a chunk: the recorded graph being launched */
    TRIB_TRACE_OP       /* one op given to its stream, with its waits and its event */
} trib_trace_what;

typedef struct trib_trace_range {
    trib_trace_what what;
    int lane;
    int stream;    /* the plan's, that the work is given to; of a chunk, a capture and a launch 0 */
    int op;        /* index in the plan; -1 unless it is TRIB_TRACE_OP */
    int64_t chunk; /* counted from 0 since the session was created; -1: none, as in a capture */
} trib_trace_range;

typedef struct trib_trace_sink {
    const char *name; /* for messages */
    void *context;    /* what `open` is given; NULL when the sink needs none */
    /* Once for each session. Leaves *state NULL when nobody listens: then nothing else is called. `plan` outlives the
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

/* Those of every session: NVTX. Without its headers nobody ever listens there. */
trib_trace_sinks trib_trace_default_sinks(void);

extern const trib_trace_sink trib_nvtx_sink;

#endif

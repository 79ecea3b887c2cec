/* SPDX-License-Identifier: Apache-2.0
 * Listeners of a session: a profiler's ranges, a timeline. A session reports the same to every sink on its list, in the
 * same order; a sink is a row of functions. See runtime/README.md.
 *
 * Ranges are what the host does: a chunk, an op being given to a stream. They nest: each push has its pop on the same
 * thread, even after a failure in between. A session reports one range at a time; several sessions may report at once,
 * each to its own state of a sink.
 *
 * Runs are what the device does: from when the host begins to submit a chunk to when it has been waited for. Where host
 * threads compute (cpu), they report each op, several at a time; elsewhere times are told at the end. */
#ifndef TRIBUTARY_RUNTIME_TRACE_SINK_H
#define TRIBUTARY_RUNTIME_TRACE_SINK_H

#include "device/observe.h"
#include "tributary/plan.h"
#include "tributary/timeline.h"

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

/* A chunk on its way through a lane. */
typedef struct trib_trace_run {
    int lane;
    int turn; /* 0 .. turns - 1: no other run of this lane has it until this one has ended */
    int64_t chunk;
} trib_trace_run;

/* Whose sinks they are. */
typedef struct trib_trace_subject {
    trib_device *device;
    const trib_plan *plan;
    int lanes, turns;        /* turns: most runs of a lane in flight */
    trib_timeline *timeline; /* a sink beside those on the list; NULL: none */
} trib_trace_subject;

typedef struct trib_trace_sink {
    const char *name; /* for messages */
    void *context;    /* argument of `open`; NULL if the sink needs none */
    /* Once per session. Leaves *state NULL if there is no listener: then nothing else is called. The plan outlives the
     * state. A failure makes the session fail, with the sink's name in the message. */
    trib_status (*open)(void *context, const trib_trace_subject *subject, void **state);
    void (*close)(void *state);
    /* (optional) Before the first range of that lane. Streams have the plan's numbers; those that copy follow. */
    void (*name_stream)(void *state, int lane, int stream, const char *name);
    void (*push)(void *state, const trib_trace_range *range);
    void (*pop)(void *state, const trib_trace_range *range);

    /* (optional, as each of the following) By the host, before it submits anything of the run. True if the sink wants
     * the run's times. */
    bool (*begin_run)(void *state, const trib_trace_run *run);
    /* By the host: it is about to give this op to its stream, or, TRIB_OBSERVE_LAUNCH, to launch all ops at once. */
    void (*issue)(void *state, const trib_trace_run *run, int op);
    /* By the thread that computes the op, around it. Only where trib_trace_threads_report. */
    void (*begin_op)(void *state, const trib_trace_run *run, int op);
    void (*end_op)(void *state, const trib_trace_run *run, int op);
    /* By the host, before end_run: an op's times (`issued` 0: as of `issue`), where begin_op and end_op are not called.
     * With it, a session fails on a device that can do neither. */
    void (*told)(void *state, const trib_trace_run *run, int op, int64_t issued, int64_t start, int64_t end);
    /* By the host: nothing of the run is in flight any more. `times` NULL: the run failed; otherwise success, or why
     * the device could not tell its times. */
    void (*end_run)(void *state, const trib_trace_run *run, const trib_status *times);
    /* After all sinks are open, if ops are observed: by what, and how fine its clock is. Again when that changes. */
    void (*observed_by)(void *state, const trib_observation *observation);
} trib_trace_sink;

typedef struct trib_trace_sinks {
    const trib_trace_sink *const *list;
    int count;
} trib_trace_sinks;

/* The sinks of every session: NVTX, which has no listener if built without its headers. */
trib_trace_sinks trib_trace_default_sinks(void);

/* True if host threads compute on this device, and report the ops they run. */
bool trib_trace_threads_report(trib_device *device);

extern const trib_trace_sink trib_nvtx_sink;
/* Owned by the timeline. */
const trib_trace_sink *trib_timeline_sink(const trib_timeline *timeline);

#endif

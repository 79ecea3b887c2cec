/* SPDX-License-Identifier: Apache-2.0
 * A lane: one arena, its streams and events, running one plan with parameters it shares with other lanes. */
#ifndef TRIBUTARY_RUNTIME_SESSION_LANE_H
#define TRIBUTARY_RUNTIME_SESSION_LANE_H

#include "trace/trace.h"
#include "tributary/session.h"

enum { TRIB_CHUNKS_IN_FLIGHT = 2 };

typedef struct trib_lane {
    trib_device *device;
    const trib_plan *plan;
    trib_op_handle *const *ops; /* one per plan op, NULL where nothing runs; owned by the session */
    const trib_trace *trace;    /* NULL: no tool listens; owned by the session */
    int index;
    trib_stream **streams;
    trib_event **events;
    trib_event *done[TRIB_CHUNKS_IN_FLIGHT]; /* after the chunk before last, and after the last */
    int64_t chunks;                          /* submitted since the last synchronisation */
    int64_t serial;                          /* of the chunk being submitted, among all of the session's; -1: none */
    unsigned char *arena;
    void *input;    /* staging, where the caller's memory cannot be used as it is; else NULL */
    void **outputs; /* one per plan output; NULL entries without staging */
    trib_capture *capture;
} trib_lane;

/* On failure the lane is half built and must still be closed. */
trib_status trib_lane_open(trib_lane *lane, trib_launch launch);
void trib_lane_close(trib_lane *lane);

/* Gives one chunk of `count` images (1 .. plan->batch) to the lane's streams; waits only while too many chunks are in
 * flight. Host memory must stay valid until trib_lane_synchronize. */
trib_status trib_lane_submit(trib_lane *lane, const void *input, int count, void *const *outputs);
trib_status trib_lane_synchronize(trib_lane *lane);

/* Bytes of one image in the input, and of one row of an output. */
size_t trib_input_row_bytes(const trib_plan *plan);
size_t trib_output_row_bytes(const trib_plan *plan, int output);

#endif

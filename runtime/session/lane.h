/* SPDX-License-Identifier: Apache-2.0
 * A lane: an arena, streams and events that run one plan, with parameters shared by all lanes. */
#ifndef TRIBUTARY_RUNTIME_SESSION_LANE_H
#define TRIBUTARY_RUNTIME_SESSION_LANE_H

#include "plan/chunk_order.h"
#include "trace/trace.h"
#include "tributary/region_kernels.h"
#include "tributary/session.h"

/* One more than slots: the additional chunk is queued on the device, so that the device never waits for the host. */
enum { TRIB_CHUNKS_IN_FLIGHT = TRIB_MAX_SLOTS + 1 };

/* A chunk's input and results on the device, and the plan recorded with these addresses. */
typedef struct trib_slot {
    void **inputs;  /* one per plan input; NULL: the caller's memory is used directly */
    void **outputs; /* one per plan output */
    trib_capture *capture;
} trib_slot;

typedef struct trib_lane {
    trib_device *device;
    const trib_plan *plan;
    trib_op_handle *const *ops; /* one per plan op, NULL if nothing runs; owned by the session */
    unsigned char *parameters;  /* packed, of all ops, or in training all tensors that stay; owned by the session */
    const trib_trace *trace;    /* NULL: no listener; owned by the session */
    trib_traced_run runs[TRIB_CHUNKS_IN_FLIGHT]; /* by chunk % TRIB_CHUNKS_IN_FLIGHT; only with listeners */
    trib_traced_run *run;                        /* of the chunk being submitted; NULL: none */
    int index;
    trib_chunk_order order;
    trib_stream **streams; /* the plan's */
    trib_event **events;
    trib_stream *stages[TRIB_STAGE_COUNT]; /* the stream of each stage: the plan's stream 0, or its own */
    /* Stages reached by the last chunks, by chunk % TRIB_CHUNKS_IN_FLIGHT. */
    trib_event *reached[TRIB_STAGE_COUNT][TRIB_CHUNKS_IN_FLIGHT];
    trib_slot slots[TRIB_MAX_SLOTS];
    unsigned char *arena;
    trib_region_row *rows;          /* of a plan that takes regions: page-locked, a chunk's for each in flight */
    int64_t serial;                 /* the session's number of the chunk being submitted; -1: none */
    int64_t submitted, settled;     /* chunks; those before `settled` are complete */
    int64_t failed_from, failed_to; /* chunks without results, because of `failure` */
    trib_status failure;
} trib_lane;

/* `slots`: chunks that have memory on the device at once. On failure the lane is half built and must still be closed.
 */
trib_status trib_lane_open(trib_lane *lane, trib_launch launch, int slots);
void trib_lane_close(trib_lane *lane);

/* Waits until another chunk may be submitted. */
trib_status trib_lane_make_room(trib_lane *lane);
/* Memory for the rows of the chunk that is submitted next, plan->batch of them, once there is room for it. */
trib_region_row *trib_lane_rows(const trib_lane *lane);

/* Enqueues a chunk of `count` images (1 .. plan->batch) on the lane's streams; waits only while too many chunks are in
 * flight. Host memory must stay valid until trib_lane_wait, or after a failure trib_lane_drain. `inputs` and `outputs`
 * both NULL: nothing is copied, and the slot's content is the input. The lane's first chunk is number 0; chunks that
 * fail here are counted as well. */
trib_status trib_lane_submit(trib_lane *lane, const void *const *inputs, int count, void *const *outputs);
/* Waits for the results of chunks [from, to), or returns the failure of one of them. */
trib_status trib_lane_wait(trib_lane *lane, int64_t from, int64_t to);
/* Waits until nothing is in flight and returns the first failure, after which all chunks in flight count as failed. */
trib_status trib_lane_drain(trib_lane *lane);

/* A range for all of a lane's work: a chunk, a capture, a launch. */
static inline trib_trace_range trib_lane_range(const trib_lane *lane, trib_trace_what what)
{
    return (trib_trace_range) { what, lane->index, 0, -1, lane->serial };
}

/* Runs the plan's ops on a slot's memory. */
trib_status trib_lane_run_ops(trib_lane *lane, const void *const *inputs, void *const *outputs);

/* Bytes of an input for `count` images, and of one row of an output. */
size_t trib_input_bytes(const trib_plan *plan, int input, int count);
size_t trib_output_row_bytes(const trib_plan *plan, int output);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Runs chunks through a lane, in the order that chunk_order.h describes. */
#include "session/lane.h"

/* ---- stages ---- */

static trib_event *reached(const trib_lane *lane, trib_stage stage, int64_t chunk)
{
    return lane->reached[stage][chunk % TRIB_CHUNKS_IN_FLIGHT];
}

/* `resident`: a chunk that is computed but not copied. */
static trib_status begin(trib_lane *lane, trib_stage stage, int64_t chunk, bool resident)
{
    const trib_stage_order *s = &lane->order.stages[stage];
    for (int k = 0; k < s->wait_count; ++k) {
        int64_t earlier = chunk - s->waits[k].back;
        if (earlier < 0 || (resident && earlier == chunk)) continue;
        TRIB_TRY(trib_stream_wait(lane->stages[stage], reached(lane, s->waits[k].stage, earlier)));
    }
    return trib_success();
}

static trib_status end(trib_lane *lane, trib_stage stage, int64_t chunk)
{
    if (!lane->order.stages[stage].recorded) return trib_success();
    return trib_event_record(reached(lane, stage, chunk), lane->stages[stage]);
}

static trib_status load(trib_lane *lane, int64_t chunk, const trib_slot *slot, const void *const *inputs, int count)
{
    const trib_plan *p = lane->plan;
    TRIB_TRY(begin(lane, TRIB_STAGE_LOAD, chunk, false));
    /* rows of an earlier chunk would be computed, too, and their pictures may be gone */
    if (p->regions) count = p->batch;
    for (int i = 0; i < p->input_count; ++i)
        TRIB_TRY(trib_copy_to_device(lane->stages[TRIB_STAGE_LOAD], slot->inputs[i], inputs[i],
                                     trib_input_bytes(p, i, count)));
    return end(lane, TRIB_STAGE_LOAD, chunk);
}

static trib_status launch_observed(trib_lane *lane, trib_capture *capture)
{
    trib_trace_issue(lane->trace, lane->run, TRIB_OBSERVE_LAUNCH);
    TRIB_TRY(trib_trace_observe(lane->trace, lane->streams[0], lane->run, TRIB_OBSERVE_LAUNCH));
    trib_status status = trib_capture_launch(capture, lane->streams[0]);
    trib_status end = trib_trace_observed(lane->trace, lane->streams[0]);
    return trib_failed(&status) ? trib_outcome(&status) : trib_outcome(&end);
}

static trib_status launch_capture(trib_lane *lane, trib_capture *capture)
{
    const trib_trace_range range = trib_lane_range(lane, TRIB_TRACE_LAUNCH);
    trib_trace_push(lane->trace, &range);
    trib_status status = launch_observed(lane, capture);
    trib_trace_pop(lane->trace, &range);
    return trib_outcome(&status);
}

static trib_status compute(trib_lane *lane, int64_t chunk, const trib_slot *slot, bool resident)
{
    TRIB_TRY(begin(lane, TRIB_STAGE_COMPUTE, chunk, resident));
    TRIB_TRY(slot->capture ? launch_capture(lane, slot->capture)
                           : trib_lane_run_ops(lane, (const void *const *)slot->inputs, slot->outputs));
    return end(lane, TRIB_STAGE_COMPUTE, chunk);
}

static trib_status fetch(trib_lane *lane, int64_t chunk, const trib_slot *slot, void *const *outputs, int count)
{
    const trib_plan *p = lane->plan;
    TRIB_TRY(begin(lane, TRIB_STAGE_FETCH, chunk, false));
    for (int i = 0; i < p->output_count; ++i)
        TRIB_TRY(trib_copy_to_host(lane->stages[TRIB_STAGE_FETCH], outputs[i], slot->outputs[i],
                                   trib_output_row_bytes(p, i) * (size_t)count));
    return end(lane, TRIB_STAGE_FETCH, chunk);
}

/* ---- chunks ---- */

static trib_status run_copied(trib_lane *lane, int64_t chunk, const void *const *inputs, int count,
                              void *const *outputs)
{
    const trib_slot *slot = &lane->slots[chunk % lane->order.slots];
    TRIB_TRY(load(lane, chunk, slot, inputs, count));
    TRIB_TRY(compute(lane, chunk, slot, false));
    return fetch(lane, chunk, slot, outputs, count);
}

/* Such a chunk is complete once it is computed. */
static trib_status run_resident(trib_lane *lane, int64_t chunk)
{
    TRIB_TRY(compute(lane, chunk, &lane->slots[chunk % lane->order.slots], true));
    return trib_event_record(reached(lane, TRIB_STAGE_FETCH, chunk), lane->stages[TRIB_STAGE_COMPUTE]);
}

static trib_status run_in_place(trib_lane *lane, int64_t chunk, const void *const *inputs, void *const *outputs)
{
    TRIB_TRY(trib_lane_run_ops(lane, inputs, outputs));
    return end(lane, TRIB_STAGE_FETCH, chunk);
}

static trib_status run(trib_lane *lane, int64_t chunk, const void *const *inputs, int count, void *const *outputs)
{
    bool host = trib_device_get_info(lane->device)->host;
    if (!inputs) return run_resident(lane, chunk);
    if (host && !lane->slots[0].capture && count == lane->plan->batch)
        return run_in_place(lane, chunk, inputs, outputs);
    return run_copied(lane, chunk, inputs, count, outputs);
}

static trib_traced_run *traced_run(trib_lane *lane, int64_t chunk)
{
    return &lane->runs[chunk % TRIB_CHUNKS_IN_FLIGHT];
}

static void begin_run(trib_lane *lane, int64_t chunk)
{
    const trib_trace_run run = { lane->index, (int)(chunk % TRIB_CHUNKS_IN_FLIGHT), lane->serial };
    if (!lane->trace) return;
    lane->run = traced_run(lane, chunk);
    trib_trace_begin_run(lane->trace, &run, lane->run);
}

trib_status trib_lane_make_room(trib_lane *lane)
{
    int64_t oldest = lane->submitted - TRIB_CHUNKS_IN_FLIGHT;
    return oldest >= lane->settled ? trib_lane_wait(lane, oldest, oldest + 1) : trib_success();
}

trib_region_row *trib_lane_rows(const trib_lane *lane)
{
    return lane->rows + lane->submitted % TRIB_CHUNKS_IN_FLIGHT * lane->plan->batch;
}

trib_status trib_lane_submit(trib_lane *lane, const void *const *inputs, int count, void *const *outputs)
{
    trib_status room = trib_lane_make_room(lane);
    int64_t chunk = lane->submitted++;
    if (trib_failed(&room)) return room;
    const trib_trace_range range = trib_lane_range(lane, TRIB_TRACE_CHUNK);
    trib_trace_push(lane->trace, &range);
    begin_run(lane, chunk);
    trib_status status = run(lane, chunk, inputs, count, outputs);
    if (lane->run) lane->run->incomplete = trib_failed(&status);
    lane->run = NULL;
    trib_trace_pop(lane->trace, &range);
    return trib_outcome(&status);
}

/* ---- waiting ---- */

/* Chunks that failed earlier stay failed, and so do those in between. */
static void fail_in_flight(trib_lane *lane, const trib_status *failure)
{
    if (lane->failed_from == lane->failed_to) lane->failed_from = lane->settled;
    lane->failed_to = lane->submitted;
    lane->failure = *failure;
}

/* `failure`: a known failure; otherwise the streams report it. */
static trib_status drain(trib_lane *lane, trib_status failure)
{
    for (int i = lane->plan->stream_count + TRIB_STAGE_COUNT; i-- > 0;) {
        trib_stream *stream = i < TRIB_STAGE_COUNT ? lane->stages[i] : lane->streams[i - TRIB_STAGE_COUNT];
        trib_status status = stream ? trib_stream_synchronize(stream) : trib_success();
        if (!trib_failed(&failure)) failure = status;
    }
    if (trib_failed(&failure)) fail_in_flight(lane, &failure);
    for (int64_t chunk = lane->settled; chunk < lane->submitted; ++chunk)
        trib_trace_end_run(traced_run(lane, chunk), trib_failed(&failure));
    lane->settled = lane->submitted;
    return failure;
}

trib_status trib_lane_drain(trib_lane *lane) { return drain(lane, trib_success()); }

/* Waits for chunk `settled`. After a failure, later chunks of this lane were not computed either. */
static void settle(trib_lane *lane)
{
    trib_status status = trib_event_synchronize(reached(lane, TRIB_STAGE_FETCH, lane->settled));
    if (trib_failed(&status)) {
        drain(lane, status);
        return;
    }
    trib_trace_end_run(traced_run(lane, lane->settled), false);
    ++lane->settled;
}

trib_status trib_lane_wait(trib_lane *lane, int64_t from, int64_t to)
{
    while (lane->settled < to) settle(lane);
    return from < lane->failed_to && to > lane->failed_from ? lane->failure : trib_success();
}

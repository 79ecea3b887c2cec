/* SPDX-License-Identifier: Apache-2.0
 * A lane's life. */
#include "session/lane.h"

#include <stdio.h>

#include "tributary/internal/alloc.h"

/* An input that is not per image, such as a step's controls, has one row for any count. */
size_t trib_input_bytes(const trib_plan *p, int input, int count)
{
    const int64_t *d = p->inputs[input].shape.dim;
    int64_t rows = d[0] == p->batch ? count : d[0];
    return (size_t)(rows * d[1] * d[2] * d[3]) * trib_dtype_size(p->inputs[input].dtype);
}

size_t trib_output_row_bytes(const trib_plan *p, int output)
{
    const trib_shape *s = &p->outputs[output].shape;
    int64_t elements = 1;
    for (int i = 1; i < s->rank; ++i) elements *= s->dim[i];
    return (size_t)elements * trib_dtype_size(p->outputs[output].dtype);
}

/* ---- streams and events ---- */

/* `number`: the plan's, or a higher one for a stream that copies. */
static trib_status open_stream(trib_lane *lane, int number, const char *name, trib_stream **out)
{
    char text[64];
    snprintf(text, sizeof text, "lane %d %s", lane->index, name);
    trib_stream_options o = { .name = text, .threads = lane->plan->threads };
    TRIB_TRY(trib_stream_create(lane->device, &o, out));
    trib_trace_name_stream(lane->trace, lane->index, number, text);
    return trib_success();
}

/* Stages that share the plan's stream 0 have number 0. */
static trib_status open_stages(trib_lane *lane)
{
    static const char *const names[TRIB_STAGE_COUNT] = { "copies in", "computing", "copies out" };
    for (int i = 0; i < TRIB_STAGE_COUNT; ++i) {
        const trib_stage_order *stage = &lane->order.stages[i];
        if (!stage->stream)
            lane->stages[i] = lane->streams[0];
        else
            TRIB_TRY(open_stream(lane, lane->plan->stream_count - 1 + stage->stream, names[i], &lane->stages[i]));
        for (int turn = 0; stage->recorded && turn < TRIB_CHUNKS_IN_FLIGHT; ++turn)
            TRIB_TRY(trib_event_create(lane->device, &lane->reached[i][turn]));
    }
    return trib_success();
}

static trib_status open_streams(trib_lane *lane)
{
    const trib_plan *p = lane->plan;
    lane->streams = trib_alloc_zeroed((size_t)p->stream_count, sizeof *lane->streams);
    lane->events = trib_alloc_zeroed((size_t)p->event_count, sizeof *lane->events);
    if (!lane->streams || !lane->events) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for lane %d", lane->index);
    for (int i = 0; i < p->stream_count; ++i) {
        char name[32];
        snprintf(name, sizeof name, "stream %d", i);
        TRIB_TRY(open_stream(lane, i, name, &lane->streams[i]));
    }
    for (int i = 0; i < p->event_count; ++i) TRIB_TRY(trib_event_create(lane->device, &lane->events[i]));
    return open_stages(lane);
}

/* ---- memory ---- */

static trib_status open_arena(trib_lane *lane)
{
    const trib_plan *p = lane->plan;
    void *arena = NULL;
    if (!p->arena_bytes) return trib_success();
    trib_status status = trib_device_alloc(lane->device, lane->streams[0], (size_t)p->arena_bytes, &arena);
    trib_add_context(&status, "the arena of %s at batch %d", p->graph_name, p->batch);
    lane->arena = arena;
    return status;
}

/* Rows beyond a short chunk are computed as well: zeros keep them finite. */
static trib_status open_input(trib_lane *lane, trib_slot *slot, int i)
{
    const trib_plan *p = lane->plan;
    size_t bytes = trib_input_bytes(p, i, p->batch);
    trib_status status = trib_device_alloc(lane->device, lane->streams[0], bytes, &slot->inputs[i]);
    if (!trib_failed(&status)) status = trib_fill_zero(lane->streams[0], slot->inputs[i], bytes);
    trib_add_context(&status, "input %s at batch %d", p->inputs[i].name, p->batch);
    return status;
}

static trib_status open_output(trib_lane *lane, trib_slot *slot, int i)
{
    const trib_plan *p = lane->plan;
    size_t bytes = trib_output_row_bytes(p, i) * (size_t)p->batch;
    trib_status status = trib_device_alloc(lane->device, lane->streams[0], bytes, &slot->outputs[i]);
    trib_add_context(&status, "output %s at batch %d", p->outputs[i].name, p->batch);
    return status;
}

static trib_status open_rows(trib_lane *lane)
{
    void *rows = NULL;
    if (!lane->plan->regions) return trib_success();
    size_t bytes = (size_t)lane->plan->batch * TRIB_CHUNKS_IN_FLIGHT * sizeof *lane->rows;
    trib_status status = trib_host_alloc(lane->device, bytes, &rows);
    trib_add_context(&status, "regions at batch %d", lane->plan->batch);
    lane->rows = rows;
    return status;
}

static trib_status open_slot(trib_lane *lane, trib_slot *slot)
{
    const trib_plan *p = lane->plan;
    slot->inputs = trib_alloc_zeroed((size_t)p->input_count, sizeof *slot->inputs);
    slot->outputs = trib_alloc_zeroed((size_t)p->output_count, sizeof *slot->outputs);
    if (!slot->inputs || !slot->outputs) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for lane %d", lane->index);
    for (int i = 0; i < p->input_count; ++i) TRIB_TRY(open_input(lane, slot, i));
    for (int i = 0; i < p->output_count; ++i) TRIB_TRY(open_output(lane, slot, i));
    return trib_success();
}

static void close_slot(trib_lane *lane, trib_slot *slot)
{
    const trib_plan *p = lane->plan;
    trib_capture_destroy(slot->capture);
    for (int i = 0; slot->inputs && i < p->input_count; ++i)
        trib_device_free(lane->device, lane->streams[0], slot->inputs[i]);
    for (int i = 0; slot->outputs && i < p->output_count; ++i)
        trib_device_free(lane->device, lane->streams[0], slot->outputs[i]);
    trib_free(slot->inputs);
    trib_free(slot->outputs);
}

/* ---- recording ---- */

/* A device loads kernels when they are first run: not while a graph is recorded. No range of a profiler's is about it.
 */
static trib_status warm_up(trib_lane *lane)
{
    const trib_trace *trace = lane->trace;
    if (trib_device_get_info(lane->device)->host) return trib_success();
    lane->trace = NULL;
    trib_status status = trib_lane_run_ops(lane, (const void *const *)lane->slots[0].inputs, lane->slots[0].outputs);
    trib_status done = trib_lane_drain(lane);
    lane->trace = trace;
    return trib_failed(&status) ? status : done;
}

static trib_status record(trib_lane *lane, trib_slot *slot)
{
    TRIB_TRY(trib_capture_begin(lane->streams[0]));
    trib_status status = trib_lane_run_ops(lane, (const void *const *)slot->inputs, slot->outputs);
    trib_status end = trib_capture_end(lane->streams[0], &slot->capture);
    if (trib_failed(&status)) return status;
    return end;
}

static trib_status record_slots(trib_lane *lane)
{
    lane->serial = -1;
    TRIB_TRY(warm_up(lane));
    for (int i = 0; i < lane->order.slots; ++i) {
        const trib_trace_range range = trib_lane_range(lane, TRIB_TRACE_CAPTURE);
        trib_trace_push(lane->trace, &range);
        trib_status status = record(lane, &lane->slots[i]);
        trib_trace_pop(lane->trace, &range);
        if (trib_failed(&status)) return status;
    }
    return trib_success();
}

/* ---- opening and closing ---- */

trib_status trib_lane_open(trib_lane *lane, trib_launch launch, int slots)
{
    const trib_device_info *info = trib_device_get_info(lane->device);
    if (launch == TRIB_GRAPH && !info->has_capture)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s cannot capture graphs; use launch eager", info->spec);
    if (trib_trace_only_eager(lane->trace)) launch = TRIB_EAGER;
    lane->order = trib_chunk_order_of(!info->host, slots);
    TRIB_TRY(trib_chunk_order_check(&lane->order));
    TRIB_TRY(open_streams(lane));
    TRIB_TRY(open_arena(lane));
    TRIB_TRY(open_rows(lane));
    bool in_place = info->host && launch != TRIB_GRAPH && (lane->plan->batch == 1 || lane->plan->training);
    for (int i = 0; !in_place && i < slots; ++i) TRIB_TRY(open_slot(lane, &lane->slots[i]));
    if (launch == TRIB_GRAPH) TRIB_TRY(record_slots(lane));
    return trib_stream_synchronize(lane->streams[0]); /* from here on, all streams may use the memory */
}

void trib_lane_close(trib_lane *lane)
{
    const trib_plan *p = lane->plan;
    if (lane->streams) trib_lane_drain(lane); /* failures were reported to the waiters */
    for (int i = 0; i < TRIB_MAX_SLOTS; ++i) close_slot(lane, &lane->slots[i]);
    trib_host_free(lane->device, lane->rows);
    if (lane->arena) trib_device_free(lane->device, lane->streams[0], lane->arena);
    for (int i = 0; lane->events && i < p->event_count; ++i) trib_event_destroy(lane->events[i]);
    for (int i = 0; i < TRIB_STAGE_COUNT; ++i) {
        for (int turn = 0; turn < TRIB_CHUNKS_IN_FLIGHT; ++turn) trib_event_destroy(lane->reached[i][turn]);
        if (lane->order.stages[i].stream) trib_stream_destroy(lane->stages[i]);
    }
    for (int i = 0; lane->streams && i < p->stream_count; ++i) trib_stream_destroy(lane->streams[i]);
    trib_free(lane->streams);
    trib_free(lane->events);
}

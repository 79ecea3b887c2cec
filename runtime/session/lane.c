/* SPDX-License-Identifier: Apache-2.0 */
#include "session/lane.h"

#include <stdio.h>

#include "tributary/internal/alloc.h"

size_t trib_input_row_bytes(const trib_plan *p)
{
    const int64_t *d = p->input_shape.dim;
    return (size_t)(d[1] * d[2] * d[3]) * trib_dtype_size(p->input_dtype);
}

size_t trib_output_row_bytes(const trib_plan *p, int output)
{
    const trib_shape *s = &p->outputs[output].shape;
    int64_t elements = 1;
    for (int i = 1; i < s->rank; ++i) elements *= s->dim[i];
    return (size_t)elements * trib_dtype_size(p->outputs[output].dtype);
}

/* ---- running the plan's ops ---- */

typedef struct bindings {
    unsigned char *arena;
    const void *input;
    void *const *outputs;
} bindings;

static void *address(const trib_plan *p, const bindings *b, int buffer)
{
    const trib_plan_buffer *where = &p->buffers[buffer];
    if (where->kind == TRIB_BUFFER_INPUT) return (void *)b->input;
    if (where->kind != TRIB_BUFFER_OUTPUT) return b->arena + where->offset;
    for (int i = 0; i < p->output_count; ++i)
        if (p->outputs[i].buffer == buffer) return b->outputs[i];
    return NULL;
}

static trib_status run_op(trib_lane *lane, const trib_plan_op *op, trib_op_handle *handle, const bindings *b)
{
    const void *inputs[TRIB_MAX_INPUTS] = { NULL };
    void *outputs[TRIB_MAX_OUTPUTS] = { NULL };
    for (int i = 0; i < op->desc.input_count; ++i)
        inputs[i] = (const unsigned char *)address(lane->plan, b, op->desc.inputs[i].buffer) +
                    trib_view_offset(&op->desc.inputs[i]);
    for (int i = 0; i < op->desc.output_count; ++i)
        outputs[i] = (unsigned char *)address(lane->plan, b, op->desc.outputs[i].buffer) +
                     trib_view_offset(&op->desc.outputs[i]);
    void *workspace = op->workspace >= 0 ? address(lane->plan, b, op->workspace) : NULL;
    trib_status status = trib_op_run(handle, lane->streams[op->stream], inputs, outputs, workspace);
    trib_add_context(&status, "layer %s", op->name);
    return status;
}

static trib_status give_op(trib_lane *lane, int index, const bindings *b)
{
    const trib_plan_op *op = &lane->plan->ops[index];
    for (int k = 0; k < op->wait_count; ++k)
        TRIB_TRY(trib_stream_wait(lane->streams[op->stream], lane->events[op->waits[k]]));
    if (lane->ops[index]) TRIB_TRY(run_op(lane, op, lane->ops[index], b));
    return op->record >= 0 ? trib_event_record(lane->events[op->record], lane->streams[op->stream]) : trib_success();
}

static trib_status run_ops(trib_lane *lane, const bindings *b)
{
    for (int i = 0; i < lane->plan->op_count; ++i) {
        trib_trace_push(lane->trace, i, lane->serial);
        trib_status status = give_op(lane, i, b);
        trib_trace_pop(lane->trace);
        TRIB_TRY(status);
    }
    return trib_success();
}

/* ---- building ---- */

static trib_status open_streams(trib_lane *lane)
{
    const trib_plan *p = lane->plan;
    lane->streams = trib_alloc_zeroed((size_t)p->stream_count, sizeof *lane->streams);
    lane->events = trib_alloc_zeroed((size_t)p->event_count, sizeof *lane->events);
    lane->outputs = trib_alloc_zeroed((size_t)p->output_count, sizeof *lane->outputs);
    if (!lane->streams || !lane->events || !lane->outputs)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for lane %d", lane->index);
    for (int i = 0; i < p->stream_count; ++i) {
        char name[32];
        snprintf(name, sizeof name, "lane %d stream %d", lane->index, i);
        trib_stream_options o = { .name = name, .threads = p->threads };
        TRIB_TRY(trib_stream_create(lane->device, &o, &lane->streams[i]));
    }
    for (int i = 0; i < p->event_count; ++i) TRIB_TRY(trib_event_create(lane->device, &lane->events[i]));
    for (int i = 0; i < TRIB_CHUNKS_IN_FLIGHT; ++i) TRIB_TRY(trib_event_create(lane->device, &lane->done[i]));
    return trib_success();
}

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

static trib_status open_staging(trib_lane *lane)
{
    const trib_plan *p = lane->plan;
    trib_stream *s = lane->streams[0];
    size_t input = trib_input_row_bytes(p) * (size_t)p->batch;
    trib_status status = trib_device_alloc(lane->device, s, input, &lane->input);
    /* rows beyond a short chunk are computed too: keep them finite */
    if (!trib_failed(&status)) status = trib_fill_zero(s, lane->input, input);
    trib_add_context(&status, "the input of %s at batch %d", p->graph_name, p->batch);
    for (int i = 0; i < p->output_count && !trib_failed(&status); ++i) {
        size_t bytes = trib_output_row_bytes(p, i) * (size_t)p->batch;
        status = trib_device_alloc(lane->device, s, bytes, &lane->outputs[i]);
        trib_add_context(&status, "output %s at batch %d", p->outputs[i].name, p->batch);
    }
    return status;
}

/* A device loads kernels when they are first run: not while a graph is recorded. No range of a profiler's is about it.
 */
static trib_status warm_up(trib_lane *lane, const bindings *b)
{
    const trib_trace *trace = lane->trace;
    if (trib_device_get_info(lane->device)->host) return trib_success();
    lane->trace = NULL;
    trib_status status = run_ops(lane, b), done = trib_lane_synchronize(lane);
    lane->trace = trace;
    return trib_failed(&status) ? status : done;
}

static trib_status capture(trib_lane *lane)
{
    bindings b = { lane->arena, lane->input, lane->outputs };
    TRIB_TRY(warm_up(lane, &b));
    TRIB_TRY(trib_capture_begin(lane->streams[0]));
    trib_status status = run_ops(lane, &b);
    trib_status end = trib_capture_end(lane->streams[0], &lane->capture);
    TRIB_TRY(status);
    return end;
}

trib_status trib_lane_open(trib_lane *lane, trib_launch launch)
{
    const trib_device_info *info = trib_device_get_info(lane->device);
    if (launch == TRIB_GRAPH && !info->has_capture)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s cannot capture graphs; use launch eager", info->spec);
    TRIB_TRY(open_streams(lane));
    TRIB_TRY(open_arena(lane));
    if (launch == TRIB_GRAPH || !info->host || lane->plan->batch > 1) TRIB_TRY(open_staging(lane));
    if (launch != TRIB_GRAPH) return trib_stream_synchronize(lane->streams[0]);
    lane->serial = -1;
    trib_trace_push(lane->trace, TRIB_TRACE_CAPTURE, lane->serial);
    trib_status status = capture(lane);
    trib_trace_pop(lane->trace);
    TRIB_TRY(status);
    return trib_stream_synchronize(lane->streams[0]);
}

void trib_lane_close(trib_lane *lane)
{
    const trib_plan *p = lane->plan;
    for (int i = 0; lane->streams && i < p->stream_count; ++i)
        if (lane->streams[i]) trib_stream_synchronize(lane->streams[i]); /* its failure was reported to whoever ran */
    trib_capture_destroy(lane->capture);
    if (lane->streams && lane->streams[0]) {
        trib_device_free(lane->device, lane->streams[0], lane->arena);
        trib_device_free(lane->device, lane->streams[0], lane->input);
        for (int i = 0; lane->outputs && i < p->output_count; ++i)
            trib_device_free(lane->device, lane->streams[0], lane->outputs[i]);
    }
    for (int i = 0; lane->events && i < p->event_count; ++i) trib_event_destroy(lane->events[i]);
    for (int i = 0; i < TRIB_CHUNKS_IN_FLIGHT; ++i) trib_event_destroy(lane->done[i]);
    for (int i = 0; lane->streams && i < p->stream_count; ++i) trib_stream_destroy(lane->streams[i]);
    trib_free(lane->streams);
    trib_free(lane->events);
    trib_free(lane->outputs);
}

/* ---- chunks ---- */

static trib_status launch_capture(trib_lane *lane)
{
    trib_trace_push(lane->trace, TRIB_TRACE_LAUNCH, lane->serial);
    trib_status status = trib_capture_launch(lane->capture, lane->streams[0]);
    trib_trace_pop(lane->trace);
    return status;
}

static trib_status submit_staged(trib_lane *lane, const void *input, int count, void *const *outputs)
{
    const trib_plan *p = lane->plan;
    bindings b = { lane->arena, lane->input, lane->outputs };
    TRIB_TRY(trib_copy_to_device(lane->streams[0], lane->input, input, trib_input_row_bytes(p) * (size_t)count));
    TRIB_TRY(lane->capture ? launch_capture(lane) : run_ops(lane, &b));
    for (int i = 0; i < p->output_count; ++i)
        TRIB_TRY(trib_copy_to_host(lane->streams[0], outputs[i], lane->outputs[i],
                                   trib_output_row_bytes(p, i) * (size_t)count));
    return trib_success();
}

trib_status trib_lane_submit(trib_lane *lane, const void *input, int count, void *const *outputs)
{
    trib_event *done = lane->done[lane->chunks % TRIB_CHUNKS_IN_FLIGHT];
    if (lane->chunks >= TRIB_CHUNKS_IN_FLIGHT) TRIB_TRY(trib_event_synchronize(done));
    bool in_place = trib_device_get_info(lane->device)->host && !lane->capture && count == lane->plan->batch;
    bindings b = { lane->arena, input, outputs };
    trib_trace_push(lane->trace, TRIB_TRACE_CHUNK, lane->serial);
    trib_status status = in_place ? run_ops(lane, &b) : submit_staged(lane, input, count, outputs);
    trib_trace_pop(lane->trace);
    TRIB_TRY(status);
    TRIB_TRY(trib_event_record(done, lane->streams[0]));
    ++lane->chunks;
    return trib_success();
}

trib_status trib_lane_synchronize(trib_lane *lane)
{
    trib_status first = trib_success();
    for (int i = lane->plan->stream_count; i-- > 0;) {
        trib_status status = trib_stream_synchronize(lane->streams[i]);
        if (trib_failed(&status) && !trib_failed(&first)) first = status;
    }
    lane->chunks = 0; /* nothing is in flight, and what failed is not reported again */
    return first;
}

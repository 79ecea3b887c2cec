/* SPDX-License-Identifier: Apache-2.0
 * Enqueues a plan's ops on a lane's streams. */
#include "session/lane.h"

typedef struct bindings {
    const void *const *inputs;
    void *const *outputs;
} bindings;

static void *address(const trib_lane *lane, const bindings *b, int buffer)
{
    const trib_plan *p = lane->plan;
    const trib_plan_buffer *where = &p->buffers[buffer];
    switch (trib_buffer_area(where->kind)) {
    case TRIB_AREA_ARENA: return lane->arena + where->offset;
    case TRIB_AREA_PARAMETERS: return lane->parameters + where->offset;
    default: break;
    }
    for (int i = 0; i < p->input_count; ++i)
        if (p->inputs[i].buffer == buffer) return (void *)b->inputs[i];
    int i = 0; /* a buffer that is nothing else is an output's */
    while (i + 1 < p->output_count && p->outputs[i].buffer != buffer) ++i;
    return b->outputs[i];
}

static trib_status run_op(trib_lane *lane, int index, const bindings *b)
{
    const trib_plan_op *op = &lane->plan->ops[index];
    const void *inputs[TRIB_MAX_INPUTS] = { NULL };
    void *outputs[TRIB_MAX_OUTPUTS] = { NULL };
    for (int i = 0; i < op->desc.input_count; ++i)
        inputs[i] =
            (const unsigned char *)address(lane, b, op->desc.inputs[i].buffer) + trib_view_offset(&op->desc.inputs[i]);
    for (int i = 0; i < op->desc.output_count; ++i)
        outputs[i] =
            (unsigned char *)address(lane, b, op->desc.outputs[i].buffer) + trib_view_offset(&op->desc.outputs[i]);
    void *workspace = op->workspace >= 0 ? address(lane, b, op->workspace) : NULL;
    const void *packed = op->parameters >= 0 ? address(lane, b, op->parameters) : NULL;
    trib_status status = trib_op_run(lane->ops[index], lane->streams[op->stream], inputs, outputs, packed, workspace);
    trib_add_context(&status, "layer %s", op->name);
    return trib_outcome(&status);
}

static trib_status run_observed(trib_lane *lane, int index, const bindings *b)
{
    trib_stream *stream = lane->streams[lane->plan->ops[index].stream];
    TRIB_TRY(trib_trace_observe(lane->trace, stream, lane->run, index));
    trib_status status = run_op(lane, index, b);
    trib_status end = trib_trace_observed(lane->trace, stream);
    return trib_failed(&status) ? trib_outcome(&status) : trib_outcome(&end);
}

static trib_status give_op(trib_lane *lane, int index, const bindings *b)
{
    const trib_plan_op *op = &lane->plan->ops[index];
    for (int k = 0; k < op->wait_count; ++k)
        TRIB_TRY(trib_stream_wait(lane->streams[op->stream], lane->events[op->waits[k]]));
    trib_trace_issue(lane->trace, lane->run, index);
    if (lane->ops[index]) TRIB_TRY(run_observed(lane, index, b));
    if (op->record >= 0) TRIB_TRY(trib_event_record(lane->events[op->record], lane->streams[op->stream]));
    return trib_success();
}

trib_status trib_lane_run_ops(trib_lane *lane, const void *const *inputs, void *const *outputs)
{
    bindings b = { inputs, outputs };
    for (int i = 0; i < lane->plan->op_count; ++i) {
        const int stream = lane->plan->ops[i].stream;
        const trib_trace_range range = { TRIB_TRACE_OP, lane->index, stream, i, lane->serial };
        trib_trace_push(lane->trace, &range);
        trib_status status = give_op(lane, i, &b);
        trib_trace_pop(lane->trace, &range);
        if (trib_failed(&status)) return status;
    }
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * An implementation for every op that runs. */
#include "graph/kinds.h"
#include "lowering/measure.h"
#include "lowering/passes.h"
#include "lowering/runnable.h"
#include "lowering/stages.h"
#include "lowering/traffic.h"
#include "tributary/internal/alloc.h"

/* A row (N,C,1,1) is the same in NCHW and NHWC, so its producer can write directly to the caller's buffer, unless it
 * updates in place. */
static bool can_write_output(const trib_plan *p, const trib_plan_op *to_output)
{
    const trib_view *from = &to_output->desc.inputs[0], *to = &to_output->desc.outputs[0];
    if (to_output->desc.kind != TRIB_REORDER || p->buffers[to->buffer].kind != TRIB_BUFFER_OUTPUT) return false;
    if (from->h != 1 || from->w != 1 || trib_layout_block(from->layout) != 1 || from->c != from->c_total) return false;
    if (from->dtype != to->dtype) return false;
    const trib_plan_op *producer = p->op_count ? &p->ops[p->op_count - 1] : NULL;
    return producer && producer->implementation && producer->desc.outputs[0].buffer == from->buffer &&
           !trib_op_in_place(&producer->desc) && p->buffers[from->buffer].kind == TRIB_BUFFER_ACTIVATION;
}

/* The last op writes `to` instead of `from`, and later ops read it there. */
static void move_output(trib_lowering *l, int from, int to, trib_plan_op *later, int count)
{
    trib_lowering_forget_buffer(l, from);
    l->plan->ops[l->plan->op_count - 1].desc.outputs[0].buffer = to;
    for (int i = 0; i < count; ++i)
        for (int k = 0; k < later[i].desc.input_count; ++k)
            if (later[i].desc.inputs[k].buffer == from) later[i].desc.inputs[k].buffer = to;
}

static bool runs_nothing(const trib_op_desc *d)
{
    return d->kind == TRIB_INPUT || (d->kind == TRIB_CONCAT && d->inputs[0].buffer == d->outputs[0].buffer);
}

/* Of the fork: those that run at the same time as the op. */
static int branches_beside(const trib_lowering *l, const trib_plan_op *ops, int count, int index, int fork)
{
    if (l->plan->forks[fork].stages) return trib_stage_of(l, ops, count, index, fork).width - 1;
    return l->plan->forks[fork].schedule == TRIB_SERIAL ? 0 : l->graph->forks[fork].branch_count - 1;
}

/* cpu: branches that run at the same time share the cores; the trunk, and ops only in serial forks, have all of them.
 */
static int share_of_cores(const trib_lowering *l, const trib_plan_op *ops, int count, int index)
{
    int threads = l->options.threads, branches = 1;
    for (int f = ops[index].fork; f >= 0; f = l->graph->forks[f].parent)
        branches += branches_beside(l, ops, count, index, f);
    return threads > branches ? threads / branches : 1; /* 0 (not a cpu) becomes 1 */
}

/* cpu, training: a function of the batch alone, because sums over a batch are made chunk by chunk. Large chunks read
 * weights less often (measured: a quarter of the batch is 3 to 8 % faster on two cores), and small ones keep more cores
 * busy. */
static int chunk_of(const trib_lowering *l)
{
    enum { CHUNKS = 8, MOST = 32 };
    if (!l->options.training || !trib_device_get_info(l->device)->host) return 0;
    int chunk = (l->options.batch + CHUNKS - 1) / CHUNKS;
    return chunk < MOST ? chunk : MOST;
}

/* Only products have such implementations, and none of a cpu's. */
static bool may_sum_in_any_order(const trib_lowering *l, const trib_plan_op *op)
{
    return l->options.any_order && !trib_device_get_info(l->device)->host && trib_is_product(op->desc.kind);
}

static trib_status choose_all(trib_lowering *l, trib_plan_op *todo, int count, int *slices_given_up)
{
    for (int i = 0; i < count; ++i) {
        trib_plan_op *op = &todo[i];
        op->desc.threads = share_of_cores(l, todo, count, i);
        op->desc.chunk = chunk_of(l);
        op->desc.any_order = may_sum_in_any_order(l, op);
        if (can_write_output(l->plan, op))
            move_output(l, op->desc.inputs[0].buffer, op->desc.outputs[0].buffer, op + 1, count - i - 1);
        else if (runs_nothing(&op->desc))
            TRIB_TRY(trib_lowering_add_op(l, op));
        else
            TRIB_TRY(trib_add_runnable_op(l, op, slices_given_up));
    }
    return trib_success();
}

static trib_status note(trib_lowering *l, int slices_given_up)
{
    TRIB_TRY(trib_lowering_note(l, "choose_implementation: layout %s, %s; %d slices given up for a copy",
                                trib_layout_name(l->plan->layout),
                                l->options.measure ? "measured" : "ranked by the device", slices_given_up));
    if (!l->options.measure) return trib_success();
    return trib_lowering_note(
        l,
        "choose_implementation: a time is the median of %d, each of up to %d runs behind each "
        "other; +- is the middle half of them; of candidates within that, and 2 %%, of the fastest "
        "the one with the smallest workspace is taken",
        TRIB_MEASURE_REPEATS, TRIB_MEASURE_RUNS);
}

trib_status trib_pass_choose_implementation(trib_lowering *l)
{
    trib_plan *p = l->plan;
    trib_plan_op *todo = p->ops;
    int count = p->op_count, slices_given_up = 0;
    p->ops = NULL; /* refilled: some ops get others before or after them */
    p->op_count = 0;
    l->op_capacity = 0;
    trib_status status = choose_all(l, todo, count, &slices_given_up);
    trib_free(todo);
    TRIB_TRY(status);
    for (int i = 0; i < p->op_count; ++i)
        if (p->ops[i].implementation) p->ops[i].bytes = trib_op_traffic(l->graph, &p->ops[i]);
    return note(l, slices_given_up);
}

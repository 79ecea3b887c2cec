/* SPDX-License-Identifier: Apache-2.0
 * The schedule of each fork: which of its branches stay on the surrounding stream. `serial`: all. `branches`:
 * the first; each other branch gets a stream of its own. `fused`: the merged reductions, and after them the branch with
 * the most work. With stages: see stages.h. Forks in sequence reuse streams. The content of a branch that stays,
 * including nested forks, begins on the stream of the branch. A branch's backward ops are on the stream of the branch,
 * but for gradients of weights. */
#include <string.h>

#include "lowering/fork_join.h"
#include "lowering/passes.h"
#include "lowering/stages.h"
#include "lowering/weight_gradients.h"
#include "tributary/internal/alloc.h"

typedef struct placing {
    const trib_lowering *l;
    int *first; /* first extra stream of each fork */
    int *stays; /* the branch of each fork that stays on the parent's stream; in a serial fork all do */
} placing;

/* A merged op belongs to several branches: it runs before them, on the parent's stream. */
static bool is_merged(const trib_plan_op *op) { return op->part_count > 1; }

/* FLOPs of a branch, -1 if it has no op of its own. */
static int64_t work_of(const trib_lowering *l, int fork, int branch)
{
    int64_t flops = -1;
    for (int i = 0; i < l->plan->op_count; ++i) {
        const trib_plan_op *op = &l->plan->ops[i];
        if (op->fork != fork || op->branch != branch || is_merged(op)) continue;
        flops = (flops < 0 ? 0 : flops) + op->flops;
    }
    return flops;
}

static int heaviest_branch(const trib_lowering *l, int fork)
{
    int heaviest = 0;
    int64_t most = -1;
    for (int branch = 0; branch < l->graph->forks[fork].branch_count; ++branch) {
        int64_t work = work_of(l, fork, branch);
        if (work <= most) continue;
        most = work;
        heaviest = branch;
    }
    return heaviest;
}

static bool stays(const placing *p, int fork, int branch)
{
    return branch == p->stays[fork] || p->l->plan->forks[fork].schedule == TRIB_SERIAL;
}

/* How many earlier branches of the fork have their own stream: those that stay, or have nothing to run, need none. */
static int place_of(const placing *p, int fork, int branch)
{
    int place = 0;
    for (int b = 0; b < branch; ++b) place += !stays(p, fork, b) && work_of(p->l, fork, b) >= 0;
    return place;
}

/* Beside the fork's own. */
static int streams_of(const placing *p, int fork)
{
    if (p->l->plan->forks[fork].stages) return trib_staged_streams(p->l, fork);
    return place_of(p, fork, p->l->graph->forks[fork].branch_count);
}

/* Forks on the trunk share their streams, a nested fork never shares with the forks around it. */
static void first_streams(placing *p)
{
    const trib_graph *g = p->l->graph;
    int nested = 1;
    for (int f = 0; f < (int)g->fork_count; ++f) {
        int own = streams_of(p, f);
        if (g->forks[f].parent < 0 && 1 + own > nested) nested = 1 + own;
    }
    for (int f = 0; f < (int)g->fork_count; ++f) {
        p->first[f] = g->forks[f].parent < 0 ? 1 : nested;
        if (g->forks[f].parent >= 0) nested += streams_of(p, f);
    }
}

/* 0: the fork's own stream; then those that it needs beside it. */
static int slot_of(const placing *p, int op, int fork, int branch)
{
    const trib_plan *plan = p->l->plan;
    if (plan->forks[fork].stages) return trib_stage_of(p->l, plan->ops, plan->op_count, op, fork).slot;
    if (is_merged(&plan->ops[op])) branch = p->stays[fork];
    return stays(p, fork, branch) ? 0 : 1 + place_of(p, fork, branch);
}

static int stream_of(const placing *p, int op)
{
    const trib_graph *g = p->l->graph;
    int branch = p->l->plan->ops[op].branch;
    for (int fork = p->l->plan->ops[op].fork; fork >= 0; fork = g->forks[fork].parent) {
        const int slot = slot_of(p, op, fork, branch);
        if (slot) return p->first[fork] + slot - 1;
        branch = g->forks[fork].parent_branch;
    }
    return 0;
}

static trib_status place_all(trib_lowering *l)
{
    const trib_graph *g = l->graph;
    placing p = { l, trib_alloc_zeroed(g->fork_count, sizeof *p.first),
                  trib_alloc_zeroed(g->fork_count, sizeof *p.stays) };
    trib_status status = p.first && p.stays ? trib_success() : trib_plan_no_memory();
    if (!trib_failed(&status)) {
        for (int f = 0; f < l->plan->fork_count; ++f)
            if (l->plan->forks[f].schedule == TRIB_FUSED) p.stays[f] = heaviest_branch(l, f);
        first_streams(&p);
        for (int i = 0; i < l->plan->op_count; ++i) {
            trib_plan_op *op = &l->plan->ops[i];
            op->stream = stream_of(&p, i);
            if (op->stream >= l->plan->stream_count) l->plan->stream_count = op->stream + 1;
        }
    }
    trib_free(p.first);
    trib_free(p.stays);
    return status;
}

static trib_status place_beside(trib_lowering *l)
{
    trib_lag lag;
    trib_barriers barriers = { 0 };
    trib_status status = trib_place_weight_gradients(l, &lag);
    if (!trib_failed(&status)) status = trib_barriers_of(l, &barriers);
    if (!trib_failed(&status)) status = trib_connect_streams(l, &lag, &barriers);
    trib_free(lag.ended);
    trib_free(barriers.levels);
    return status;
}

trib_status trib_pass_assign_streams(trib_lowering *l)
{
    l->plan->stream_count = 1;
    l->plan->event_count = 0;
    TRIB_TRY(trib_order_by_stages(l));
    TRIB_TRY(place_all(l));
    TRIB_TRY(place_beside(l));
    TRIB_TRY(trib_note_stages(l));
    char schedule[400];
    if (trib_plan_schedule_text(l->plan, schedule, sizeof schedule) >= sizeof schedule)
        memcpy(schedule + sizeof schedule - 4, "...", 4);
    return trib_lowering_note(l, "assign_streams: %s, %d streams, %d events", schedule, l->plan->stream_count,
                              l->plan->event_count);
}

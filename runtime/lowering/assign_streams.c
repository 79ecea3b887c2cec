/* SPDX-License-Identifier: Apache-2.0
 * The schedule. `serial`: stream 0. `branches`: branch 0 of a fork stays on its parent's stream, each other branch gets
 * a stream of its own; forks that follow one another use the same streams again. `fused`: the merged reductions run on
 * the parent's stream, and so does the branch with the most work behind them. */
#include <string.h>

#include "lowering/fork_join.h"
#include "lowering/passes.h"
#include "tributary/internal/alloc.h"

typedef struct placing {
    const trib_lowering *l;
    int *first; /* first extra stream of each fork */
    int *stays; /* the branch of each fork that stays on the parent's stream */
} placing;

/* A merged op belongs to several branches: it runs before them, on the parent's stream. */
static bool is_merged(const trib_plan_op *op) { return op->part_count > 1; }

/* FLOPs of a branch, -1 when it has no op of its own. */
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

/* Forks on the trunk share their streams, a nested fork never shares with the forks around it. */
static void first_streams(const trib_graph *g, int *first)
{
    int nested = 1;
    for (size_t i = 0; i < g->fork_count; ++i)
        if (g->forks[i].parent < 0 && g->forks[i].branch_count > nested) nested = g->forks[i].branch_count;
    for (size_t i = 0; i < g->fork_count; ++i) {
        first[i] = g->forks[i].parent < 0 ? 1 : nested;
        if (g->forks[i].parent >= 0) nested += g->forks[i].branch_count - 1;
    }
}

/* Which of the fork's extra streams: branches that stay, or have nothing left to run, need none. */
static int place_of(const placing *p, int fork, int branch)
{
    int place = 0;
    for (int b = 0; b < branch; ++b) place += b != p->stays[fork] && work_of(p->l, fork, b) >= 0;
    return place;
}

static int stream_of(const placing *p, const trib_plan_op *op)
{
    const trib_graph *g = p->l->graph;
    int fork = op->fork, branch = op->branch;
    if (fork >= 0 && is_merged(op)) branch = p->stays[fork];
    while (fork >= 0 && branch == p->stays[fork]) {
        branch = g->forks[fork].parent_branch;
        fork = g->forks[fork].parent;
    }
    return fork < 0 ? 0 : p->first[fork] + place_of(p, fork, branch);
}

static trib_status place_all(trib_lowering *l)
{
    const trib_graph *g = l->graph;
    placing p = { l, trib_alloc_zeroed(g->fork_count, sizeof *p.first),
                  trib_alloc_zeroed(g->fork_count, sizeof *p.stays) };
    trib_status status = p.first && p.stays ? trib_success() : trib_plan_no_memory();
    if (!trib_failed(&status)) {
        first_streams(g, p.first);
        for (size_t f = 0; l->options.schedule == TRIB_FUSED && f < g->fork_count; ++f)
            p.stays[f] = heaviest_branch(l, (int)f);
        for (int i = 0; i < l->plan->op_count; ++i) {
            trib_plan_op *op = &l->plan->ops[i];
            op->stream = stream_of(&p, op);
            if (op->stream >= l->plan->stream_count) l->plan->stream_count = op->stream + 1;
        }
    }
    trib_free(p.first);
    trib_free(p.stays);
    return status;
}

trib_status trib_pass_assign_streams(trib_lowering *l)
{
    l->plan->stream_count = 1;
    l->plan->event_count = 0;
    if (l->options.schedule != TRIB_SERIAL) TRIB_TRY(place_all(l));
    TRIB_TRY(trib_connect_streams(l));
    return trib_lowering_note(l, "assign_streams: %s, %d streams, %d events", trib_schedule_name(l->options.schedule),
                              l->plan->stream_count, l->plan->event_count);
}

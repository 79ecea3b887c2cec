/* SPDX-License-Identifier: Apache-2.0
 * The schedule. `serial`: stream 0. `branches`: branch 0 of a fork stays on its parent's stream, each other branch gets
 * a stream of its own; forks that follow one another use the same streams again. */
#include <string.h>

#include "passes/fork_join.h"
#include "passes/passes.h"
#include "tributary/internal/alloc.h"

/* First extra stream of each fork: forks on the trunk share theirs, a nested fork never shares with the forks around
 * it. */
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

static int stream_of(const trib_graph *g, const int *first, int fork, int branch)
{
    while (fork >= 0 && branch == 0) {
        branch = g->forks[fork].parent_branch;
        fork = g->forks[fork].parent;
    }
    return fork < 0 ? 0 : first[fork] + branch - 1;
}

trib_status trib_pass_assign_streams(trib_lowering *l)
{
    const trib_graph *g = l->graph;
    l->stream_count = 1;
    l->event_count = 0;
    if (l->options.schedule == TRIB_BRANCHES) {
        int *first = trib_alloc_zeroed(g->fork_count, sizeof *first);
        if (!first) return trib_lowering_no_memory();
        first_streams(g, first);
        for (size_t i = 0; i < l->op_count; ++i) {
            trib_plan_op *op = &l->ops[i];
            op->stream = stream_of(g, first, op->fork, op->branch);
            if (op->stream >= l->stream_count) l->stream_count = op->stream + 1;
        }
        trib_free(first);
    }
    TRIB_TRY(trib_connect_streams(l));
    return trib_lowering_note(l, "assign_streams: %s, %d streams, %d events", trib_schedule_name(l->options.schedule),
                              l->stream_count, l->event_count);
}

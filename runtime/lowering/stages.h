/* SPDX-License-Identifier: Apache-2.0
 * Forks whose branches run in stages: the place of each op, and its order in the plan. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_STAGES_H
#define TRIBUTARY_RUNTIME_LOWERING_STAGES_H

#include "lowering/lowering.h"
#include "plan/stages.h"

/* How many layers of a branch count in stages, at least one; and which of them, from 0, a layer is or belongs to. */
int trib_layers_of_branch(const trib_graph *graph, int fork, int branch);
int trib_number_in_branch(const trib_graph *graph, int fork, int branch, int layer);

/* Fails if the stages of a fork do not fit its branches. */
trib_status trib_check_stages(const trib_graph *graph, const trib_plan_fork *forks, int fork);

/* The number of the first op that belongs to backward: a loss. `count` if there is none. */
int trib_first_backward(const trib_plan_op *ops, int count);

/* Where op `index` of a list is among the stages of `fork`, which has some and the op inside. */
trib_stage_place trib_stage_of(const trib_lowering *lowering, const trib_plan_op *ops, int count, int index, int fork);
/* Streams that the fork needs beside its own, forward and backward. */
int trib_staged_streams(const trib_lowering *lowering, int fork);
bool trib_is_inside(const trib_lowering *lowering, const trib_plan_op *op, int fork);

/* Puts the ops of each such fork in the order of its stages, as far as what they read and write allows. */
trib_status trib_order_by_stages(trib_lowering *lowering);

/* For op i and fork f, levels[i * forks + f]: barriers before it, a forward op's even, a backward op's odd; -1: f has
 * no stages, or the op is outside. */
typedef struct trib_barriers {
    int forks, *levels; /* NULL: no fork has any */
} trib_barriers;
trib_status trib_barriers_of(const trib_lowering *lowering, trib_barriers *out);
/* Whether op b must wait for op a only because there is a barrier between their stages. */
static inline bool trib_barrier_between(const trib_barriers *barriers, int a, int b)
{
    const int *from = &barriers->levels[a * barriers->forks], *to = &barriers->levels[b * barriers->forks];
    for (int f = 0; f < barriers->forks; ++f)
        if (from[f] >= 0 && from[f] < to[f] && from[f] % 2 == to[f] % 2) return true;
    return false;
}

/* Notes for --explain: the layers of each stage. */
trib_status trib_note_stages(trib_lowering *lowering);

#endif

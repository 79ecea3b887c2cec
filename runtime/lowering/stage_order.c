/* SPDX-License-Identifier: Apache-2.0
 * Each stream runs its ops in the order of the plan, so ops of a later stage must come later in it. An op never passes
 * one that it must follow: it then comes later than its stage says. */
#include <limits.h>
#include <string.h>

#include "lowering/fork_join.h"
#include "lowering/stages.h"
#include "tributary/internal/alloc.h"

/* A piece of the plan, from a fork's first op to its last, forward or backward. */
typedef struct piece {
    trib_lowering *l;
    int fork, first, count;
    int *stage;    /* of each op; INT_MAX: not of the fork */
    int *order;    /* places -> ops, both from 0 */
    bool *follows; /* count x count: the first op must follow the second */
    bool *placed;
} piece;

static bool is_ready(const piece *p, int op)
{
    for (int j = 0; j < op; ++j)
        if (!p->placed[j] && p->follows[op * p->count + j]) return false;
    return true;
}

/* Of the ops whose turn may come, the first of the earliest stage. */
static int next_op(const piece *p)
{
    int best = -1;
    for (int i = 0; i < p->count; ++i)
        if (!p->placed[i] && (best < 0 || p->stage[i] < p->stage[best]) && is_ready(p, i)) best = i;
    return best;
}

static void find_order(piece *p)
{
    const trib_plan *plan = p->l->plan;
    for (int i = 0; i < p->count; ++i) {
        const bool inside = trib_is_inside(p->l, &plan->ops[p->first + i], p->fork);
        p->stage[i] = inside ? trib_stage_of(p->l, plan->ops, plan->op_count, p->first + i, p->fork).stage : INT_MAX;
        for (int j = 0; j < i; ++j)
            p->follows[i * p->count + j] = trib_must_follow(plan, &plan->ops[p->first + i], &plan->ops[p->first + j]);
    }
    for (int place = 0; place < p->count; ++place) {
        p->order[place] = next_op(p);
        p->placed[p->order[place]] = true;
    }
}

/* What prepares parameters knows its op by number. */
static void move_ops(const piece *p, const trib_plan_op *before)
{
    trib_plan *plan = p->l->plan;
    int *place = p->stage; /* ops -> places; no longer needed */
    for (int i = 0; i < p->count; ++i) {
        plan->ops[p->first + i] = before[p->order[i]];
        place[p->order[i]] = i;
    }
    for (int i = 0; i < plan->prepare_count; ++i) {
        const int op = plan->prepare[i].consumer - p->first;
        if (op >= 0 && op < p->count) plan->prepare[i].consumer = p->first + place[op];
    }
}

static trib_status order_piece(trib_lowering *l, int fork, int first, int count)
{
    const size_t n = (size_t)count;
    piece p = { .l = l, .fork = fork, .first = first, .count = count };
    trib_plan_op *before = trib_alloc_zeroed(n, sizeof *before);
    p.stage = trib_alloc_zeroed(n, sizeof *p.stage);
    p.order = trib_alloc_zeroed(n, sizeof *p.order);
    p.follows = trib_alloc_zeroed(n * n, sizeof *p.follows);
    p.placed = trib_alloc_zeroed(n, sizeof *p.placed);
    const bool room = before && p.stage && p.order && p.follows && p.placed;
    if (room) {
        find_order(&p);
        memcpy(before, &l->plan->ops[first], n * sizeof *before);
        move_ops(&p, before);
    }
    trib_free(before);
    trib_free(p.stage);
    trib_free(p.order);
    trib_free(p.follows);
    trib_free(p.placed);
    return room ? trib_success() : trib_plan_no_memory();
}

/* The fork's ops between two numbers. */
static trib_status order_between(trib_lowering *l, int fork, int from, int to)
{
    int first = -1, last = -1;
    for (int i = from; i < to; ++i) {
        if (!trib_is_inside(l, &l->plan->ops[i], fork)) continue;
        if (first < 0) first = i;
        last = i;
    }
    return first < 0 ? trib_success() : order_piece(l, fork, first, last - first + 1);
}

/* Forks come after those around them. */
trib_status trib_order_by_stages(trib_lowering *l)
{
    const trib_plan *p = l->plan;
    const int backward = trib_first_backward(p->ops, p->op_count);
    for (int f = 0; f < p->fork_count; ++f) {
        if (!p->forks[f].stages) continue;
        TRIB_TRY(order_between(l, f, 0, backward));
        TRIB_TRY(order_between(l, f, backward, p->op_count));
    }
    return trib_success();
}

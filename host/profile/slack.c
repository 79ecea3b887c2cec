/* SPDX-License-Identifier: Apache-2.0
 * How much later each op could end. An op could wait until the last of what its followers wait for anyway; the gap
 * between that and their start stays. */
#include "profile/analysis.h"

static void limit(int64_t *slack, int64_t to)
{
    if (to < *slack) *slack = to;
}

/* `next` follows `op`. */
static void follow(trib_analysis *a, int op, int next)
{
    const trib_profile_op_result *after = &a->ops[next];
    trib_profile_op_result *r = &a->ops[op];
    const int64_t spare = after->ready - r->to;
    limit(&r->slack, spare + after->slack);
    if (a->mark[op] == a->mark[next]) limit(&r->window_slack, spare + after->window_slack);
}

/* The window that an op ends in; one that ends on an edge belongs to the window before it, unless it is a point that
 * has its own window there. */
static int window_of_end(const trib_analysis *a, int i)
{
    const trib_profile_op_result *op = &a->ops[i];
    if (op->from == op->to) return trib_analysis_window_at(a, i, op->to);
    return trib_analysis_window_after(a, op->to - 1);
}

void trib_analysis_slack(trib_analysis *a)
{
    for (int i = 0; i < a->graph->op_count; ++i) {
        a->mark[i] = window_of_end(a, i);
        a->ops[i].slack = a->out->total.to - a->ops[i].to;
        a->ops[i].window_slack = a->cuts[a->mark[i] + 1] - a->ops[i].to;
    }
    for (int i = a->graph->op_count - 1; i >= 0; --i) {
        const trib_profile_op *op = trib_analysis_op(a, i);
        if (a->before[i] >= 0) follow(a, a->before[i], i);
        for (int k = 0; k < op->wait_count; ++k) follow(a, op->waits[k], i);
    }
}

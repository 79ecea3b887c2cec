/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/roofline.h"

#include <string.h>

/* Only products run at the rate of the precision; all other computing is hidden by its memory traffic. */
trib_bound trib_bound_of(const trib_plan *p, const trib_plan_op *op)
{
    trib_bound b = { 0 };
    if (p->copy_rate > 0) b.memory = (double)op->bytes / p->copy_rate;
    if (p->math_rate > 0 && trib_is_product(op->desc.kind)) b.math = (double)op->flops / p->math_rate;
    return b;
}

double trib_bound_seconds(const trib_bound *b) { return b->math > b->memory ? b->math : b->memory; }

const char *trib_bound_name(const trib_bound *b) { return b->math > b->memory ? "math" : "memory"; }

static void add(trib_roofline *r, const trib_plan_op *op, const trib_bound *b)
{
    r->flops += op->flops;
    r->bytes += op->bytes;
    r->each.memory += b->memory;
    r->each.math += b->math;
    r->seconds += trib_bound_seconds(b);
}

trib_roofline trib_roofline_of(const trib_plan *p, trib_roofline *by_work)
{
    trib_roofline all = { 0 };
    if (by_work) memset(by_work, 0, TRIB_WORK_COUNT * sizeof *by_work);
    for (int i = 0; i < p->op_count; ++i) {
        const trib_plan_op *op = &p->ops[i];
        const trib_bound b = trib_bound_of(p, op);
        add(&all, op, &b);
        if (by_work) add(&by_work[trib_kind_row_of(op->desc.kind)->work], op, &b);
    }
    return all;
}

double trib_plan_seconds_at_best(const trib_plan *p) { return trib_roofline_of(p, NULL).seconds; }

const char *trib_work_name(trib_work work)
{
    static const char *const names[TRIB_WORK_COUNT] = {
        [TRIB_WORK_OTHER] = "all other",
        [TRIB_WORK_FORWARD] = "forward products",
        [TRIB_WORK_BACKWARD_DATA] = "backward data",
        [TRIB_WORK_BACKWARD_WEIGHT] = "backward weight",
        [TRIB_WORK_BATCH_NORM] = "batch norm",
        [TRIB_WORK_POOL] = "pools",
        [TRIB_WORK_UPDATE] = "update",
    };
    return (unsigned)work < TRIB_WORK_COUNT ? names[work] : "unknown";
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "lowering/candidates.h"

#include <stdio.h>
#include <string.h>

static int find(const trib_candidates *c, const char *name)
{
    for (int i = 0; name && i < c->count; ++i)
        if (!strcmp(c->list[i].name, name)) return i;
    return -1;
}

/* Other implementations may take layouts that the reference does not: it then gets a reorder instead. */
static void keep_reference(trib_candidates *c)
{
    int reference = find(c, "reference");
    if (reference < 0 && c->count) snprintf(c->reason, sizeof c->reason, "the reference takes other layouts");
    if (reference > 0) c->list[0] = c->list[reference];
    c->count = reference >= 0;
}

trib_status trib_ask_candidates(const trib_lowering *l, const trib_op_desc *desc, trib_candidates *c)
{
    c->reason[0] = '\0';
    TRIB_TRY(trib_op_implementations(l->device, desc, l->options.reference, c->list, TRIB_MAX_CANDIDATES, &c->count,
                                     c->reason));
    if (l->options.reference) keep_reference(c);
    return trib_success();
}

/* Stored measurements for this kind of card are used again. */
static trib_status pick(trib_lowering *l, const trib_plan_op *op, const trib_candidates *c, trib_decision *d)
{
    const char *remembered = NULL;
    int64_t time = 0;
    *d = (trib_decision) { .how = "ranked" };
    if (l->options.reference) return trib_success(); /* there is no other */
    TRIB_TRY(trib_op_recall(l->device, &op->desc, &remembered, &time));
    int known = find(c, remembered);
    if (known >= 0) {
        d->best = d->fastest = known;
        d->measured[known].ns = time;
        d->how = "remembered";
        return trib_success();
    }
    if (!l->options.measure) return trib_success();
    d->how = "measured";
    TRIB_TRY(trib_measure_candidates(l->device, op, c->list, c->count, d->measured));
    d->best = trib_measure_choose(c->list, d->measured, c->count, &d->fastest);
    return trib_op_remember(l->device, &op->desc, c->list[d->best].name, d->measured[d->best].ns);
}

trib_status trib_take_candidate(trib_lowering *l, trib_plan_op *op, const trib_candidates *c)
{
    trib_decision d;
    TRIB_TRY(pick(l, op, c, &d));
    const trib_implementation *best = &c->list[d.best];
    op->implementation = trib_strings_add(l->strings, best->name);
    op->reason = trib_decision_text(l->strings, c, &d);
    if (!op->implementation || !op->reason) return trib_plan_no_memory();
    l->plan->any_order_ops += best->any_order;
    l->measured_ns += d.measured[d.best].ns;
    op->packing_bytes = best->packing_bytes;
    if (best->packed_bytes > 0) {
        const char *name = trib_strings_format(l->strings, "%s/packed", op->name);
        if (!name) return trib_plan_no_memory();
        TRIB_TRY(trib_lowering_add_buffer(l, name, TRIB_BUFFER_PACKED, best->packed_bytes, &op->parameters));
    }
    if (best->workspace_bytes > 0)
        TRIB_TRY(trib_lowering_add_buffer(l, op->name, TRIB_BUFFER_WORKSPACE, best->workspace_bytes, &op->workspace));
    return trib_success();
}

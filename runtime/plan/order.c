/* SPDX-License-Identifier: Apache-2.0
 * Which op is finished before which other may start: the transitive closure of stream order and events. */
#include "plan/order.h"
#include "tributary/internal/alloc.h"

trib_status trib_plan_no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the plan"); }

/* `earlier`, and everything before it, is before `op`. */
static void follow(trib_order *o, size_t op, size_t earlier)
{
    uint64_t *row = trib_order_row(o, op);
    const uint64_t *known = trib_order_row(o, earlier);
    for (size_t w = 0; w < o->words; ++w) row[w] |= known[w];
    row[earlier / 64] |= (uint64_t)1 << (earlier % 64);
}

static trib_status fill(trib_order *o, const trib_plan_op *ops, int *last_on_stream, int *recorded_by, int streams,
                        int events)
{
    for (int s = 0; s < streams; ++s) last_on_stream[s] = -1;
    for (int e = 0; e < events; ++e) recorded_by[e] = -1;
    for (size_t i = 0; i < o->count; ++i) {
        const trib_plan_op *op = &ops[i];
        if (op->stream < 0 || op->stream >= streams || op->record >= events)
            return TRIB_ERROR(TRIB_INTERNAL, "op %s uses stream %d or event %d, which the plan does not have", op->name,
                              op->stream, op->record);
        if (last_on_stream[op->stream] >= 0) follow(o, i, (size_t)last_on_stream[op->stream]);
        for (int k = 0; k < op->wait_count; ++k) {
            int event = op->waits[k];
            if (event < 0 || event >= events)
                return TRIB_ERROR(TRIB_INTERNAL, "op %s waits for event %d, which the plan does not have", op->name,
                                  event);
            /* On every device, waiting for an event that was never recorded orders nothing. */
            if (recorded_by[event] >= 0) follow(o, i, (size_t)recorded_by[event]);
        }
        last_on_stream[op->stream] = (int)i;
        if (op->record >= 0) recorded_by[op->record] = (int)i;
    }
    return trib_success();
}

trib_status trib_order_of(const trib_plan_op *ops, size_t count, int streams, int events, trib_order *out)
{
    trib_order o = { .count = count, .words = (count + 63) / 64 };
    int *last = trib_alloc_zeroed((size_t)streams, sizeof *last),
        *recorded = trib_alloc_zeroed((size_t)events, sizeof *recorded);
    o.rows = trib_alloc_zeroed(count ? count * o.words : 1, sizeof *o.rows);
    trib_status status =
        o.rows && last && recorded ? fill(&o, ops, last, recorded, streams, events) : trib_plan_no_memory();
    trib_free(last);
    trib_free(recorded);
    if (trib_failed(&status))
        trib_order_release(&o);
    else
        *out = o;
    return status;
}

void trib_order_release(trib_order *o)
{
    trib_free(o->rows);
    *o = (trib_order) { 0 };
}

/* SPDX-License-Identifier: Apache-2.0
 * Which op of a plan happens before which. */
#ifndef TRIBUTARY_RUNTIME_PLAN_ORDER_H
#define TRIBUTARY_RUNTIME_PLAN_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/plan.h"

/* Bit a of row b: op a is finished before op b may start, by stream order and events. */
typedef struct trib_order {
    size_t count, words; /* ops; 64-bit words of a row */
    uint64_t *rows;
} trib_order;

trib_status trib_order_of(const trib_plan_op *ops, size_t count, int stream_count, int event_count, trib_order *out);
void trib_order_release(trib_order *order);

static inline uint64_t *trib_order_row(const trib_order *o, size_t op) { return o->rows + op * o->words; }
static inline bool trib_before(const trib_order *o, size_t a, size_t b)
{
    return trib_order_row(o, b)[a / 64] >> (a % 64) & 1u;
}

/* No memory to make, order or check a plan. */
trib_status trib_plan_no_memory(void);

#endif

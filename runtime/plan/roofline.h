/* SPDX-License-Identifier: Apache-2.0
 * Rooflines: no op can be faster than the memory it moves, or the arithmetic it does. */
#ifndef TRIBUTARY_RUNTIME_PLAN_ROOFLINE_H
#define TRIBUTARY_RUNTIME_PLAN_ROOFLINE_H

#include "graph/kinds.h"
#include "tributary/plan.h"

/* Seconds at the plan's rates; 0 if they are unknown. */
typedef struct trib_bound {
    double memory, math;
} trib_bound;

trib_bound trib_bound_of(const trib_plan *plan, const trib_plan_op *op);
/* The longer of the two. */
double trib_bound_seconds(const trib_bound *bound);
/* "memory" or "math": which of the two is longer. */
const char *trib_bound_name(const trib_bound *bound);

/* A sum over ops. */
typedef struct trib_roofline {
    int64_t flops, bytes;
    trib_bound each; /* counting only memory, or only arithmetic */
    double seconds;  /* each op at its own bound, one after the other */
} trib_roofline;

/* `by_work` has TRIB_WORK_COUNT entries; NULL: only the sum over all ops is wanted, which is returned. */
trib_roofline trib_roofline_of(const trib_plan *plan, trib_roofline *by_work);
/* "forward products", "backward data", ... */
const char *trib_work_name(trib_work work);

#endif

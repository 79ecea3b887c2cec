/* SPDX-License-Identifier: Apache-2.0
 * Timing the candidates of one op on the device itself. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_MEASURE_H
#define TRIBUTARY_RUNTIME_LOWERING_MEASURE_H

#include "tributary/plan.h"

/* How a candidate is timed: TRIB_MEASURE_REPEATS times, each of up to TRIB_MEASURE_RUNS runs one behind the other
 * between two events, fewer when they take long. Where the device can capture and is not the host, the runs are one
 * captured graph: the host's calls are then no part of the time. */
enum { TRIB_MEASURE_REPEATS = 5, TRIB_MEASURE_RUNS = 20 };

typedef struct trib_measurement {
    int64_t ns;    /* of one run, median of the repeats; 0: the candidate cannot be had after all */
    int64_t noise; /* half of the repeats lie within so much of each other, around the median */
} trib_measurement;

/* Fills `measured` for each candidate. Fails when none can be had. */
trib_status trib_measure_candidates(trib_device *device, const trib_plan_op *op, const trib_implementation *candidates,
                                    int count, trib_measurement *measured);

/* The candidate to take: of those as fast as the fastest, within both their noise and 2 %, the one with the smallest
 * workspace (what an op reads and writes beside it is the same for all); of equal ones the first. *fastest: the index
 * of the fastest. */
int trib_measure_choose(const trib_implementation *candidates, const trib_measurement *measured, int count,
                        int *fastest);

#endif

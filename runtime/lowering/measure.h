/* SPDX-License-Identifier: Apache-2.0
 * Times the candidates of one op on the device itself. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_MEASURE_H
#define TRIBUTARY_RUNTIME_LOWERING_MEASURE_H

#include "tributary/plan.h"

/* How a candidate is timed: TRIB_MEASURE_REPEATS times, each of up to TRIB_MEASURE_RUNS consecutive runs between two
 * events, fewer if they take long. If the device can capture and is not the host, the runs are one captured graph, so
 * that the host's calls do not count. */
enum { TRIB_MEASURE_REPEATS = 5, TRIB_MEASURE_RUNS = 20 };

typedef struct trib_measurement {
    int64_t ns;    /* of one run, median of the repeats; 0: the candidate failed */
    int64_t noise; /* width of the middle half of the repeats */
} trib_measurement;

/* Fills `measured` for each candidate. Fails if all candidates fail. */
trib_status trib_measure_candidates(trib_device *device, const trib_plan_op *op, const trib_implementation *candidates,
                                    int count, trib_measurement *measured);

/* The candidate to choose: among those as fast as the fastest, within the noise of both and 2 %, the one with the
 * smallest workspace (other reads and writes are the same for all), or the first of equals. *fastest: the index of the
 * fastest. */
int trib_measure_choose(const trib_implementation *candidates, const trib_measurement *measured, int count,
                        int *fastest);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Timing the candidates of one op on the device itself. */
#ifndef TRIBUTARY_RUNTIME_PASSES_MEASURE_H
#define TRIBUTARY_RUNTIME_PASSES_MEASURE_H

#include "tributary/plan.h"

/* Fills ns[i] (best of a few runs; 0 where the candidate cannot be had after all) and the index of the fastest. */
trib_status trib_measure_candidates(trib_device *device, const trib_plan_op *op, const trib_implementation *candidates,
                                    int count, int64_t *ns, int *best);

#endif

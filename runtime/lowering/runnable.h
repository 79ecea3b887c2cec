/* SPDX-License-Identifier: Apache-2.0
 * Making an op run on the device as it is, or else with a reorder or a copy beside it. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_RUNNABLE_H
#define TRIBUTARY_RUNTIME_LOWERING_RUNNABLE_H

#include "lowering/lowering.h"

/* Gives `op` an implementation and adds it to the plan. Where the device has none for the layouts at hand, other source
 * layouts are tried with a reorder in front, and then a slice is given up for a buffer of its own and a copy, which are
 * counted. */
trib_status trib_add_runnable_op(trib_lowering *lowering, trib_plan_op *op, int *slices_given_up);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Makes an op runnable on the device, if necessary with a reorder or a copy. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_RUNNABLE_H
#define TRIBUTARY_RUNTIME_LOWERING_RUNNABLE_H

#include "lowering/lowering.h"

/* Gives `op` an implementation and adds it to the plan. If the device has none for the given layouts, tries other
 * source layouts with a reorder before the op, and then replaces a slice by a separate buffer and a copy, which are
 * counted. */
trib_status trib_add_runnable_op(trib_lowering *lowering, trib_plan_op *op, int *slices_given_up);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * What sessions and trainers prepare alike. */
#ifndef TRIBUTARY_RUNTIME_SESSION_OPS_H
#define TRIBUTARY_RUNTIME_SESSION_OPS_H

#include "tributary/plan.h"

/* Fails unless there is a tensor of a floating type in the right shape for each parameter. */
trib_status trib_check_parameters(const trib_graph *graph, const trib_tensor *parameters);

/* A handle for each op of the plan that runs; destroy them also after a failure. */
trib_status trib_ops_create(trib_device *device, const trib_plan *plan, trib_op_handle ***out);
void trib_ops_destroy(const trib_plan *plan, trib_op_handle **ops); /* NULL is fine */

#endif

/* SPDX-License-Identifier: Apache-2.0
 * A plan's parameters in device memory: brought there, and packed by the plan's own ops. */
#ifndef TRIBUTARY_RUNTIME_SESSION_PARAMETERS_H
#define TRIBUTARY_RUNTIME_SESSION_PARAMETERS_H

#include "tributary/plan.h"

/* Fills plan->parameter_bytes of new device memory: *memory, the caller's to free, also after a failure; NULL for a
 * plan without parameters. `ops`: a handle for each op of the plan that runs. `parameters`: the graph's, by id. Works
 * on `stream`, and returns when all is there and the memory that was needed meanwhile (plan->loading_bytes) is free. */
trib_status trib_load_parameters(const trib_plan *plan, trib_op_handle *const *ops, const trib_tensor *parameters,
                                 trib_device *device, trib_stream *stream, void **memory);

#endif

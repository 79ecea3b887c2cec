/* SPDX-License-Identifier: Apache-2.0
 * Checks the options of a plan before it is made. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_OPTIONS_H
#define TRIBUTARY_RUNTIME_LOWERING_OPTIONS_H

#include "graph/graph.h"
#include "tributary/plan.h"

/* Replaces defaults by values for this device, which may be NULL. */
trib_plan_options trib_complete_options(const trib_plan_options *options, const trib_device *device);
/* Fails with the option, the value, and what is possible. */
trib_status trib_check_options(const trib_graph *graph, trib_device *device, const trib_plan_options *options);

/* Layouts of activations to try, best first; more than one only if they are to be measured. `list` holds
 * TRIB_LAYOUT_COUNT. */
trib_status trib_candidate_layouts(const trib_graph *graph, const trib_device *device, const trib_plan_options *options,
                                   trib_layout *list, int *count);

/* Makes the wanted outputs the graph's only outputs. */
trib_status trib_want_outputs(trib_graph *graph, const trib_plan_options *options);

#endif

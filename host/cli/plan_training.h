/* SPDX-License-Identifier: Apache-2.0
 * What `plan --train` says of a step beside the plan itself. */
#ifndef TRIBUTARY_CLI_PLAN_TRAINING_H
#define TRIBUTARY_CLI_PLAN_TRAINING_H

#include <stdio.h>

#include "tributary.h"

/* Whether its memory fits, and how far its roofline is from the goal that this project has on that card, if any. */
void cli_print_training_limits(const trib_plan *plan, const trib_device_info *device, FILE *out);

#endif

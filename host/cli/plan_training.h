/* SPDX-License-Identifier: Apache-2.0
 * What a step of training needs of memory. */
#ifndef TRIBUTARY_CLI_PLAN_TRAINING_H
#define TRIBUTARY_CLI_PLAN_TRAINING_H

#include <stdio.h>

#include "tributary.h"

/* Memory by kind, the op at the peak with what is alive then, and whether all of it fits. */
void cli_print_training_memory(const trib_plan *plan, const trib_device_info *device, FILE *out);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * What a step of training costs at least: time by kind of work, memory by kind, and the op at the peak. */
#ifndef TRIBUTARY_RUNTIME_PLAN_STEP_H
#define TRIBUTARY_RUNTIME_PLAN_STEP_H

#include "tributary/plan.h"

void trib_print_step(const trib_plan *plan, FILE *out);
/* One member of an object, "step", with a comma behind it. */
void trib_step_json(const trib_plan *plan, FILE *out);

#endif

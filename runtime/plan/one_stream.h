/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_RUNTIME_PLAN_ONE_STREAM_H
#define TRIBUTARY_RUNTIME_PLAN_ONE_STREAM_H

#include "tributary/plan.h"

/* Puts all ops on stream 0, in their order, which is valid on one stream for any plan. Ops, memory and implementations
 * stay; events and waits go. */
void trib_plan_use_one_stream(trib_plan *plan);

#endif

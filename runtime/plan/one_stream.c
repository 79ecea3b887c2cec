/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/one_stream.h"

void trib_plan_use_one_stream(trib_plan *plan)
{
    for (int i = 0; i < plan->op_count; ++i) {
        trib_plan_op *op = &plan->ops[i];
        op->stream = 0;
        op->wait_count = 0;
        op->record = -1;
    }
    plan->stream_count = 1;
    plan->event_count = 0;
}

/* SPDX-License-Identifier: Apache-2.0
 * A finished plan. lowering/ makes them. */
#include "tributary/plan.h"

#include <string.h>

#include "graph/strings.h"
#include "tributary/internal/alloc.h"

const char *trib_schedule_name(trib_schedule schedule)
{
    static const char *const names[TRIB_SCHEDULE_COUNT] = { "serial", "branches", "fused" };
    return (unsigned)schedule < TRIB_SCHEDULE_COUNT ? names[schedule] : "unknown";
}

trib_plan_options trib_plan_default_options(void)
{
    trib_plan_options o;
    memset(&o, 0, sizeof o);
    o.layout = TRIB_LAYOUT_AUTO;
    return o;
}

void trib_plan_destroy(trib_plan *plan)
{
    if (!plan) return;
    trib_free(plan->ops);
    trib_free(plan->buffers);
    trib_free(plan->outputs);
    trib_free(plan->notes);
    if (plan->storage) trib_strings_release(plan->storage);
    trib_free(plan->storage);
    trib_free(plan);
}

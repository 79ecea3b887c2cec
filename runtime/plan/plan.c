/* SPDX-License-Identifier: Apache-2.0
 * Finished plans, as lowering/ makes them. */
#include "tributary/plan.h"

#include <stdio.h>
#include <string.h>

#include "graph/strings.h"
#include "tributary/internal/alloc.h"

static const char *const schedule_names[TRIB_SCHEDULE_COUNT] = { "serial", "branches", "fused" };

const char *trib_schedule_name(trib_schedule schedule)
{
    return (unsigned)schedule < TRIB_SCHEDULE_COUNT ? schedule_names[schedule] : "unknown";
}

int trib_schedule_find(const char *name)
{
    for (int i = 0; i < TRIB_SCHEDULE_COUNT; ++i)
        if (!strcmp(schedule_names[i], name)) return i;
    return -1;
}

trib_schedule trib_plan_schedule_of(const trib_plan *p, int fork)
{
    return fork < 0 ? p->schedule : p->forks[fork].schedule;
}

size_t trib_plan_schedule_text(const trib_plan *p, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%s", trib_schedule_name(p->schedule));
    for (int f = 0; f < p->fork_count; ++f) {
        const trib_plan_fork *fork = &p->forks[f];
        if (!fork->stages && fork->schedule == trib_plan_schedule_of(p, fork->parent)) continue;
        const bool named = !fork->stages || fork->schedule != TRIB_BRANCHES;
        used += (size_t)snprintf(used < size ? text + used : NULL, used < size ? size - used : 0, ",%s=%s%s%s",
                                 fork->name, named ? trib_schedule_name(fork->schedule) : "",
                                 named && fork->stages ? ":" : "", fork->stages ? fork->stages : "");
    }
    return used;
}

static const struct {
    const char *name;
    trib_memory_area area;
} buffer_kinds[TRIB_BUFFER_KIND_COUNT] = {
    [TRIB_BUFFER_ACTIVATION] = { "activation", TRIB_AREA_ARENA },
    [TRIB_BUFFER_WORKSPACE] = { "workspace", TRIB_AREA_ARENA },
    [TRIB_BUFFER_INPUT] = { "input", TRIB_AREA_CALLER },
    [TRIB_BUFFER_OUTPUT] = { "output", TRIB_AREA_CALLER },
    [TRIB_BUFFER_LOADING] = { "loading", TRIB_AREA_LOADING },
    [TRIB_BUFFER_PACKED] = { "packed", TRIB_AREA_PARAMETERS },
    [TRIB_BUFFER_PARAMETER] = { "parameter", TRIB_AREA_PARAMETERS },
    [TRIB_BUFFER_GRADIENT] = { "gradient", TRIB_AREA_PARAMETERS },
    [TRIB_BUFFER_STATE] = { "state", TRIB_AREA_PARAMETERS },
};

const char *trib_buffer_kind_name(trib_buffer_kind kind)
{
    return (unsigned)kind < TRIB_BUFFER_KIND_COUNT ? buffer_kinds[kind].name : "unknown";
}

trib_memory_area trib_buffer_area(trib_buffer_kind kind) { return buffer_kinds[kind].area; }

const char *trib_tensor_role_name(trib_tensor_role role)
{
    static const char *const names[TRIB_TENSOR_ROLE_COUNT] = { "parameter", "gradient", "momentum", "average" };
    return (unsigned)role < TRIB_TENSOR_ROLE_COUNT ? names[role] : "unknown";
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
    trib_free(plan->prepare);
    trib_free(plan->loads);
    trib_free(plan->buffers);
    trib_free(plan->inputs);
    trib_free(plan->outputs);
    trib_free(plan->forks);
    trib_free(plan->tensors);
    trib_free(plan->notes);
    if (plan->storage) trib_strings_release(plan->storage);
    trib_free(plan->storage);
    trib_free(plan);
}

/* SPDX-License-Identifier: Apache-2.0
 * The schedule of each fork, from the options. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "lowering/lowering.h"
#include "lowering/stages.h"
#include "tributary/internal/alloc.h"

static bool matches(const trib_fork_schedule *wanted, const char *fork) { return fnmatch(wanted->fork, fork, 0) == 0; }

static trib_status no_such_fork(const trib_plan *p, const char *name)
{
    char known[TRIB_MESSAGE_SIZE / 2] = "";
    size_t used = 0;
    for (int f = 0; f < p->fork_count && used < sizeof known; ++f)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", f ? ", " : "", p->forks[f].name);
    if (!p->fork_count) return TRIB_ERROR(TRIB_NOT_FOUND, "there is no fork '%s': this network has none", name);
    return TRIB_ERROR(TRIB_NOT_FOUND, "there is no fork '%s'; there are %s%s", name, known,
                      used < sizeof known ? "" : "...");
}

static trib_status check_wanted(const trib_plan *p, const trib_fork_schedule *wanted)
{
    if (!wanted->fork) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a fork's schedule needs the fork's name");
    if ((unsigned)wanted->schedule >= TRIB_SCHEDULE_COUNT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "fork %s: schedule %d does not exist", wanted->fork,
                          (int)wanted->schedule);
    for (int f = 0; f < p->fork_count; ++f)
        if (matches(wanted, p->forks[f].name)) return trib_success();
    return no_such_fork(p, wanted->fork);
}

/* The last option that names it, otherwise the schedule of the enclosing fork. */
static trib_status set_schedule(trib_lowering *l, int fork)
{
    const trib_plan_options *o = &l->options;
    trib_plan_fork *own = &l->plan->forks[fork];
    own->schedule = trib_plan_schedule_of(l->plan, l->graph->forks[fork].parent);
    for (int i = o->fork_schedule_count; i-- > 0;) {
        if (!matches(&o->fork_schedules[i], own->name)) continue;
        own->schedule = o->fork_schedules[i].schedule;
        if (!o->fork_schedules[i].stages) break;
        own->stages = trib_strings_add(l->strings, o->fork_schedules[i].stages);
        return own->stages ? trib_check_stages(l->graph, l->plan->forks, fork) : trib_plan_no_memory();
    }
    return trib_success();
}

trib_status trib_lowering_set_schedules(trib_lowering *l)
{
    trib_plan *p = l->plan;
    size_t count = l->graph->fork_count;
    p->forks = trib_alloc_zeroed(count, sizeof *p->forks);
    if (!p->forks) return trib_plan_no_memory();
    for (p->fork_count = 0; p->fork_count < (int)count; ++p->fork_count) {
        const char *name = trib_strings_add(l->strings, l->graph->forks[p->fork_count].name);
        if (!name) return trib_plan_no_memory();
        p->forks[p->fork_count] = (trib_plan_fork) { .name = name, .parent = l->graph->forks[p->fork_count].parent };
    }
    for (int i = 0; i < l->options.fork_schedule_count; ++i) TRIB_TRY(check_wanted(p, &l->options.fork_schedules[i]));
    for (int f = 0; f < p->fork_count; ++f) TRIB_TRY(set_schedule(l, f)); /* parents come first */
    return trib_success();
}

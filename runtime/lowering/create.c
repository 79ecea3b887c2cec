/* SPDX-License-Identifier: Apache-2.0
 * Makes a plan: passes on the graph, lowering, passes on ops; once per layout to be measured. */
#include <stdint.h>

#include "lowering/lowering.h"
#include "lowering/options.h"
#include "lowering/passes.h"

static trib_status lower(trib_lowering *l)
{
    TRIB_TRY(trib_run_passes(l, TRIB_PASSES_ON_GRAPH));
    TRIB_TRY(trib_lower_graph(l));
    TRIB_TRY(trib_run_passes(l, TRIB_PASSES_ON_OPS));
    return trib_lowering_drop_buffers(l);
}

static trib_status create_with_layout(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                                      trib_layout layout, trib_plan **out, int64_t *measured_ns)
{
    trib_lowering l;
    trib_status status = trib_lowering_begin(&l, graph, device, options, layout);
    if (!trib_failed(&status)) status = lower(&l);
    if (!trib_failed(&status)) {
        *measured_ns = l.measured_ns;
        *out = l.plan;
        l.plan = NULL;
    }
    trib_lowering_release(&l);
    return status;
}

static trib_status create_best(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                               trib_plan **out)
{
    trib_layout layouts[TRIB_LAYOUT_COUNT];
    int count = 0;
    int64_t best_ns = INT64_MAX, ns = 0;
    trib_plan *best = NULL, *plan = NULL;
    TRIB_TRY(trib_check_options(graph, device, options));
    TRIB_TRY(trib_candidate_layouts(graph, device, options, layouts, &count));
    for (int i = 0; i < count; ++i) {
        trib_status status = create_with_layout(graph, device, options, layouts[i], &plan, &ns);
        if (trib_failed(&status)) {
            trib_plan_destroy(best);
            return status;
        }
        trib_plan *worse = ns < best_ns ? best : plan;
        if (ns < best_ns) {
            best = plan;
            best_ns = ns;
        }
        trib_plan_destroy(worse);
    }
    *out = best;
    return trib_success();
}

trib_status trib_plan_create(const trib_graph *graph, trib_device *device, const trib_plan_options *options,
                             trib_plan **out)
{
    trib_plan_options o = trib_complete_options(options, device);
    trib_plan *plan = NULL;
    trib_status status = create_best(graph, device, &o, &plan);
    /* For every plan, in every build: it takes 0.05 ms, while finding a race can take a week. */
    if (!trib_failed(&status)) status = trib_plan_check_stream_order(plan);
    if (trib_failed(&status)) {
        trib_add_context(&status, "planning %s", graph ? graph->name : "nothing");
        trib_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * A plan before its first op: everything that follows from the options and the device. */
#include "lowering/lowering.h"
#include "lowering/options.h"
#include "tributary/internal/alloc.h"

/* Copies the options. */
static void fill_wanted(trib_plan *p, const trib_plan_options *o, trib_layout layout)
{
    p->batch = o->batch;
    p->schedule = o->schedule;
    p->precision = o->precision;
    p->layout = layout;
    p->threads = o->threads;
    p->disabled_passes = o->disabled_passes;
    p->training = o->training != NULL;
    p->regions = o->regions;
    p->loss_scale = -1;
}

static void fill_rates(trib_plan *p, const trib_device_info *info)
{
    p->copy_rate = info->copy_rate;
    p->math_rate = info->math_rate[p->precision];
    p->rates_source = info->rates_source;
    if (!info->host) p->device_memory_bytes = info->memory_bytes;
}

static trib_status begin_plan(trib_lowering *l, trib_layout layout)
{
    const trib_device_info *info = trib_device_get_info(l->device);
    trib_plan *p = l->plan = trib_alloc_zeroed(1, sizeof *p);
    if (!p) return trib_plan_no_memory();
    p->storage = l->strings = trib_alloc_zeroed(1, sizeof *l->strings);
    if (!l->strings) return trib_plan_no_memory();
    p->graph_name = trib_strings_add(l->strings, l->graph->name);
    p->device_spec = trib_strings_add(l->strings, info->spec);
    if (!p->graph_name || !p->device_spec) return trib_plan_no_memory();
    fill_wanted(p, &l->options, layout);
    fill_rates(p, info);
    return trib_success();
}

trib_status trib_lowering_begin(trib_lowering *l, const trib_graph *graph, trib_device *device,
                                const trib_plan_options *options, trib_layout layout)
{
    *l = (trib_lowering) { .device = device, .options = *options };
    TRIB_TRY(trib_graph_clone(graph, &l->graph));
    l->folded = trib_alloc_zeroed(l->graph->layer_count, sizeof *l->folded);
    if (!l->folded) return trib_plan_no_memory();
    TRIB_TRY(trib_want_outputs(l->graph, options));
    TRIB_TRY(begin_plan(l, layout));
    return trib_lowering_set_schedules(l);
}

void trib_lowering_release(trib_lowering *l)
{
    trib_plan_destroy(l->plan);
    trib_graph_destroy(l->graph);
    trib_free(l->folded);
    trib_free(l->views);
    trib_free(l->trained);
    trib_free(l->merged);
}

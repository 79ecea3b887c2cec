/* SPDX-License-Identifier: Apache-2.0
 * Selects the outputs and layers that a plan returns. */
#include <string.h>

#include "lowering/options.h"
#include "plan/order.h"
#include "tributary/internal/alloc.h"

static trib_status find_output(const trib_graph *g, const char *name, trib_output *out)
{
    for (size_t i = 0; i < g->output_count; ++i)
        if (!strcmp(g->outputs[i].name, name)) {
            *out = g->outputs[i];
            return trib_success();
        }
    int layer = trib_graph_find_layer(g, name);
    if (layer < 0)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s has no output or layer called '%s'; its first output is '%s'", g->name,
                          name, g->outputs[0].name);
    *out = (trib_output) { g->layers[layer].name, layer };
    return trib_success();
}

/* In training, the `i`-th wanted output is that of the `i`-th loss. */
static const char *wanted_name(const trib_plan_options *o, int i)
{
    return o->training ? o->training->losses[i].output : o->outputs[i];
}

trib_status trib_want_outputs(trib_graph *g, const trib_plan_options *o)
{
    int count = o->training ? o->training->loss_count : o->output_count;
    if (!o->training && (!o->outputs || !count)) {
        g->output_count = 1;
        return trib_success();
    }
    trib_output *wanted = trib_alloc_zeroed((size_t)count, sizeof *wanted);
    if (!wanted) return trib_plan_no_memory();
    for (int i = 0; i < count; ++i) {
        trib_status s = find_output(g, wanted_name(o, i), &wanted[i]);
        if (trib_failed(&s)) {
            trib_free(wanted);
            return s;
        }
    }
    trib_free(g->outputs);
    g->outputs = wanted;
    g->output_count = g->output_capacity = (size_t)count;
    return trib_success();
}

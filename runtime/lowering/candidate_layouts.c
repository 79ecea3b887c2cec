/* SPDX-License-Identifier: Apache-2.0
 * Layouts that are possible for all activations of a graph. */
#include "lowering/options.h"

/* Slices of a joined output must begin at a block's first channel. */
static bool joins_fit(const trib_graph *g, trib_layout layout)
{
    int block = trib_layout_block(layout);
    for (size_t i = 0; i < g->layer_count; ++i) {
        const trib_layer *l = &g->layers[i];
        for (int k = 0; l->kind == TRIB_CONCAT && k + 1 < l->input_count; ++k)
            if (g->layers[l->inputs[k]].c % block) return false;
    }
    return true;
}

trib_status trib_candidate_layouts(const trib_graph *g, const trib_device *device, const trib_plan_options *o,
                                   trib_layout *list, int *count)
{
    const trib_device_info *info = trib_device_get_info(device);
    *count = 0;
    if (o->reference && (o->layout == TRIB_LAYOUT_AUTO || o->layout == TRIB_NHWC)) {
        list[(*count)++] = TRIB_NHWC; /* the layout of the references */
        return trib_success();
    }
    for (int i = 0; i < info->layout_count; ++i)
        if ((o->layout == TRIB_LAYOUT_AUTO || o->layout == (int)info->layouts[i]) && joins_fit(g, info->layouts[i]))
            list[(*count)++] = info->layouts[i];
    if (*count == 0)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "layout %s is not possible for %s on %s%s",
                          trib_layout_name((trib_layout)o->layout), g->name, info->spec,
                          o->reference ? ": the reference needs nhwc"
                                       : ": not the device's, or branch widths are not multiples of its block");
    if (!o->measure) *count = 1;
    return trib_success();
}

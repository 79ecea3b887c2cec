/* SPDX-License-Identifier: Apache-2.0
 * How a run divides its workspace. */
#include "cpu/ops/onednn_op.h"

/* More partial sums of a gradient would cost more memory and time than threads could save. */
enum { MOST_LANES = 16 };

static int smaller(int a, int b) { return a < b ? a : b; }

static int64_t scratch_of(dnnl_primitive_desc_t descriptor)
{
    trib_dnnl_md scratch =
        descriptor ? trib_dnnl.primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0) : NULL;
    return scratch ? trib_aligned((int64_t)trib_dnnl.memory_desc_get_size(scratch)) : 0;
}

/* The partial sums of a gradient; a lane of several tasks adds their results to its own. */
static void add_lanes(const trib_op_desc *desc, dnnl_primitive_desc_t descriptor, int tasks, trib_onednn_workspace *w)
{
    w->lanes = smaller(tasks, MOST_LANES);
    w->partial = trib_aligned((int64_t)trib_dnnl.memory_desc_get_size(trib_onednn_weight_format(desc, descriptor)));
    w->weights = w->lanes * w->partial;
    w->worker += tasks > w->lanes ? w->partial : 0;
    w->workers = smaller(w->workers, w->lanes);
}

trib_onednn_workspace trib_onednn_workspace_of(const trib_op_desc *desc, const trib_onednn_recipe *r,
                                               const trib_onednn_descriptors *found, int64_t packing_scratch)
{
    int tasks = trib_onednn_tasks(desc, r);
    int64_t all = scratch_of(found->all), rest = scratch_of(found->rest);
    trib_onednn_workspace w = { .scratch = all > rest ? all : rest,
                                .x = r->stage_x ? trib_aligned(r->x_bytes) : 0,
                                .y = r->stage_y ? trib_aligned(r->y_bytes) : 0,
                                .workers = desc->chunk > 0 ? smaller(desc->threads, tasks) : 1 };
    w.worker = w.scratch + w.x + w.y;
    if (desc->kind == TRIB_CONV2D_BACKWARD_WEIGHT)
        add_lanes(desc, found->all, tasks, &w);
    else if (trib_onednn_trains(desc))
        w.weights = trib_onednn_packing_of(desc, r, found->all).bytes;
    int64_t running = w.workers * w.worker, packing = trib_onednn_trains(desc) ? trib_aligned(packing_scratch) : 0;
    w.bytes = w.weights + (running > packing ? running : packing);
    return w;
}

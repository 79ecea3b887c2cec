/* SPDX-License-Identifier: Apache-2.0
 * A layer whose only reader is a concatenation writes its channels directly into the joined output. Nested joins are
 * handled from the outside in: a slice of a slice is a slice. */
#include "graph/kinds.h"
#include "lowering/passes.h"
#include "lowering/rewrite.h"
#include "tributary/internal/alloc.h"

/* The caller's input cannot move, and rows are plain. */
static bool can_write_slice(const trib_layer *l)
{
    const trib_kind_row *row = trib_kind_row_of(l->kind);
    return !row->nothing_to_run && !row->rows;
}

static int elide_inputs(trib_lowering *l, size_t concat, const int *uses)
{
    const trib_layer *join = &l->graph->layers[concat];
    const trib_view *whole = &l->views[concat];
    int block = trib_layout_block(l->plan->layout), elided = 0;
    int offset = whole->c_offset;
    for (int k = 0; k < join->input_count; ++k) {
        int input = join->inputs[k];
        trib_view *view = &l->views[input];
        bool aligned = offset % block == 0 && (view->c % block == 0 || k + 1 == join->input_count);
        if (aligned && uses[input] == 1 && can_write_slice(&l->graph->layers[input])) {
            trib_lowering_forget_buffer(l, view->buffer);
            view->buffer = whole->buffer;
            view->c_offset = offset;
            view->c_total = whole->c_total;
            ++elided;
        }
        offset += view->c;
    }
    return elided;
}

trib_status trib_pass_elide_concat(trib_lowering *l)
{
    size_t count = l->graph->layer_count;
    int *uses = trib_alloc_zeroed(count, sizeof *uses), elided = 0, inputs = 0;
    if (!uses) return trib_plan_no_memory();
    trib_count_uses(l->graph, uses);
    for (size_t i = count; i-- > 0;) {
        if (l->graph->layers[i].kind != TRIB_CONCAT) continue;
        inputs += l->graph->layers[i].input_count;
        elided += elide_inputs(l, i, uses);
    }
    trib_free(uses);
    return trib_lowering_note(l, "elide_concat: %d of %d branch ends write their slice of the joined output", elided,
                              inputs);
}

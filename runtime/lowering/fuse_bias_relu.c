/* SPDX-License-Identifier: Apache-2.0
 * A ReLU that is the only reader of a convolution or linear layer, or in training of a batch norm, becomes its
 * epilogue. (The bias is always one.) */
#include "graph/kinds.h"
#include "lowering/passes.h"
#include "lowering/rewrite.h"

trib_status trib_pass_fuse_bias_relu(trib_lowering *l)
{
    trib_graph *g = l->graph;
    trib_rewrite r;
    TRIB_TRY(trib_rewrite_begin(l, &r));
    for (size_t i = 0; i < g->layer_count; ++i) {
        if (g->layers[i].kind != TRIB_RELU) continue;
        int producer = g->layers[i].inputs[0];
        const trib_kind_row *row = trib_kind_row_of(g->layers[producer].kind);
        bool takes = row->takes_relu || (l->options.training && row->scales_and_shifts);
        if (!takes || r.uses[producer] != 1 || l->folded[producer].relu) continue;
        l->folded[producer].relu = true;
        r.replacement[i] = producer;
    }
    return trib_lowering_note(l, "fuse_bias_relu: %d ReLUs fused into the layers they follow", trib_rewrite_end(&r));
}

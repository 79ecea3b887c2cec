/* SPDX-License-Identifier: Apache-2.0
 * A ReLU that is the only reader of a convolution or linear layer becomes its epilogue. (The bias is always one.) */
#include "graph/kinds.h"
#include "graph/rewrite.h"
#include "passes/passes.h"

trib_status trib_pass_fuse_bias_relu(trib_graph *g, int *fused)
{
    trib_rewrite r;
    TRIB_TRY(trib_rewrite_begin(g, &r));
    for (size_t i = 0; i < g->layer_count; ++i) {
        if (g->layers[i].kind != TRIB_RELU) continue;
        int producer = g->layers[i].inputs[0];
        trib_layer *l = &g->layers[producer];
        if (!trib_kind_row_of(l->kind)->takes_relu || r.uses[producer] != 1 || l->relu) continue;
        l->relu = true;
        r.replacement[i] = producer;
    }
    *fused = trib_rewrite_end(&r);
    return trib_success();
}

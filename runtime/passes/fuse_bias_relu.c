/* SPDX-License-Identifier: Apache-2.0
 * A ReLU that is the only reader of a convolution or linear layer becomes its epilogue. (The bias is always one.) */
#include "graph/rewrite.h"
#include "passes/passes.h"
#include "tributary/internal/alloc.h"

trib_status trib_pass_fuse_bias_relu(trib_graph *g, int *fused)
{
    int *replacement = trib_new_replacement(g);
    int *uses = trib_alloc_zeroed(g->layer_count, sizeof *uses);
    if (!replacement || !uses) {
        trib_free(replacement);
        trib_free(uses);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to lower the graph");
    }
    trib_count_uses(g, uses);
    *fused = 0;
    for (size_t i = 0; i < g->layer_count; ++i) {
        if (g->layers[i].kind != TRIB_RELU) continue;
        int producer = g->layers[i].inputs[0];
        trib_layer *l = &g->layers[producer];
        if ((l->kind != TRIB_CONV2D && l->kind != TRIB_LINEAR) || uses[producer] != 1 || l->relu) continue;
        l->relu = true;
        replacement[i] = producer;
        ++*fused;
    }
    trib_remove_layers(g, replacement);
    trib_free(replacement);
    trib_free(uses);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "graph/rewrite.h"
#include "passes/passes.h"
#include "tributary/internal/alloc.h"

trib_status trib_pass_prune(trib_graph *g, int *removed)
{
    int *replacement = trib_new_replacement(g);
    bool *needed = trib_alloc_zeroed(g->layer_count, sizeof *needed);
    if (!replacement || !needed) {
        trib_free(replacement);
        trib_free(needed);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to lower the graph");
    }
    for (size_t i = 0; i < g->output_count; ++i) needed[g->outputs[i].layer] = true;
    for (size_t i = g->layer_count; i-- > 0;)
        for (int k = 0; needed[i] && k < g->layers[i].input_count; ++k) needed[g->layers[i].inputs[k]] = true;
    *removed = 0;
    for (size_t i = 0; i < g->layer_count; ++i) {
        if (g->layers[i].kind == TRIB_INPUT) continue; /* the caller hands it in whether it is used or not */
        if (!needed[i])
            replacement[i] = -1;
        else if (g->layers[i].kind == TRIB_DROPOUT)
            replacement[i] = g->layers[i].inputs[0];
        *removed += replacement[i] != (int)i;
    }
    trib_remove_layers(g, replacement);
    trib_free(replacement);
    trib_free(needed);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Keeps the layers that the wanted outputs need, and removes those that are an identity at inference. */
#include "graph/kinds.h"
#include "lowering/passes.h"
#include "lowering/rewrite.h"
#include "tributary/internal/alloc.h"

/* Dropout does something in training only. */
static bool does_nothing(const trib_lowering *l, const trib_layer *layer)
{
    const trib_training *t = l->options.training;
    bool drops = t && layer->kind == TRIB_DROPOUT && !t->no_dropout && layer->attributes.dropout.p > 0;
    return trib_kind_row_of(layer->kind)->nothing_to_run && !drops;
}

trib_status trib_pass_prune(trib_lowering *l)
{
    trib_graph *g = l->graph;
    trib_rewrite r;
    bool *needed = trib_alloc_zeroed(g->layer_count, sizeof *needed);
    trib_status status = needed ? trib_rewrite_begin(l, &r) : trib_plan_no_memory();
    if (trib_failed(&status)) {
        trib_free(needed);
        return status;
    }
    for (size_t i = 0; i < g->output_count; ++i) needed[g->outputs[i].layer] = true;
    for (size_t i = g->layer_count; i-- > 0;)
        for (int k = 0; needed[i] && k < g->layers[i].input_count; ++k) needed[g->layers[i].inputs[k]] = true;
    for (size_t i = 0; i < g->layer_count; ++i) {
        if (g->layers[i].kind == TRIB_INPUT) continue; /* the caller passes it even if it is unused */
        if (!needed[i])
            r.replacement[i] = -1;
        else if (does_nothing(l, &g->layers[i]))
            r.replacement[i] = g->layers[i].inputs[0];
    }
    int removed = trib_rewrite_end(&r);
    trib_free(needed);
    return trib_lowering_note(l, "prune: %d layers that the outputs do not need, or that do nothing", removed);
}

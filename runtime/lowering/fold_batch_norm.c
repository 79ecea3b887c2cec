/* SPDX-License-Identifier: Apache-2.0
 * Batch norm after a convolution is linear in the convolution's output, so at inference it becomes part of the weights:
 * w' = w * g, b' = (b - mean) * g + beta, with g = gamma / sqrt(var + eps). Here only the parameters move to the
 * convolution; the arithmetic is an op of its own (prepare_parameters.c). */
#include "lowering/passes.h"
#include "lowering/rewrite.h"

trib_status trib_pass_fold_batch_norm(trib_lowering *l)
{
    trib_graph *g = l->graph;
    trib_rewrite r;
    TRIB_TRY(trib_rewrite_begin(l, &r));
    for (size_t i = 0; i < g->layer_count; ++i) {
        const trib_layer *bn = &g->layers[i];
        if (bn->kind != TRIB_BATCH_NORM) continue;
        int before = bn->inputs[0];
        trib_layer *conv = &g->layers[before];
        if (conv->kind != TRIB_CONV2D || r.uses[before] != 1 || l->folded[before].bn_eps > 0) continue;
        for (int role = TRIB_BN_WEIGHT; role <= TRIB_BN_VAR; ++role) conv->parameters[role] = bn->parameters[role];
        l->folded[before].bn_eps = bn->attributes.batch_norm.eps;
        r.replacement[i] = before;
    }
    return trib_lowering_note(l, "fold_batch_norm: %d batch norms folded into their convolutions",
                              trib_rewrite_end(&r));
}

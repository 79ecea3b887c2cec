/* SPDX-License-Identifier: Apache-2.0
 * Removes layers from the lowering's graph, for the graph passes. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_REWRITE_H
#define TRIBUTARY_RUNTIME_LOWERING_REWRITE_H

#include "lowering/lowering.h"

/* Between begin and end, a pass sets replacement[i] of each layer to remove: its readers then read that layer instead
 * (-1: it has none). */
typedef struct trib_rewrite {
    trib_graph *graph;   /* the lowering's */
    trib_folded *folded; /* moves with the layers */
    int *replacement;    /* one per layer; itself to begin with */
    int *uses;           /* how often each layer is read: by layers, and once per graph output */
} trib_rewrite;

trib_status trib_rewrite_begin(trib_lowering *lowering, trib_rewrite *out);
/* Removes the layers and releases the rewrite. Parameters stay, so that their ids remain valid through all passes.
 * Returns the number of removed layers. */
int trib_rewrite_end(trib_rewrite *rewrite);

/* `uses` has one entry per layer. */
void trib_count_uses(const trib_graph *graph, int *uses);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Removing layers from a graph: what the graph passes are made of. */
#ifndef TRIBUTARY_RUNTIME_GRAPH_REWRITE_H
#define TRIBUTARY_RUNTIME_GRAPH_REWRITE_H

#include "graph/graph.h"

/* How often each layer is read: by layers, and once per graph output. `uses` has one entry per layer. */
void trib_count_uses(const trib_graph *graph, int *uses);

/* Removes every layer with replacement[i] != i; whoever read it reads replacement[i] (-1: nobody does). Parameters stay
 * as they are, so that ids keep their meaning through all passes. */
void trib_remove_layers(trib_graph *graph, int *replacement);

/* A new replacement table, every layer itself; NULL when out of memory. Freed with trib_free. */
int *trib_new_replacement(const trib_graph *graph);

#endif

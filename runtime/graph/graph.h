/* SPDX-License-Identifier: Apache-2.0
 * The internals of a graph, for the builder and the passes. */
#ifndef TRIBUTARY_RUNTIME_GRAPH_GRAPH_H
#define TRIBUTARY_RUNTIME_GRAPH_GRAPH_H

#include <stddef.h>

#include "graph/strings.h"
#include "tributary/graph.h"

struct trib_graph {
    const char *name;
    trib_layer *layers;
    trib_parameter *parameters;
    trib_fork_info *forks;
    trib_output *outputs;
    size_t layer_count, parameter_count, fork_count, output_count;
    size_t layer_capacity, parameter_capacity, fork_capacity, output_capacity;
    trib_strings strings;
};

trib_graph *trib_graph_new(const char *name);

#endif

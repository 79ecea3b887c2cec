/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/needed.h"

#include "tributary/internal/alloc.h"

trib_status trib_layers_needed(const trib_graph *graph, int layer, bool **out)
{
    bool *needed = trib_alloc_zeroed((size_t)trib_graph_layer_count(graph), sizeof *needed);
    if (!needed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of layers");
    needed[layer] = true;
    for (int id = layer; id >= 0; --id) /* layers come after those that they read */
        for (int i = 0; needed[id] && i < trib_graph_layer(graph, id)->input_count; ++i)
            needed[trib_graph_layer(graph, id)->inputs[i]] = true;
    *out = needed;
    return trib_success();
}

// SPDX-License-Identifier: Apache-2.0
#include "cudnn_plans/shapes.h"

#include "support/support.h"

#include <map>

namespace
{

// Channels of the tensor that the convolution's output is a part of.
int pitch_of(const trib_graph *graph, int id)
{
    const trib_layer *layer = trib_graph_layer(graph, id);
    if (layer->fork < 0) return layer->c;
    for (int later = id + 1; later < trib_graph_layer_count(graph); ++later) {
        const trib_layer *other = trib_graph_layer(graph, later);
        if (other->kind == TRIB_CONV2D && other->fork == layer->fork && other->branch == layer->branch)
            return layer->c; // not the branch's last
    }
    return trib_graph_layer(graph, trib_graph_fork(graph, layer->fork)->join)->c;
}

trib_conv_desc describe(const trib_graph *graph, int id)
{
    const trib_layer *layer = trib_graph_layer(graph, id);
    const trib_layer *input = trib_graph_layer(graph, layer->inputs[0]);
    const trib_conv2d &conv = layer->attributes.conv2d;
    trib_conv_desc d = {};
    d.n = 1;
    d.c = (input->c + 7) / 8 * 8; // images are loaded with 8 channels
    d.h = input->h, d.w = input->w;
    d.k = layer->c, d.p = layer->h, d.q = layer->w;
    d.r = conv.r, d.s = conv.s;
    d.stride_h = conv.stride_h ? conv.stride_h : 1, d.stride_w = conv.stride_w ? conv.stride_w : 1;
    d.pad_top = conv.pad.top, d.pad_left = conv.pad.left;
    d.x_pitch = d.c, d.y_pitch = pitch_of(graph, id);
    d.has_bias = d.relu = true;
    return d;
}

} // namespace

std::vector<Layer> googlenet_convolutions()
{
    std::vector<Layer> layers;
    std::map<std::string, int> seen;
    for (int i = 0; trib_network_at(i); ++i) {
        trib_network_spec net = {};
        net.network = trib_network_at(i);
        if (trib_network_by_tensors(net.network) != net.network) continue; // the same filters on smaller maps
        net.aux = true;
        trib_graph *graph = nullptr;
        EXPECT_OK(trib_network_graph(&net, &graph));
        if (!graph) continue;
        for (int id = 0; id < trib_graph_layer_count(graph); ++id) {
            if (trib_graph_layer(graph, id)->kind != TRIB_CONV2D) continue;
            trib_conv_desc desc = describe(graph, id);
            char key[TRIB_CONV_KEY];
            if (!seen[trib_conv_key(&desc, key)]++)
                layers.push_back(
                    { std::string(trib_network_name(net.network)) + " " + trib_graph_layer(graph, id)->name, desc });
        }
        trib_graph_destroy(graph);
    }
    return layers;
}

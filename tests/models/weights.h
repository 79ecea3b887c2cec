// SPDX-License-Identifier: Apache-2.0
// A graph, and the tensors of a file that would hold its weights, to be spoiled by a test.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "support/support.h"

namespace models
{

struct GraphDeleter {
    void operator()(trib_graph *graph) const { trib_graph_destroy(graph); }
};
using Graph = std::unique_ptr<trib_graph, GraphDeleter>;

inline trib_network_spec network(const trib_network *variant, bool aux = false, int size = 0, double width = 0,
                                 int classes = 0)
{
    trib_network_spec net = {};
    net.network = variant, net.aux = aux, net.height = net.width = size;
    net.width_multiplier = width, net.classes = classes;
    return net;
}

inline Graph build(const trib_network_spec &net)
{
    trib_graph *graph = nullptr;
    EXPECT_OK(trib_network_graph(&net, &graph));
    return Graph(graph);
}

inline std::string file_name(const trib_graph *graph, const trib_network *variant, int parameter)
{
    char text[128];
    return trib_parameter_file_name(graph, trib_network_dialect(variant), parameter, text);
}

inline std::int64_t count(const trib_shape &shape)
{
    std::int64_t elements = -1;
    EXPECT_OK(trib_shape_count(&shape, &elements));
    return elements;
}

// A narrow network's weights under the names of its variant's files.
struct Weights {
    trib_network_spec net;
    Graph graph;
    std::deque<std::string> names; // stay where they are
    std::deque<std::vector<unsigned char>> values;
    std::vector<trib_tensor> tensors;

    explicit Weights(const trib_network_spec &net_, const std::string &prefix = "") : net(net_), graph(build(net_))
    {
        for (int i = 0; graph && i < trib_graph_parameter_count(graph.get()); ++i)
            add(prefix + file_name(graph.get(), net.network, i), trib_graph_parameter(graph.get(), i)->shape);
    }
    // Adds a tensor of halves.
    trib_tensor &add(const std::string &name, const trib_shape &shape, trib_dtype dtype = TRIB_F32)
    {
        names.push_back(name);
        values.emplace_back(std::size_t(count(shape)) * trib_dtype_size(dtype));
        const float half = 0.5f;
        for (std::size_t i = 0; dtype == TRIB_F32 && i < values.back().size(); i += sizeof half)
            std::memcpy(&values.back()[i], &half, sizeof half);
        tensors.push_back({ names.back().c_str(), dtype, shape, values.back().data() });
        return tensors.back();
    }
    std::size_t find(const std::string &name) const
    {
        for (std::size_t i = 0; i < tensors.size(); ++i)
            if (name == tensors[i].name) return i;
        ADD_FAILURE() << "no tensor " << name;
        return 0;
    }
    void remove(const std::string &name) { tensors.erase(tensors.begin() + std::ptrdiff_t(find(name))); }
    // The value of element `i` becomes `value`.
    void set(const std::string &name, std::size_t i, float value)
    {
        auto *data = static_cast<unsigned char *>(const_cast<void *>(tensors[find(name)].data));
        std::memcpy(data + i * sizeof value, &value, sizeof value);
    }
    trib_status bind(std::vector<trib_tensor> *parameters = nullptr) const
    {
        std::vector<trib_tensor> own(std::size_t(trib_graph_parameter_count(graph.get())));
        trib_status status = trib_network_bind(&net, graph.get(), trib_network_dialect(net.network), tensors.data(),
                                               int(tensors.size()), own.data());
        if (parameters) *parameters = own;
        return status;
    }
    trib_status detect(trib_network_spec *out, const trib_dialect **dialect = nullptr) const
    {
        const trib_dialect *own = nullptr;
        return trib_network_detect(tensors.data(), int(tensors.size()), out, dialect ? dialect : &own);
    }
};

} // namespace models

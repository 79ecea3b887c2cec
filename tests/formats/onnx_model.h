// SPDX-License-Identifier: Apache-2.0
// ONNX models made by tests, message by message, with anything replaced or added.
#ifndef TRIBUTARY_TESTS_FORMATS_ONNX_MODEL_H
#define TRIBUTARY_TESTS_FORMATS_ONNX_MODEL_H

#include <map>

#include "formats/imports.h"
#include "formats/onnx.h"
#include "formats/wire.h"

namespace onnx
{

inline std::string attribute(const std::string &name, std::int64_t value)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::number(3, value) + wire::number(20, 2));
}
inline std::string attribute(const std::string &name, float value)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::single(2, value) + wire::number(20, 1));
}
inline std::string attribute(const std::string &name, const std::string &value)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::bytes(4, value) + wire::number(20, 3));
}
inline std::string attribute(const std::string &name, const std::vector<std::int64_t> &values)
{
    std::string ints;
    for (std::int64_t v : values) ints += wire::number(8, v);
    return wire::bytes(5, wire::bytes(1, name) + ints + wire::number(20, 7));
}
inline std::string tensor_attribute(const std::string &name, const std::string &tensor)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::bytes(5, tensor) + wire::number(20, 4));
}

// GraphProto's node and initialiser.
inline std::string node(const std::string &op, const std::vector<std::string> &in, const std::string &out,
                        const std::string &attributes = "")
{
    std::string bytes;
    for (const std::string &name : in) bytes += wire::bytes(1, name);
    return wire::bytes(1, bytes + wire::bytes(2, out) + wire::bytes(3, "n_" + out) + wire::bytes(4, op) + attributes);
}
inline std::string dims(const std::vector<std::int64_t> &dims)
{
    std::string bytes;
    for (std::int64_t d : dims) bytes += wire::number(1, d);
    return bytes;
}
inline std::string initialiser(const std::string &name, const std::string &tensor)
{
    return wire::bytes(5, tensor + wire::bytes(8, name));
}
inline std::string whole(const std::vector<std::int64_t> &values)
{
    std::string raw;
    for (std::int64_t v : values) raw += wire::raw(v);
    return dims({ std::int64_t(values.size()) }) + wire::number(2, 7) + wire::bytes(9, raw);
}
inline std::string singles(const std::vector<std::int64_t> &shape, const std::vector<float> &values)
{
    return dims(shape) + wire::number(2, 1) + wire::bytes(9, wire::floats(values));
}

inline std::vector<std::int64_t> shape_of(const trib_tensor &t)
{
    return std::vector<std::int64_t>(t.shape.dim, t.shape.dim + t.shape.rank);
}
inline std::vector<float> values_of(const trib_tensor &t)
{
    std::vector<float> values(std::size_t(models::count(t.shape)));
    std::memcpy(values.data(), t.data, values.size() * sizeof(float));
    return values;
}

using Form = std::string (*)(const trib_tensor &);
inline std::string raw_form(const trib_tensor &t) { return singles(shape_of(t), values_of(t)); }
inline std::string packed_form(const trib_tensor &t)
{
    return dims(shape_of(t)) + wire::number(2, 1) + wire::bytes(4, wire::floats(values_of(t)));
}
inline std::string single_form(const trib_tensor &t)
{
    std::string bytes = dims(shape_of(t)) + wire::number(2, 1);
    for (float v : values_of(t)) bytes += wire::single(4, v);
    return bytes;
}
inline std::string double_form(const trib_tensor &t)
{
    std::string raw;
    for (float v : values_of(t)) raw += wire::raw(double(v));
    return dims(shape_of(t)) + wire::number(2, 11) + wire::bytes(t.shape.rank == 1 ? 10 : 9, raw);
}
// Half precision: bits in int32_data, or raw. The values must be halves.
inline std::string half_form(const trib_tensor &t)
{
    std::string raw, ints;
    for (float v : values_of(t)) {
        std::uint16_t bits = v == 0.5f ? 0x3800 : 0x3C00;
        raw += wire::raw(bits), ints += wire::varint(bits);
    }
    return dims(shape_of(t)) + wire::number(2, 10) + (t.shape.rank == 1 ? wire::bytes(5, ints) : wire::bytes(9, raw));
}

const char tampered[] = "inception_4c/5x5_reduce";

// bvlc as a graph, layer by layer, with anything replaced or added.
struct Graph {
    models::Weights weights;
    std::map<std::string, std::string> nodes;        // in place of a layer's
    std::map<std::string, std::string> initialisers; // in place of NAME's
    std::string before, after;                       // of the graph
    std::string image = "image", tail = wire::bytes(8, wire::number(2, 13));
    std::vector<std::int64_t> size { 224, 224 };

    explicit Graph(const trib_network *network = support::bvlc) : weights(models::network(network, false, 224, 0.03, 3))
    {
    }
    // The layer's inputs and the names of its parameters.
    std::vector<std::string> with_parameters(const trib_layer &l, std::vector<std::string> in) const
    {
        for (int parameter : l.parameters)
            if (parameter >= 0) in.push_back(weights.tensors[std::size_t(parameter)].name);
        return in;
    }

    std::vector<std::int64_t> pads(const trib_pad &p) const { return { p.top, p.left, p.bottom, p.right }; }
    std::string window(int r, int s, int stride, const std::vector<std::int64_t> &pads) const
    {
        return attribute("kernel_shape", std::vector<std::int64_t> { r, s }) +
               attribute("strides", std::vector<std::int64_t> { stride, stride }) + attribute("pads", pads);
    }
    std::string own_node(const trib_layer &l, const std::vector<std::string> &in) const
    {
        const trib_attributes &a = l.attributes;
        switch (l.kind) {
        case TRIB_CONV2D:
            return node("Conv", with_parameters(l, in), l.name,
                        window(a.conv2d.r, a.conv2d.s, a.conv2d.stride_h, pads(a.conv2d.pad)));
        case TRIB_BATCH_NORM:
            return node("BatchNormalization", with_parameters(l, in), l.name, attribute("epsilon", 1e-3f));
        case TRIB_RELU: return node("Relu", in, l.name);
        case TRIB_MAX_POOL2D:
            return node("MaxPool", in, l.name,
                        window(a.pool2d.r, a.pool2d.s, a.pool2d.stride_h, pads(a.pool2d.pad)) +
                            attribute("ceil_mode", std::int64_t(1)));
        case TRIB_AVG_POOL2D: return node("GlobalAveragePool", in, l.name);
        case TRIB_LRN: return node("LRN", in, l.name, attribute("size", std::int64_t(5)));
        case TRIB_CONCAT: return node("Concat", in, l.name, attribute("axis", std::int64_t(1)));
        case TRIB_DROPOUT: return node("Dropout", in, l.name);
        case TRIB_LINEAR:
            return node("Flatten", in, "flat") +
                   node("Gemm", with_parameters(l, { "flat" }), l.name, attribute("transB", std::int64_t(1)));
        default: return node("Softmax", in, l.name);
        }
    }
    std::string file(Form form = raw_form) const
    {
        const trib_graph *g = weights.graph.get();
        std::string graph = before;
        for (int i = 1; i < trib_graph_layer_count(g); ++i) {
            const trib_layer &l = *trib_graph_layer(g, i);
            std::vector<std::string> in;
            for (int k = 0; k < l.input_count; ++k)
                in.push_back(l.inputs[k] ? trib_graph_layer(g, l.inputs[k])->name : image);
            const auto other = nodes.find(l.name);
            graph += other == nodes.end() ? own_node(l, in) : other->second;
        }
        for (const trib_tensor &t : weights.tensors) {
            const auto other = initialisers.find(t.name);
            graph += other == initialisers.end() ? initialiser(t.name, form(t)) : other->second;
        }
        std::string shape;
        for (std::int64_t d : { std::int64_t(1), std::int64_t(3), size[0], size[1] })
            shape += wire::bytes(1, d ? wire::number(1, d) : wire::bytes(2, "free"));
        graph += wire::bytes(11, wire::bytes(1, "loss3/classifier.weight")); // of older models, and before the image
        graph += wire::bytes(11, wire::bytes(1, "image") + wire::bytes(2, wire::bytes(1, wire::bytes(2, shape)))) +
                 wire::bytes(12, wire::bytes(1, "prob"));
        return wire::number(1, 8) + wire::bytes(2, "tests") + tail + wire::bytes(7, graph + after);
    }
    trib_status load(files::Model &model, Form form = raw_form, const std::string &folder = "") const
    {
        support::TemporaryFolder own;
        const std::string path = (folder.empty() ? own.path() : folder) + "/m.onnx";
        support::write_file(path, file(form));
        return files::load(path, model);
    }
    trib_status load() const
    {
        files::Model model;
        return load(model);
    }
    void expect_weights(const trib_model *model) const
    {
        for (std::size_t i = 0; model && i < weights.tensors.size(); ++i) {
            const trib_tensor &wanted = weights.tensors[i], &got = trib_model_parameters(model)[i];
            ASSERT_TRUE(trib_shape_equal(&wanted.shape, &got.shape)) << wanted.name;
            std::vector<float> values(std::size_t(models::count(got.shape)));
            trib_convert_to_f32(got.data, got.dtype, values.size(), values.data());
            ASSERT_EQ(std::memcmp(wanted.data, values.data(), values.size() * sizeof(float)), 0) << wanted.name;
        }
    }
    void expect_same() const
    {
        files::Model model;
        ASSERT_OK(load(model));
        expect_weights(model.get());
    }
    trib_tensor &tensor(const std::string &name) { return weights.tensors[weights.find(name)]; }
};

// A tensor of the tampered layer's shape whose values lie in another file.
inline std::string external(const std::vector<std::pair<std::string, std::string>> &entries)
{
    std::string bytes = dims({ 8, 32, 1, 1 }) + wire::number(2, 1) + wire::number(14, 1);
    for (const auto &e : entries) bytes += wire::bytes(13, wire::bytes(1, e.first) + wire::bytes(2, e.second));
    return bytes;
}

} // namespace onnx

#endif

// SPDX-License-Identifier: Apache-2.0
// ONNX models: what exporters make of torchvision's network, every form of tensors, and models made here that differ
// from a network in one thing.
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>

#include "formats/imports.h"
#include "formats/onnx.h"
#include "formats/weights_file.h"
#include "formats/wire.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

using imports::load;

namespace
{

constexpr std::uint64_t seed = 21;
const trib_model_options size_96 = { 96, 96, false, nullptr, nullptr };
const char golden[] = "import/torchvision-n1-96.safetensors";

// ---- files of PyTorch's exporter ----

TEST(Onnx, BatchNormsThatAreKeptAreTheNetworksBitForBit)
{
    files::Model model = load(support::data_file("import/torchvision-bn-17.onnx"), size_96);
    ASSERT_TRUE(model);
    EXPECT_STREQ(trib_network_name(trib_model_network(model.get())->network), "torchvision");
    for (int i = 0; i < trib_graph_parameter_count(trib_model_graph(model.get())); ++i) {
        char text[128];
        const trib_tensor &t = trib_model_parameters(model.get())[i];
        const std::string name =
            trib_parameter_file_name(trib_model_graph(model.get()), trib_model_dialect(model.get()), i, text);
        const std::vector<float> wanted = imports::formula(name, t.shape, seed);
        ASSERT_TRUE(t.data && !std::memcmp(t.data, wanted.data(), wanted.size() * sizeof(float))) << name;
    }
    EXPECT_LT(imports::error_of(model.get(), golden, seed), 1e-5);
    EXPECT_NE(trib_model_preprocess_guess(model.get()), nullptr);
}

TEST(Onnx, BatchNormsThatAreFoldedComputeTheSame)
{
    // Opset 9 has no ceil_mode: pools have pads that are right for 224 x 224.
    files::Model model = load(support::data_file("import/torchvision-9.onnx"), size_96);
    ASSERT_TRUE(model);
    EXPECT_LT(imports::error_of(model.get(), golden, seed), 1e-5);
    EXPECT_NE(std::string(trib_model_provenance(model.get())).find("'pytorch', operator set 9, batch norms folded"),
              std::string::npos);
}

TEST(Onnx, ArithmeticBeforeTheNetworkBecomesPreprocessing)
{
    files::Model model = load(support::data_file("import/torchvision-transform-13.onnx"), size_96);
    ASSERT_TRUE(model);
    EXPECT_LT(imports::error_of(model.get(), golden, seed), 1e-5); // the network's own input, without it
    const trib_preprocess *p = trib_model_preprocess(model.get());
    for (int c = 0; c < 3; ++c) {
        EXPECT_NEAR(p->mean[c], 0.5, 1e-6);
        EXPECT_NEAR(p->std[c], 0.5, 1e-6);
    }
    EXPECT_TRUE(!p->bgr && std::fabs(p->scale - 1.0 / 255) < 1e-9);
    EXPECT_EQ(trib_model_preprocess_guess(model.get()), nullptr);
    EXPECT_NE(std::string(trib_model_note(model.get())).find("has become preprocessing"), std::string::npos);
}

TEST(Onnx, PoolsThatRoundDownAreANetworkOfTheirOwn)
{
    // The structure of the zoo's inception-v1: a classifier of four dimensions, the image as the last input.
    files::Model model = load(support::data_file("import/inception-v1-zoo-9.onnx"), size_96);
    ASSERT_TRUE(model);
    EXPECT_STREQ(trib_network_name(trib_model_network(model.get())->network), "bvlc-floor");
    EXPECT_LT(imports::error_of(model.get(), "import/bvlc-floor-n1-96.safetensors", 22), 1e-5);
    EXPECT_GT(imports::error_of(model.get(), "import/bvlc-n1-96.safetensors", 22), 1e-3);
}

// ---- models made here ----

std::string attribute(const std::string &name, std::int64_t value)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::number(3, value) + wire::number(20, 2));
}
std::string attribute(const std::string &name, float value)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::single(2, value) + wire::number(20, 1));
}
std::string attribute(const std::string &name, const std::string &value)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::bytes(4, value) + wire::number(20, 3));
}
std::string attribute(const std::string &name, const std::vector<std::int64_t> &values)
{
    std::string ints;
    for (std::int64_t v : values) ints += wire::number(8, v);
    return wire::bytes(5, wire::bytes(1, name) + ints + wire::number(20, 7));
}
std::string tensor_attribute(const std::string &name, const std::string &tensor)
{
    return wire::bytes(5, wire::bytes(1, name) + wire::bytes(5, tensor) + wire::number(20, 4));
}

// GraphProto's node and initialiser.
std::string node(const std::string &op, const std::vector<std::string> &in, const std::string &out,
                 const std::string &attributes = "")
{
    std::string bytes;
    for (const std::string &name : in) bytes += wire::bytes(1, name);
    return wire::bytes(1, bytes + wire::bytes(2, out) + wire::bytes(3, "n_" + out) + wire::bytes(4, op) + attributes);
}
std::string dims(const std::vector<std::int64_t> &dims)
{
    std::string bytes;
    for (std::int64_t d : dims) bytes += wire::number(1, d);
    return bytes;
}
std::string initialiser(const std::string &name, const std::string &tensor)
{
    return wire::bytes(5, tensor + wire::bytes(8, name));
}
std::string whole(const std::vector<std::int64_t> &values)
{
    std::string raw;
    for (std::int64_t v : values) raw += wire::raw(v);
    return dims({ std::int64_t(values.size()) }) + wire::number(2, 7) + wire::bytes(9, raw);
}
std::string singles(const std::vector<std::int64_t> &shape, const std::vector<float> &values)
{
    return dims(shape) + wire::number(2, 1) + wire::bytes(9, wire::floats(values));
}

std::vector<std::int64_t> shape_of(const trib_tensor &t)
{
    return std::vector<std::int64_t>(t.shape.dim, t.shape.dim + t.shape.rank);
}
std::vector<float> values_of(const trib_tensor &t)
{
    std::vector<float> values(std::size_t(models::count(t.shape)));
    std::memcpy(values.data(), t.data, values.size() * sizeof(float));
    return values;
}

using Form = std::string (*)(const trib_tensor &);
std::string raw_form(const trib_tensor &t) { return singles(shape_of(t), values_of(t)); }
std::string packed_form(const trib_tensor &t)
{
    return dims(shape_of(t)) + wire::number(2, 1) + wire::bytes(4, wire::floats(values_of(t)));
}
std::string single_form(const trib_tensor &t)
{
    std::string bytes = dims(shape_of(t)) + wire::number(2, 1);
    for (float v : values_of(t)) bytes += wire::single(4, v);
    return bytes;
}
std::string double_form(const trib_tensor &t)
{
    std::string raw;
    for (float v : values_of(t)) raw += wire::raw(double(v));
    return dims(shape_of(t)) + wire::number(2, 11) + wire::bytes(t.shape.rank == 1 ? 10 : 9, raw);
}
// Half precision: bits in int32_data, or raw. The values must be halves.
std::string half_form(const trib_tensor &t)
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

TEST(Onnx, EveryFormOfTensorsGivesTheSameBits)
{
    Graph graph;
    for (std::size_t i = 0; i < graph.weights.values.size(); ++i) { // halves, and a one here and there
        const float one = 1;
        std::memcpy(&graph.weights.values[i][i % 3 * 4], &one, 4);
    }
    for (Form form : { raw_form, packed_form, single_form, double_form, half_form }) {
        files::Model model;
        ASSERT_OK(graph.load(model, form));
        graph.expect_weights(model.get());
    }
}

TEST(Onnx, OtherOperatorsForTheSame)
{
    Graph graph;
    const std::vector<std::string> in = { "pool5/7x7_s1" };
    const trib_tensor &w = graph.tensor("loss3/classifier.weight");
    const std::vector<float> values = values_of(w);
    std::vector<float> turned(values.size());
    const std::size_t rows = std::size_t(w.shape.dim[0]), columns = std::size_t(w.shape.dim[1]);
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c) turned[c * rows + r] = values[r * columns + c];
    const std::string exchanged = initialiser("turned", singles({ w.shape.dim[1], w.shape.dim[0] }, turned));
    graph.before = exchanged + initialiser("shape", whole({ 1, -1 })) + initialiser("axes", whole({ -1, -2 })) +
                   initialiser("four", whole({ 0, 0, 1, 1 })) + initialiser("three", whole({ 3 }));
    const std::string reshape = node("Reshape", { "pool5/drop_7x7_s1", "shape" }, "flat");
    const std::string name = "loss3/classifier", product = node("MatMul", { "flat", "turned" }, "product");
    for (const std::string &linear : {
             reshape + node("Gemm", { "flat", "turned", name + ".bias" }, name),
             reshape + product + node("Add", { "product", name + ".bias" }, name),
             reshape + product + node("Add", { name + ".bias", "product" }, name),
             reshape + node("Transpose", { "turned" }, "back", attribute("perm", std::vector<std::int64_t> { 1, 0 })) +
                 node("Gemm", { "flat", "back", name + ".bias" }, name, attribute("transB", std::int64_t(1))),
             node("Squeeze", { "pool5/drop_7x7_s1" }, "flat") + node("Identity", { name + ".bias" }, "b") +
                 node("Gemm", { "flat", name + ".weight", "b" }, name, attribute("transB", std::int64_t(1))),
         }) {
        graph.nodes[name] = linear;
        graph.expect_same();
    }
    graph.nodes.clear();
    for (const std::string &pool : {
             node("ReduceMean", { "inception_5b/output" }, "pool5/7x7_s1",
                  attribute("axes", std::vector<std::int64_t> { 2, 3 })),
             node("ReduceMean", { "inception_5b/output", "axes" }, "pool5/7x7_s1"),
             node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                  attribute("kernel_shape", std::vector<std::int64_t> { 7, 7 })),
         }) {
        graph.nodes["pool5/7x7_s1"] = pool;
        graph.expect_same();
    }
    std::memset(graph.weights.values[graph.weights.find(name + ".bias")].data(), 0, 12);
    graph.nodes[name] = node("Gemm", { "pool5/7x7_s1", name + ".weight" }, name, attribute("transB", std::int64_t(1)));
    graph.tail = wire::bytes(8, wire::bytes(1, "ai.onnx") + wire::number(2, 12)) +
                 wire::bytes(8, wire::bytes(1, "other") + wire::number(2, 1));
    graph.nodes["conv2/3x3_reduce"] =
        node("Conv", { "pool1/norm1", "conv2/3x3_reduce.weight", "conv2/3x3_reduce.bias" }, "conv2/3x3_reduce",
             attribute("auto_pad", std::string("VALID")) + wire::bytes(7, "ai.onnx"));
    graph.expect_same();
    // Pads that round up for every size, and for this one.
    for (std::int64_t pad : { 1, 2 }) {
        graph.nodes["pool1/3x3_s2"] =
            node("MaxPool", { "conv1/7x7_s2/relu" }, "pool1/3x3_s2", graph.window(3, 3, 2, { 0, 0, pad, pad }));
        graph.expect_same();
    }
    graph.size = { 0, 0 };
    EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED, "layer pool1/3x3_s2: node 'n_pool1/3x3_s2' (MaxPool): the pool gives");
    graph.nodes["pool1/3x3_s2"] =
        node("MaxPool", { "conv1/7x7_s2/relu" }, "pool1/3x3_s2", graph.window(3, 3, 2, { 0, 0, 1, 1 }));
    graph.expect_same();
}

TEST(Onnx, ConstantsAreComputed)
{
    Graph graph;
    const trib_tensor &bias = graph.tensor("conv1/7x7_s2.bias");
    // Zeros, by shape of the weights, as dynamo makes them; the test's own are halves.
    graph.before =
        initialiser("zero", whole({ 0 })) + initialiser("half", singles({}, { 0.5f })) +
        node("Shape", { "conv1/7x7_s2.weight" }, "sizes") + node("Gather", { "sizes", "zero" }, "channels") +
        node("Cast", { "half" }, "cast") + node("Expand", { "cast", "channels" }, "wide") +
        node("CastLike", { "wide", "half" }, "bias1") +
        node("ConstantOfShape", { "channels" }, "bias2", tensor_attribute("value", singles({ 1 }, { 0.5f }))) +
        node("Constant", {}, "number", attribute("value_float", 0.5f)) +
        node("Expand", { "number", "channels" }, "bias3") +
        node("Constant", {}, "bias4", tensor_attribute("value", raw_form(bias))) +
        node("Unsqueeze", { "bias4", "zero" }, "row") + node("Squeeze", { "row" }, "bias5") +
        node("Constant", {}, "all", attribute("value_ints", std::vector<std::int64_t> { -1 })) +
        node("Concat", { "all" }, "list") + node("Reshape", { "row", "list" }, "bias6");
    const trib_conv2d &conv = trib_graph_layer(graph.weights.graph.get(), 1)->attributes.conv2d;
    for (int i = 1; i <= 6; ++i) {
        graph.nodes["conv1/7x7_s2"] = node("Conv", { "image", "conv1/7x7_s2.weight", "bias" + std::to_string(i) },
                                           "conv1/7x7_s2", graph.window(7, 7, 2, graph.pads(conv.pad)));
        graph.expect_same();
    }
}

// A constant as the first bias.
std::string with_bias(const Graph &graph, const std::string &bias)
{
    return node("Conv", { "image", "conv1/7x7_s2.weight", bias }, "conv1/7x7_s2",
                graph.window(7, 7, 2, { 3, 3, 3, 3 }));
}

TEST(Onnx, ConstantsThatAreNotComputedAreNamed)
{
    const std::string number = node("Constant", {}, "n", attribute("value_float", 0.5f));
    const std::string list = node("Constant", {}, "l", attribute("value_ints", std::vector<std::int64_t> { 8, 1 }));
    const std::string matrix =
        initialiser("m", singles({ 2, 4 }, std::vector<float>(8, 0.5f))) + node("Transpose", { "m" }, "t");
    const std::string one = initialiser("one", whole({ 1 })) + initialiser("nine", whole({ 9 }));
    std::string chain = node("Identity", { "n" }, "i0");
    for (int i = 0; i < 70; ++i) chain += node("Identity", { "i" + std::to_string(i) }, "i" + std::to_string(i + 1));
    const std::pair<std::string, const char *> cases[] = {
        { list + node("ConstantOfShape", { "l" }, "c", tensor_attribute("value", singles({ 2 }, { 1, 2 }))),
          "its value is not one number" },
        { number + node("ConstantOfShape", { "n" }, "c"), "its shape is no short list" },
        { node("ConstantOfShape", { "one" }, "c") + initialiser("one", whole({ -1 })), "negative extent" },
        { list + node("Reshape", { "l", "l" }, "c"), "reshapes what is not supported" },
        { matrix + list + node("Reshape", { "t", "l" }, "c"), "reshapes what is not supported" },
        { matrix + initialiser("s", whole({ 3, -1 })) + node("Reshape", { "m", "s" }, "c"),
          "does not have as many values" },
        { matrix + initialiser("s", whole({ 9 })) + node("Reshape", { "m", "s" }, "c"),
          "does not have as many values" },
        { matrix + initialiser("s", whole({ -1, -1 })) + node("Reshape", { "m", "s" }, "c"),
          "does not have as many values" },
        { matrix + initialiser("s", whole({ 0, 0 })) +
              node("Reshape", { "m", "s" }, "c", attribute("allowzero", std::int64_t(1))),
          "does not have as many values" },
        { matrix + number + node("Reshape", { "m", "n" }, "c"), "no short list of whole numbers" },
        { node("Reshape", {}, "c"), "an input is missing" },
        { number + node("Transpose", { "n" }, "c"), "only matrices" },
        { matrix + node("Transpose", { "m" }, "c", attribute("perm", std::vector<std::int64_t> { 0, 1 })),
          "only matrices" },
        { matrix + node("Squeeze", { "t" }, "c"), "squeezes what is not supported" },
        { matrix + one + node("Unsqueeze", { "t", "one" }, "c"), "unsqueezes what is not supported" },
        { matrix + one + node("Unsqueeze", { "m", "nine" }, "c"), "an axis is outside" },
        { matrix + list + node("Expand", { "m", "l" }, "c"), "only one number can be expanded" },
        { list + number + node("Gather", { "n", "l" }, "c"), "only short lists can be gathered" },
        { list + one + node("Gather", { "l", "nine" }, "c"), "an index is outside" },
        { number + node("Concat", { "n" }, "c"), "only short lists can be joined" },
        { list + node("Concat", { "l", "l", "l", "l", "l" }, "c"), "only short lists can be joined" },
        { node("Constant", {}, "c", attribute("value_string", std::string("x"))),
          "its kind of value is not supported" },
        { node("Relu", {}, "c"), "stands where a constant is needed" },
        { number + chain + node("Identity", { "i70" }, "c"), "takes more than 64 nodes" },
        { list + node("Squeeze", { "l" }, "c"), "values of type" },
        { node("Transpose", {}, "c"), "an input is missing" },
        { node("Squeeze", {}, "c"), "an input is missing" },
        { node("Expand", {}, "c"), "an input is missing" },
        { number + node("Expand", { "n" }, "c"), "an input is missing" },
        { node("Shape", {}, "c"), "an input is missing" },
        { list + node("Gather", { "l" }, "c"), "an input is missing" },
        { node("ConstantOfShape", {}, "c"), "an input is missing" },
        { number + node("Unsqueeze", { "n" }, "c"), "an input is missing" },
        { number + node("Unsqueeze", { "n" }, "c", attribute("axes", std::vector<std::int64_t>(9, 0))),
          "an input is missing" },
        { matrix + node("Unsqueeze", { "m" }, "c", attribute("axes", std::vector<std::int64_t>(7, 0))),
          "unsqueezes what is not supported" },
        { matrix + node("Unsqueeze", { "m" }, "c", attribute("axes", std::vector<std::int64_t> { -9 })),
          "an axis is outside" },
        { list + number + node("Gather", { "l", "n" }, "c"), "only short lists can be gathered" },
        { list + initialiser("i", whole({ -3 })) + node("Gather", { "l", "i" }, "c"), "an index is outside" },
        { matrix + node("Transpose", { "m" }, "c", attribute("perm", std::vector<std::int64_t> { 0, 1, 2 })),
          "only matrices" },
        { matrix + node("Transpose", { "m" }, "c", attribute("perm", std::vector<std::int64_t> { 1, 1 })),
          "only matrices" },
        { node("Constant", {}, "c", attribute("value_ints", std::vector<std::int64_t>(9, 0))),
          "its kind of value is not supported" },
        { node("Constant", {}, "c", tensor_attribute("value", dims({ 1 }) + wire::number(2, 1))), "it has 0 values" },
        { list + node("ConstantOfShape", { "l" }, "c", tensor_attribute("value", dims({ 1 }) + wire::number(2, 1))),
          "it has 0 values" },
        { list + node("ConstantOfShape", { "l" }, "c", tensor_attribute("value", dims({ 0 }) + wire::number(2, 1))),
          "its value is not one number" },
    };
    for (const auto &c : cases) {
        Graph graph;
        graph.before = c.first;
        graph.nodes["conv1/7x7_s2"] = with_bias(graph, "c");
        trib_status s = graph.load();
        EXPECT_TRUE(s.code == TRIB_BAD_DATA || s.code == TRIB_UNSUPPORTED) << s.message;
        EXPECT_NE(std::string(s.message).find(c.second), std::string::npos) << s.message;
    }
}

TEST(Onnx, AScalarBecomesAList)
{
    Graph graph;
    graph.before = node("Constant", {}, "eight", attribute("value_int", std::int64_t(8))) +
                   initialiser("zero", whole({ 0 })) + node("Unsqueeze", { "eight", "zero" }, "list") +
                   node("ConstantOfShape", { "list" }, "c", tensor_attribute("value", singles({ 1 }, { 0.5f })));
    graph.nodes["conv1/7x7_s2"] = with_bias(graph, "c");
    graph.expect_same();
    std::memset(graph.weights.values[graph.weights.find("conv1/7x7_s2.bias")].data(), 0, 32);
    graph.nodes["conv1/7x7_s2"] = with_bias(graph, ""); // without a bias it is 0
    graph.expect_same();
}

TEST(Onnx, ABiasBeforeABatchNormIsPartOfItsMean)
{
    Graph graph(support::torchvision);
    graph.expect_same();
    graph.before = initialiser("b", singles({ 8 }, std::vector<float>(8, 0.25f)));
    graph.nodes["conv1/7x7_s2"] =
        node("Conv", { "image", "conv1.conv.weight", "b" }, "conv1/7x7_s2", graph.window(7, 7, 2, { 3, 3, 3, 3 }));
    std::vector<unsigned char> &mean = graph.weights.values[graph.weights.find("conv1.bn.running_mean")];
    const float quarter = 0.25f, half = 0.5f;
    support::TemporaryFolder folder;
    files::Model model;
    ASSERT_OK(graph.load(model)); // a mean of a half, less a bias of a quarter
    for (std::size_t i = 0; i < mean.size(); i += 4) std::memcpy(&mean[i], &quarter, 4);
    graph.expect_weights(model.get());
    for (std::size_t i = 0; i < mean.size(); i += 4) std::memcpy(&mean[i], &half, 4);
    graph.before = initialiser("b", singles({ 4 }, std::vector<float>(4, 0.25f)));
    EXPECT_FAILS(graph.load(), TRIB_BAD_DATA, "b, a bias before conv1/7x7_s2/bn.running_mean, has shape [4]");
    graph.before = initialiser("b", dims({ 8 }) + wire::number(2, 6) + wire::bytes(9, std::string(32, 'a')));
    EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED, "values of type 6");
}

TEST(Onnx, OneNumberEverywhereIsNotWrittenOutWithoutEnd)
{
    Graph graph;
    graph.before = initialiser("shape", whole({ 600000, 32 })) + initialiser("classes", whole({ 600000 })) +
                   node("ConstantOfShape", { "shape" }, "w") + node("ConstantOfShape", { "classes" }, "b");
    graph.nodes["loss3/classifier"] =
        node("Flatten", { "pool5/drop_7x7_s1" }, "flat") +
        node("Gemm", { "flat", "w", "b" }, "loss3/classifier", attribute("transB", std::int64_t(1)));
    EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED, "written out too often");
}

TEST(Onnx, TheSizeOfTheExportIsSaidOrTaken)
{
    Graph graph;
    graph.size = { 96, 128 };
    files::Model model;
    ASSERT_OK(graph.load(model));
    EXPECT_NE(std::string(trib_model_note(model.get())).find("exported for images of 96 x 128 pixels"),
              std::string::npos);
    graph.image = "y";
    graph.before =
        initialiser("k", dims({ 1, 1 }) + wire::number(2, 7) + wire::bytes(9, wire::raw(std::int64_t(255)))) +
        node("Div", { "image", "k" }, "y");
    ASSERT_OK(graph.load(model));
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 96);
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_width, 128);
}

TEST(Onnx, ImagesInAnotherFormBecomePreprocessing)
{
    Graph graph;
    graph.image = "y";
    const auto expect = [&](const char *what, bool bgr, double scale, std::vector<double> mean,
                            std::vector<double> std) {
        files::Model model;
        ASSERT_OK(graph.load(model));
        const trib_preprocess *p = trib_model_preprocess(model.get());
        EXPECT_NE(std::string(trib_model_note(model.get())).find(what), std::string::npos)
            << trib_model_note(model.get());
        EXPECT_EQ(p->bgr, bgr);
        EXPECT_NEAR(p->scale, scale, 1e-9);
        for (std::size_t c = 0; c < 3; ++c) {
            EXPECT_NEAR(p->mean[c], mean[c], 1e-4 * std::fabs(mean[c]) + 1e-6);
            EXPECT_NEAR(p->std[c], std[c], 1e-4 * std::fabs(std[c]));
        }
    };
    const std::string channels = initialiser("m", singles({ 1, 3, 1, 1 }, { 0.1f, 0.2f, 0.3f })) +
                                 initialiser("s", singles({ 3, 1, 1 }, { 0.5f, 0.25f, 0.2f })) +
                                 initialiser("k", singles({}, { 255 }));
    graph.before =
        channels + node("Div", { "image", "k" }, "d") + node("Sub", { "d", "m" }, "e") + node("Div", { "e", "s" }, "y");
    expect("RGB from 0 to 255", false, 1, { 25.5, 51, 76.5 }, { 127.5, 63.75, 51 });
    graph.before = channels + node("Sub", { "image", "m" }, "e") + node("Div", { "e", "s" }, "y");
    expect("RGB from 0 to 1", false, 1 / 255.0, { 0.1, 0.2, 0.3 }, { 0.5, 0.25, 0.2 });
    const std::string reversed =
        initialiser("r", whole({ 2, 1, 0 })) + initialiser("caffe", singles({ 3, 1, 1 }, { -104, -117, -123 }));
    graph.before = reversed + node("Gather", { "image", "r" }, "g", attribute("axis", std::int64_t(1))) +
                   node("Add", { "caffe", "g" }, "y");
    expect("RGB from 0 to 255", true, 1, { 104, 117, 123 }, { 1, 1, 1 });
    const auto refused = [&](const std::string &nodes, const char *text) {
        graph.before = channels + reversed + nodes;
        trib_status s = graph.load();
        EXPECT_TRUE(trib_failed(&s));
        EXPECT_NE(std::string(s.message).find(text), std::string::npos) << s.message;
    };
    graph.before = channels + node("Constant", {}, "f", attribute("value_float", 2.0f)) +
                   initialiser("two", whole({ 2 })) + node("Mul", { "image", "f" }, "d") +
                   node("Cast", { "two" }, "t") + node("Sub", { "d", "t" }, "y");
    expect("RGB from 0 to 1", false, 1 / 255.0, { 1, 1, 1 }, { 0.5, 0.5, 0.5 });
    std::string far = node("Unsqueeze", { "image", "r" }, "u0");
    for (int i = 0; i < 70; ++i)
        far += node("Unsqueeze", { "u" + std::to_string(i), "r" }, "u" + std::to_string(i + 1));
    refused(initialiser("two", whole({ 2 })) + node("Sub", { "two", "image" }, "y"), "std[0]");
    refused(far + node("Unsqueeze", { "u70", "r" }, "y"), "more than 60 nodes");
    refused(initialiser("five", singles({ 5 }, std::vector<float>(5, 1))) + node("Mul", { "image", "five" }, "y"),
            "not one number, nor one for each channel");
    refused(initialiser("row", singles({ 1, 3 }, std::vector<float>(3, 1))) + node("Mul", { "image", "row" }, "y"),
            "not one number, nor one for each channel");
    refused(node("Mul", { "image" }, "y"), "has not two inputs");
    refused(node("Gather", { "image", "k" }, "y", attribute("axis", std::int64_t(1))), "does not pick channels");
    refused(initialiser("nine", whole({ 9 })) +
                node("Gather", { "image", "nine" }, "y", attribute("axis", std::int64_t(1))),
            "does not have");
    refused(node("Relu", { "image" }, "z") + node("Mul", { "z", "k" }, "y"), "only arithmetic with constants");
    refused(node("Mul", { "image", "r" }, "y"), "not one number, nor one for each channel");
    refused(node("Gather", { "image" }, "y", attribute("axis", std::int64_t(1))), "does not pick channels");
    refused(node("Relu", { "image" }, "z") + node("Gather", { "z", "r" }, "y", attribute("axis", std::int64_t(1))),
            "only arithmetic with constants");
    refused(node("Gather", { "image", "nothing" }, "y", attribute("axis", std::int64_t(1))), "nothing is missing");
    refused(initialiser("many", whole({ 0, 1, 2, 0 })) +
                node("Gather", { "image", "many" }, "y", attribute("axis", std::int64_t(1))),
            "does not pick channels");
    refused(initialiser("low", whole({ -4 })) +
                node("Gather", { "image", "low" }, "y", attribute("axis", std::int64_t(1))),
            "does not have");
    refused(node("Unsqueeze", {}, "y"), "only arithmetic with constants");
    graph.after = wire::bytes(11, wire::bytes(1, "second"));
    refused(node("Concat", { "image", "second" }, "y", attribute("axis", std::int64_t(1))),
            "joins channels of two inputs");
    refused(node("Concat", {}, "y", attribute("axis", std::int64_t(1))), "joins nothing");
    refused(node("Relu", { "image" }, "y"), "only arithmetic with constants");
    refused(node("Div", { "k", "image" }, "y"), "divides by the image");
    refused(node("Mul", { "image", "image" }, "y"), "image is no constant");
    refused(node("Add", { "image", "nothing" }, "y"), "is missing");
    refused(node("Gather", { "image", "r" }, "y"), "does not pick channels");
    refused(node("Concat", { "image", "image" }, "y", attribute("axis", std::int64_t(1))),
            "joins more than three channels");
    refused(node("Concat", { "image" }, "y", attribute("axis", std::int64_t(2))), "does not join channels");
    refused(initialiser("rgb", whole({ 1, 0, 2 })) +
                node("Gather", { "image", "rgb" }, "y", attribute("axis", std::int64_t(1))),
            "neither RGB nor BGR");
    refused(initialiser("one", whole({ 1 })) +
                node("Gather", { "image", "one" }, "y", attribute("axis", std::int64_t(1))),
            "reads 1 channels");
    refused(initialiser("zero", singles({}, { 0 })) + node("Div", { "image", "zero" }, "y"), "divides by nothing");
    refused(initialiser("nan", singles({}, { NAN })) + node("Mul", { "image", "nan" }, "y"), "is not a number");
    refused(initialiser("zero", singles({}, { 0 })) + node("Mul", { "image", "zero" }, "y"), "multiplied by 0");
}

// ---- what differs ----

struct Spoiled {
    const char *name, *text;
    std::function<void(Graph &)> spoil;
};
void PrintTo(const Spoiled &spoiled, std::ostream *out) { *out << spoiled.name; }
class OnnxSpoiled : public testing::TestWithParam<Spoiled>
{
};

TEST_P(OnnxSpoiled, IsRefusedNamingTheReason)
{
    Graph graph;
    GetParam().spoil(graph);
    trib_status s = graph.load();
    EXPECT_TRUE(s.code == TRIB_BAD_DATA || s.code == TRIB_UNSUPPORTED) << s.message;
    EXPECT_NE(std::string(s.message).find(GetParam().text), std::string::npos) << s.message;
    EXPECT_NE(std::string(s.message).find("m.onnx: "), std::string::npos) << s.message;
}

// In place of the tampered layer's weights, whose values are 8 * 32 halves.
Spoiled weights(const char *name, const std::string &tensor, const char *text)
{
    return { name, text, [tensor](Graph &g) {
                g.initialisers[std::string(tampered) + ".weight"] =
                    initialiser(std::string(tampered) + ".weight", tensor);
            } };
}

Spoiled replaced(const char *name, const char *layer, const std::string &node, const char *text)
{
    return { name, text, [layer, node](Graph &g) { g.nodes[layer] = node; } };
}

// A convolution or pool with another attribute in front, which counts.
Spoiled changed(const char *name, const char *layer, const std::string &attribute, const char *text)
{
    return { name, text, [layer, attribute](Graph &g) {
                const trib_graph *graph = g.weights.graph.get();
                const trib_layer &l = *trib_graph_layer(graph, trib_graph_find_layer(graph, layer));
                std::vector<std::string> in;
                for (int k = 0; k < l.input_count; ++k)
                    in.push_back(l.inputs[k] ? trib_graph_layer(graph, l.inputs[k])->name : "image");
                std::string own = g.own_node(l, in);
                own = own.substr(own.rfind(wire::bytes(3, std::string("n_") + layer)));
                std::string head;
                for (const std::string &i : in) head += wire::bytes(1, i);
                if (l.kind == TRIB_CONV2D)
                    head +=
                        wire::bytes(1, l.name + std::string(".weight")) + wire::bytes(1, l.name + std::string(".bias"));
                if (l.kind == TRIB_LINEAR)
                    head = wire::bytes(1, "flat") + wire::bytes(1, l.name + std::string(".weight")) +
                           wire::bytes(1, l.name + std::string(".bias"));
                g.nodes[layer] = (l.kind == TRIB_LINEAR ? node("Flatten", in, "flat") : "") +
                                 wire::bytes(1, head + wire::bytes(2, layer) + attribute + own);
            } };
}

std::string external(const std::vector<std::pair<std::string, std::string>> &entries)
{
    std::string bytes = dims({ 8, 32, 1, 1 }) + wire::number(2, 1) + wire::number(14, 1);
    for (const auto &e : entries) bytes += wire::bytes(13, wire::bytes(1, e.first) + wire::bytes(2, e.second));
    return bytes;
}

std::vector<Spoiled> tensors()
{
    const std::string floats(1024, '\0'), good = dims({ 8, 32, 1, 1 }) + wire::number(2, 1);
    return {
        weights("negative", dims({ -8, -32, 1, 1 }) + wire::number(2, 1) + wire::bytes(9, floats),
                "5x5_reduce.weight: a shape with the negative extent"),
        weights("overflow", dims({ 1ll << 32, 1ll << 32, 1, 1 }) + wire::number(2, 1),
                "5x5_reduce.weight: a shape with more than 2^62"),
        weights("large", dims({ 1ll << 30, 1ll << 30, 1, 1 }) + wire::number(2, 1),
                "5x5_reduce.weight: it has 0 values"),
        weights("beyond_any_file", dims({ 1ll << 31, 1ll << 31, 1, 1 }) + wire::number(2, 1),
                "it has more values than any file"),
        weights("more", dims({ 8, 33, 1, 1 }) + wire::number(2, 1) + wire::bytes(9, floats),
                "it has 1024 bytes where its shape [8, 33, 1, 1] needs 1056"),
        weights("rank", dims(std::vector<std::int64_t>(9, 1)) + wire::number(2, 1), "it has 9 dimensions"),
        weights("two_forms", good + wire::bytes(9, floats) + wire::bytes(4, floats), "two forms at once"),
        weights("two_fields", good + wire::bytes(4, floats) + wire::number(5, 1), "two forms at once"),
        weights("other_field", good + wire::bytes(5, floats), "of another type than data_type says"),
        weights("few_values", good + wire::bytes(4, floats.substr(4)), "it has 255 values"),
        weights("odd_bytes", good + wire::bytes(4, floats.substr(1)), "values where its shape"),
        weights("strings", dims({ 8, 32, 1, 1 }) + wire::number(2, 8) + wire::bytes(6, "x"),
                "values of type 8 cannot be weights"),
        weights("whole_numbers", dims({ 8, 32, 1, 1 }) + wire::number(2, 7) + wire::bytes(9, std::string(2048, '\0')),
                "values of type 7 cannot be weights"),
        weights("unknown_type", dims({ 8, 32, 1, 1 }) + wire::number(2, 99) + wire::bytes(9, floats),
                "values of type 99 cannot be weights"),
        weights("not_a_number", good + wire::bytes(9, wire::floats(std::vector<float>(256, NAN))),
                "not a finite number"),
        weights("too_large",
                dims({ 8, 32, 1, 1 }) + wire::number(2, 11) +
                    wire::bytes(9,
                                [] {
                                    std::string s;
                                    for (int i = 0; i < 256; ++i) s += wire::raw(1e300);
                                    return s;
                                }()),
                "not a finite number"),
        weights("other_shape", dims({ 8, 16, 1, 2 }) + wire::number(2, 1) + wire::bytes(9, floats),
                "has shape [8, 16, 1, 2] where the network has"),
        weights("matrix", dims({ 8, 32 }) + wire::number(2, 1) + wire::bytes(9, floats),
                "its weights have 2 dimensions"),
        weights("cut_dims", wire::bytes(1, "\xFF\xFF"), "goes on after the end"),
        weights("key", external({ { "location", "w" }, { "__class__", "x" } }), "unknown key '__class__'"),
        weights("offset", external({ { "location", "w" }, { "offset", "-8" } }),
                "offset '-8', which is no whole number"),
        weights("offset_large", external({ { "location", "w" }, { "offset", "99999999999999999999" } }),
                "which is no whole number"),
        weights("length", external({ { "location", "w" }, { "length", "4" } }),
                "it has 4 bytes in another file where its shape"),
        { "missing", "5x5_reduce.weight is missing",
          [](Graph &g) { g.initialisers[std::string(tampered) + ".weight"] = ""; } },
        { "twice", "two initialisers have this name",
          [](Graph &g) { g.after = initialiser(std::string(tampered) + ".weight", whole({ 1 })); } },
        { "sparse", "initialiser w is sparse",
          [](Graph &g) { g.after = wire::bytes(15, wire::bytes(1, wire::bytes(8, "w"))); } },
    };
}

std::vector<Spoiled> graphs()
{
    const std::vector<std::int64_t> two = { 2, 2 };
    const char *pool = "pool3/3x3_s2", *before = "inception_3b/output", *conv = "inception_3a/3x3";
    return {
        changed("stride", "conv1/7x7_s2", attribute("strides", std::vector<std::int64_t> { 3, 2 }),
                "conv1/7x7_s2' (Conv): the vertical stride is 3 where the network has 2"),
        changed("kernel", conv, attribute("kernel_shape", std::vector<std::int64_t> { 5, 3 }),
                "branch 2 of module inception_3a, in the order of its Concat's inputs: node 'n_inception_3a/3x3' "
                "(Conv): the kernel's height is 5"),
        changed("pads", conv, attribute("pads", std::vector<std::int64_t> { 1, 1, 1, 2 }), "the pad on the right is 2"),
        changed("two_pads", conv, attribute("pads", two), "pads has 2 values"),
        changed("auto_pad", conv, attribute("auto_pad", std::string("SAME_UPPER")), "auto_pad is SAME_UPPER"),
        changed("dilations", conv, attribute("dilations", two), "dilations is 2"),
        changed("group", conv, attribute("group", std::int64_t(2)), "group is 2"),
        changed(
            "floor", pool, attribute("ceil_mode", std::int64_t(0)),
            "pool3/3x3_s2' (MaxPool): the pool gives 13 of 28 pixels where the network's, which rounds up, gives 14"),
        changed("pool_pads", pool, attribute("pads", std::vector<std::int64_t> { 0, 0, -1, 0 }),
                "a pad at the end is -1"),
        changed("lrn", "conv2/norm2", attribute("alpha", 1e-3f), "(LRN): alpha is 0.001"),
        changed("lrn_size", "conv2/norm2", attribute("size", std::int64_t(4)), "(LRN): size is 4"),
        changed("axis", before, attribute("axis", std::int64_t(2)), "(Concat): axis is 2"),
        changed("gemm_alpha", "loss3/classifier", attribute("alpha", 0.5f), "(Gemm): alpha is 0.5"),
        changed("gemm_a", "loss3/classifier", attribute("transA", std::int64_t(1)), "(Gemm): transA is 1"),
        changed("gemm_b", "loss3/classifier", attribute("transB", std::int64_t(0)), "loss3/classifier.weight"),
        changed("softmax", "prob", attribute("axis", std::int64_t(0)), "(Softmax): axis is 0"),
        replaced("average", pool, node("AveragePool", { before }, pool),
                 "node 'n_pool3/3x3_s2' (AveragePool) stands where MaxPool is needed"),
        replaced("no_relu", "inception_3a/1x1/relu", node("Identity", { "inception_3a/1x1" }, "inception_3a/1x1/relu"),
                 "(Conv) stands where Relu is needed"),
        replaced("branches", before,
                 node("Concat",
                      { "inception_3b/3x3/relu", "inception_3b/1x1/relu", "inception_3b/5x5/relu",
                        "inception_3b/pool_proj/relu" },
                      before, attribute("axis", std::int64_t(1))),
                 "in the order of its Concat's inputs"),
        replaced("three_branches", before,
                 node("Concat", { "inception_3b/3x3/relu", "inception_3b/1x1/relu", "inception_3b/5x5/relu" }, before,
                      attribute("axis", std::int64_t(1))),
                 "the number of inputs is 3"),
        replaced(
            "other_input", "inception_3b/1x1",
            node("Conv", { "pool2/3x3_s2", "inception_3b/1x1.weight", "inception_3b/1x1.bias" }, "inception_3b/1x1"),
            "where another branch of the module reads"),
        replaced("mask", "pool5/drop_7x7_s1",
                 wire::bytes(1, wire::bytes(1, "pool5/7x7_s1") + wire::bytes(2, "x") +
                                    wire::bytes(2, "pool5/drop_7x7_s1") + wire::bytes(4, "Dropout")),
                 "stands where"),
        replaced("small_average", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 6, 6 })),
                 "round down"),
        replaced("padded_average", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 8, 8 }) +
                          attribute("pads", std::vector<std::int64_t> { 0, 0, 1, 1 }) +
                          attribute("count_include_pad", std::int64_t(1))),
                 "count_include_pad is 1"),
        replaced("mean_of_rows", "pool5/7x7_s1",
                 node("ReduceMean", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("axes", std::vector<std::int64_t> { 1, 2 })),
                 "its axes are not height and width"),
        replaced("unknown", "conv1/7x7_s2/relu", node("FancyRelu", { "conv1/7x7_s2" }, "conv1/7x7_s2/relu"),
                 "(FancyRelu): GoogLeNet has no such operator"),
        replaced("quantised", "conv1/7x7_s2/relu", node("QLinearConv", { "conv1/7x7_s2" }, "conv1/7x7_s2/relu"),
                 "the model is quantised"),
        replaced("domain", "conv1/7x7_s2/relu",
                 node("Relu", { "conv1/7x7_s2" }, "conv1/7x7_s2/relu", wire::bytes(7, "com.example")),
                 "com.example.Relu"),
        replaced("itself", "conv1/7x7_s2/relu", node("Relu", { "conv1/7x7_s2/relu" }, "conv1/7x7_s2/relu"),
                 "the graph goes in a circle"),
        replaced("later", "conv1/7x7_s2/relu", node("Relu", { "prob" }, "conv1/7x7_s2/relu"),
                 "the graph goes in a circle"),
        replaced("output_twice", "conv1/7x7_s2/relu", node("Relu", { "conv1/7x7_s2" }, "conv1/7x7_s2"),
                 "is there twice: two nodes"),
        replaced("no_weights", "conv1/7x7_s2", node("Conv", { "image" }, "conv1/7x7_s2"), "has no name"),
        replaced("no_input", "conv1/7x7_s2/relu", node("Relu", {}, "conv1/7x7_s2/relu"), "an input is missing"),
        replaced("no_end", "prob", "", "prob, which no node gives, stands where Gemm is needed"),
        replaced("no_convolution", "inception_5b/pool_proj/relu",
                 node("Relu", { "inception_5b/pool" }, "inception_5b/pool_proj/relu"),
                 "(MaxPool) stands where Conv is needed"),
        replaced("second_output", pool,
                 wire::bytes(1, wire::bytes(1, before) + wire::bytes(2, "first") + wire::bytes(2, pool) +
                                    wire::bytes(4, "MaxPool")),
                 "its second output is used"),
        changed("one_kernel", pool, attribute("kernel_shape", std::vector<std::int64_t> { 3 }),
                "kernel_shape has 1 values"),
        changed("other_kernel", pool, attribute("kernel_shape", two), "the kernel's height is 2"),
        changed("one_stride", conv, attribute("strides", std::vector<std::int64_t> { 1 }), "strides has 1 values"),
        changed("one_dilation", conv, attribute("dilations", std::vector<std::int64_t> { 1 }),
                "dilations has 1 values"),
        changed("pad_above", conv, attribute("pads", std::vector<std::int64_t> { 0, 1, 1, 1 }),
                "the pad at the top is 0"),
        changed("pad_below", conv, attribute("pads", std::vector<std::int64_t> { 1, 1, 0, 1 }),
                "the pad at the bottom is 0"),
        changed("wide_pad", pool, attribute("pads", std::vector<std::int64_t> { 0, 0, 65, 0 }),
                "a pad at the end is 65"),
        changed("lrn_beta", "conv2/norm2", attribute("beta", 0.5f), "(LRN): beta is 0.5"),
        changed("lrn_bias", "conv2/norm2", attribute("bias", 2.0f), "(LRN): bias is 2"),
        changed("gemm_beta", "loss3/classifier", attribute("beta", 0.5f), "(Gemm): beta is 0.5"),
        replaced("no_lrn", "conv2/norm2", node("Relu", { "conv2/3x3/relu" }, "conv2/norm2"),
                 "(Relu) stands where LRN is needed"),
        replaced("no_concat", before, node("Relu", { "pool2/3x3_s2" }, before), "(Relu) stands where Concat is needed"),
        replaced("concat_of_nothing", before,
                 node("Concat", { "", "", "", "" }, before, attribute("axis", std::int64_t(-3))),
                 "an input is missing"),
        replaced("no_average", "pool5/7x7_s1", node("Relu", { "inception_5b/output" }, "pool5/7x7_s1"),
                 "(Relu) stands where GlobalAveragePool is needed"),
        replaced("mean_of_nothing", "pool5/7x7_s1", node("ReduceMean", { "inception_5b/output" }, "pool5/7x7_s1"),
                 "has no name"),
        replaced("mean_of_three", "pool5/7x7_s1",
                 node("ReduceMean", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("axes", std::vector<std::int64_t> { 1, 2, 3 })),
                 "its axes are not"),
        replaced("average_auto_pad", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 7, 7 }) +
                          attribute("auto_pad", std::string("SAME_LOWER"))),
                 "auto_pad"),
        replaced("huge_average", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 70000, 7 })),
                 "its window of 70000"),
        replaced("average_without_stride", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 7, 7 }) +
                          attribute("strides", std::vector<std::int64_t> { 0, 0 })),
                 "its window of 7"),
        replaced("average_before", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 7, 7 }) +
                          attribute("pads", std::vector<std::int64_t> { -1, 0, 0, 0 })),
                 "its window of 7"),
        replaced("average_after", "pool5/7x7_s1",
                 node("AveragePool", { "inception_5b/output" }, "pool5/7x7_s1",
                      attribute("kernel_shape", std::vector<std::int64_t> { 7, 7 }) +
                          attribute("pads", std::vector<std::int64_t> { 0, 0, -1, 0 })),
                 "its window of 7"),
        replaced("sum_of_images", "loss3/classifier",
                 node("Add", { "pool5/7x7_s1", "pool5/7x7_s1" }, "loss3/classifier"),
                 "stands where a constant is needed"),
        replaced("sum_of_no_product", "loss3/classifier",
                 node("Add", { "loss3/classifier.bias", "pool5/7x7_s1" }, "loss3/classifier"),
                 "stands where MatMul is needed"),
        replaced("gemm_without_weights", "loss3/classifier", node("Gemm", { "pool5/7x7_s1" }, "loss3/classifier"),
                 "has no name"),
        replaced("gemm_with_nothing", "loss3/classifier",
                 node("Gemm", { "pool5/7x7_s1", "loss3/classifier.weight", "nothing" }, "loss3/classifier"),
                 "nothing is missing"),
        { "bn_inception", "has 69, as BN-Inception (Inception v2) has",
          [](Graph &g) {
              for (int i = 0; i < 12; ++i) g.before += node("Conv", {}, "x" + std::to_string(i));
              g.nodes["prob"] = "";
          } },
        { "inception_v3", "has 94, as Inception v3 has",
          [](Graph &g) {
              for (int i = 0; i < 37; ++i) g.before += node("Conv", {}, "x" + std::to_string(i));
              g.nodes["prob"] = "";
          } },
        { "many_names", "more than",
          [](Graph &g) {
              std::string names;
              for (int i = 0; i < 500001; ++i) names += wire::bytes(1, "");
              g.before = wire::bytes(1, names);
          } },
        { "odd_domain", "operator set (opset) 23",
          [](Graph &g) { g.tail = wire::bytes(8, wire::bytes(1, "ai.onnx") + wire::number(2, 23)); } },
        { "no_matrix", "its weights are no matrix",
          [](Graph &g) {
              g.initialisers["loss3/classifier.weight"] =
                  initialiser("loss3/classifier.weight", singles({ 3, 32, 1 }, std::vector<float>(96, 1)));
          } },
        { "many_tensors", "more than 50000 initialisers",
          [](Graph &g) {
              for (int i = 0; i < 50001; ++i) g.before += wire::bytes(5, "");
          } },
        { "no_image", "reads other, which is no input of the graph", [](Graph &g) { g.image = "other"; } },
        { "image_is_a_weight", "which is no input of the graph",
          [](Graph &g) { g.image = "loss3/classifier.weight"; } },
        { "function", "it has local functions", [](Graph &g) { g.tail += wire::bytes(25, wire::bytes(1, "Relu")); } },
        { "opset", "operator set (opset) 99", [](Graph &g) { g.tail = wire::bytes(8, wire::number(2, 99)); } },
        { "no_opset", "it names no operator set",
          [](Graph &g) { g.tail = wire::bytes(8, wire::bytes(1, "com.example") + wire::number(2, 1)); } },
        { "attribute", "goes on after the end",
          [](Graph &g) { g.after = node("Relu", {}, "x", wire::bytes(5, wire::bytes(8, "\x80"))); } },
        { "deep", "(If): GoogLeNet has no such operator",
          [](Graph &g) {
              std::string deep;
              for (int i = 0; i < 2000; ++i)
                  deep = wire::bytes(1, wire::bytes(4, "If") + wire::bytes(5, wire::bytes(6, deep)));
              g.before = deep;
          } },
        { "bomb", "is no GoogLeNet",
          [](Graph &g) {
              g.before = initialiser("s", whole({ 1 << 20, 1 << 20 })),
              g.nodes["prob"] = node("ConstantOfShape", { "s" }, "prob"), g.nodes["conv1/7x7_s2"] = "";
          } },
        { "many_nodes", "more than 50000 nodes",
          [](Graph &g) {
              for (int i = 0; i < 50001; ++i) g.before += wire::bytes(1, "");
          } },
    };
}
std::string name_of(const testing::TestParamInfo<Spoiled> &info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Tensors, OnnxSpoiled, testing::ValuesIn(tensors()), name_of);
INSTANTIATE_TEST_SUITE_P(Graphs, OnnxSpoiled, testing::ValuesIn(graphs()), name_of);

TEST(OnnxBad, EveryQuantisedOperatorIsToldAsSuch)
{
    for (const char *op :
         { "QLinearAdd", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "ConvInteger", "QGemm" }) {
        Graph graph;
        graph.before = node(op, {}, "x");
        EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED, "the model is quantised");
    }
}

TEST(OnnxBad, BatchNormsThatDiffer)
{
    Graph graph(support::torchvision);
    const auto norm = [&](const std::vector<std::string> &in, const std::string &attributes) {
        graph.nodes["conv1/7x7_s2/bn"] = node("BatchNormalization", in, "conv1/7x7_s2/bn", attributes);
        return graph.load();
    };
    const std::vector<std::string> own = { "conv1/7x7_s2", "conv1.bn.weight", "conv1.bn.bias", "conv1.bn.running_mean",
                                           "conv1.bn.running_var" };
    EXPECT_FAILS(norm(own, ""), TRIB_BAD_DATA, "(BatchNormalization): epsilon is");
    EXPECT_FAILS(norm({ "conv1/7x7_s2", "conv1.bn.weight" }, attribute("epsilon", 1e-3f)), TRIB_BAD_DATA,
                 "has no name");
    EXPECT_FAILS(norm({ "", own[1], own[2], own[3], own[4] }, attribute("epsilon", 1e-3f)), TRIB_BAD_DATA,
                 "an input is missing");
    EXPECT_FAILS(norm({ "image", own[1], own[2], own[3], own[4] }, attribute("epsilon", 1e-3f)), TRIB_BAD_DATA,
                 "image stands where Conv is needed");
    graph.nodes["conv1/7x7_s2"] = node("Conv", { "image" }, "conv1/7x7_s2");
    EXPECT_FAILS(norm(own, attribute("epsilon", 1e-3f)), TRIB_BAD_DATA, "has no name");
    graph.nodes["conv1/7x7_s2/bn"] = node("Identity", { "conv1/7x7_s2" }, "conv1/7x7_s2/bn");
    graph.nodes["conv1/7x7_s2"] =
        node("Conv", { "image", "conv1.conv.weight" }, "conv1/7x7_s2", graph.window(7, 7, 2, { 3, 3, 3, 3 }));
    EXPECT_OK(graph.load()); // neither a bias nor a batch norm
}

TEST(OnnxBad, AModelForTraining)
{
    std::string bytes = support::read_file(support::data_file("import/torchvision-bn-17.onnx"));
    const std::string evaluates = wire::bytes(1, "training_mode") + wire::number(3, 0);
    std::size_t at = bytes.rfind(evaluates);
    ASSERT_NE(at, std::string::npos);
    bytes[at + evaluates.size() - 1] = 1;
    support::TemporaryFolder folder;
    files::Model model;
    support::write_file(folder.file("m"), bytes);
    EXPECT_FAILS(files::load(folder.file("m"), model), TRIB_UNSUPPORTED, "exported for training (training_mode)");
}

TEST(OnnxBad, CutAnywhere)
{
    const std::string bytes = Graph().file();
    for (std::size_t size = 1; size < bytes.size(); size += size < 200 ? 1 : 4999) {
        const std::unique_ptr<char[]> exact(new char[size]);
        std::memcpy(exact.get(), bytes.data(), size);
        trib_weights_file *file = nullptr;
        trib_status s = trib_weights_open_memory(exact.get(), size, "m", &file);
        EXPECT_TRUE(trib_failed(&s)) << size;
        trib_weights_close(file);
    }
}

// ---- external data ----

struct External {
    Graph graph;
    support::TemporaryFolder folder;
    files::Model model;

    External()
    {
        support::write_file(folder.file("w.bin"),
                            std::string(16, '\xFF') +
                                wire::floats(values_of(graph.tensor(std::string(tampered) + ".weight"))));
    }
    trib_status load(const std::string &location, const std::string &offset = "16")
    {
        const std::string name = std::string(tampered) + ".weight";
        graph.initialisers[name] =
            initialiser(name, external({ { "location", location }, { "offset", offset }, { "length", "1024" } }));
        return graph.load(model, raw_form, folder.path());
    }
};

TEST(OnnxExternal, IsReadBesideTheModel)
{
    External e;
    ASSERT_OK(e.load("w.bin"));
    e.graph.expect_weights(e.model.get());
    ASSERT_EQ(::rename(e.folder.file("w.bin").c_str(), (e.folder.path() + "/v.bin").c_str()), 0);
    EXPECT_FAILS(e.load("w.bin"), TRIB_NOT_FOUND, "5x5_reduce.weight: w.bin: cannot read external data");
}

TEST(OnnxExternal, StaysBelowTheFolderAndFollowsNoLinks)
{
    External e;
    support::TemporaryFolder outside;
    support::write_file(outside.file("w.bin"), support::read_file(e.folder.file("w.bin")));
    ASSERT_EQ(::symlink(outside.file("w.bin").c_str(), e.folder.file("link").c_str()), 0);
    ASSERT_EQ(::symlink(outside.path().c_str(), e.folder.file("folder").c_str()), 0);
    for (const char *location :
         { "../w.bin", "a/../w.bin", "./w.bin", "a//w.bin", "w.bin/", "/etc/passwd", "..", "", "a\\b", "w\x1b.bin" })
        EXPECT_FAILS(e.load(location), TRIB_BAD_DATA, "5x5_reduce.weight: external data in");
    EXPECT_FAILS(e.load(std::string("w.bin\0x", 7)), TRIB_BAD_DATA, "control characters");
    EXPECT_FAILS(e.load("link"), TRIB_BAD_DATA, "a link is in the way");
    std::filesystem::create_directory(e.folder.file("own"));
    EXPECT_FAILS(e.load("own"), TRIB_BAD_DATA, "it is not a regular file");
    support::write_file(e.folder.file("own/w.bin"), support::read_file(e.folder.file("w.bin")));
    EXPECT_OK(e.load("own/w.bin"));
    trib_status s = e.load("folder/w.bin");
    EXPECT_TRUE(trib_failed(&s)); // a link is not the folder that is asked for
    EXPECT_FAILS(e.load("w.bin", "17"), TRIB_BAD_DATA, "1024 bytes from byte 17 on are not in its 1040");
    EXPECT_FAILS(e.load("w.bin", "18446744073709551000"), TRIB_BAD_DATA, "are not in its 1040");
    ASSERT_EQ(::link(e.folder.file("w.bin").c_str(), e.folder.file("second").c_str()), 0);
    EXPECT_FAILS(e.load("w.bin"), TRIB_BAD_DATA, "a second name (a hard link)");
    support::TemporaryFolder empty;
    EXPECT_FAILS(e.load("/dev/zero"), TRIB_BAD_DATA, "relative to the model's folder");
}

TEST(OnnxExternal, NeedsAFolder)
{
    External e;
    ASSERT_OK(e.load("w.bin"));
    const std::string bytes = e.graph.file();
    trib_weights_file *file = nullptr;
    EXPECT_FAILS(trib_weights_open_memory(bytes.data(), bytes.size(), "m", &file), TRIB_UNSUPPORTED,
                 "a model from a pipe or from memory has no folder");
}

// ---- failing calls ----

TEST(OnnxFault, EveryCallFailsOnce)
{
    External e;
    ASSERT_OK(e.load("w.bin"));
    const std::string path = e.folder.file("m.onnx");
    int k = 1;
    for (;; k += k < 60 ? 1 : 5) {
        trib_fault_arm(k, false);
        trib_model *model = nullptr;
        trib_status s = trib_model_load(path.c_str(), nullptr, &model);
        const bool reached = trib_fault_disarm() >= k;
        EXPECT_EQ(model == nullptr, trib_failed(&s)) << k;
        trib_model_destroy(model);
        if (!reached) break;
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
    }
    EXPECT_GT(k, 200);
}

TEST(OnnxFault, EveryCallOfExternalDataFailsOnce)
{
    External e;
    std::filesystem::create_directory(e.folder.file("own"));
    support::write_file(e.folder.file("own/w.bin"), support::read_file(e.folder.file("w.bin")));
    const std::string message = external({ { "location", "own/w.bin" }, { "offset", "16" } });
    trib_onnx_tensor tensor;
    ASSERT_OK(trib_onnx_read_tensor(trib_pb_of(message.data(), message.size()), &tensor));
    int k = 1;
    for (;; ++k) {
        const void *values = nullptr;
        void *owned = nullptr;
        trib_fault_arm(k, false);
        trib_status s = trib_onnx_take(&tensor, e.folder.path().c_str(), &values, &owned);
        const bool reached = trib_fault_disarm() >= k;
        if (!reached) {
            ASSERT_OK(s);
            const std::vector<float> wanted = values_of(e.graph.tensor(std::string(tampered) + ".weight"));
            EXPECT_EQ(std::memcmp(values, wanted.data(), 1024), 0);
            trib_onnx_tensor small = tensor;
            EXPECT_EQ(::truncate(e.folder.file("own/w.bin").c_str(), 100), 0);
            void *none = nullptr;
            EXPECT_FAILS(trib_onnx_take(&small, e.folder.path().c_str(), &values, &none), TRIB_BAD_DATA,
                         "are not in its 100");
        }
        trib_free(owned);
        if (!reached) break;
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
    }
    EXPECT_GE(k, 7); // memory twice, three steps of the path, stat, read
}

} // namespace

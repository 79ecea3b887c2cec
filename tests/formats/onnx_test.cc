// SPDX-License-Identifier: Apache-2.0
// ONNX models: what exporters make of torchvision's network, every form of tensors, and other ways to say the same.
#include "formats/onnx_model.h"
#include "formats/weights_file.h"

using namespace onnx;
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
    // What the input is remains a guess.
    EXPECT_NE(std::string(trib_model_preprocess_guess(model.get())).find("RGB, normalised with ImageNet's mean"),
              std::string::npos);
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
        node("Cast", { "half" }, "cast", attribute("to", std::int64_t(TRIB_ONNX_F32))) +
        node("Expand", { "cast", "channels" }, "wide") + node("CastLike", { "wide", "half" }, "bias1") +
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

TEST(Onnx, TheSizeOfTheExportIsTheInputs)
{
    Graph graph;
    graph.size = { 96, 128 };
    files::Model model;
    ASSERT_OK(graph.load(model));
    EXPECT_EQ(trib_model_note(model.get()), nullptr);
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 96);
    EXPECT_EQ(trib_model_network(model.get())->width, 128);
    EXPECT_NE(trib_model_preprocess_guess(model.get()), nullptr); // the rest
    graph.image = "y";
    graph.before =
        initialiser("k", dims({ 1, 1 }) + wire::number(2, 7) + wire::bytes(9, wire::raw(std::int64_t(255)))) +
        node("Div", { "image", "k" }, "y");
    ASSERT_OK(graph.load(model));
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 96);
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_width, 128);
}

TEST(Onnx, CastsBetweenFloatingPointTypesAreCopies)
{
    const auto cast = [](const char *from, const char *to, std::int64_t type) {
        return node("Cast", { from }, to, attribute("to", type));
    };
    for (int type : { 1, 10, 11, 16, 6, 2 }) {
        const bool copies = type != TRIB_ONNX_I32 && type != 2; // nor uint8
        Graph graph;                                            // in the network, and before it
        graph.nodes["conv1/7x7_s2/relu"] = node("Relu", { "conv1/7x7_s2" }, "r") + cast("r", "i", type) +
                                           cast("i", "conv1/7x7_s2/relu", TRIB_ONNX_F32);
        if (copies)
            graph.expect_same();
        else
            EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED, "layer conv1/7x7_s2/relu: node 'n_i' (Cast): its type");
        graph.nodes.clear();
        graph.before = cast("image", "i", type) + cast("i", "y", TRIB_ONNX_F32);
        graph.image = "y";
        if (copies)
            graph.expect_same();
        else
            EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED, "node 'n_i' (Cast), before the first convolution: its type");
    }
}

TEST(Onnx, ConstantsAreCast)
{
    const std::string numbers = initialiser("f", singles({}, { 8.9f })) + initialiser("large", singles({}, { 3e9f })) +
                                initialiser("w", whole({ 1ll << 40 })) +
                                initialiser("matrix", singles({ 2, 1 }, { 1, 2 })) +
                                node("Constant", {}, "half", attribute("value_float", 0.5f));
    const auto with = [&](const std::string &nodes) {
        Graph graph;
        graph.before = numbers + nodes +
                       node("Unsqueeze", { "c" }, "list", attribute("axes", std::vector<std::int64_t> { 0 })) +
                       node("Expand", { "half", "list" }, "bias");
        graph.nodes["conv1/7x7_s2"] = node("Conv", { "image", "conv1/7x7_s2.weight", "bias" }, "conv1/7x7_s2",
                                           graph.window(7, 7, 2, { 3, 3, 3, 3 }));
        return graph.load();
    };
    const auto cast = [](const char *from, std::int64_t type) {
        return node("Cast", { from }, "c", attribute("to", type));
    };
    EXPECT_OK(with(cast("f", TRIB_ONNX_I32))); // 8 channels
    EXPECT_OK(with(node("CastLike", { "f", "w" }, "c")));
    EXPECT_FAILS(with(cast("large", TRIB_ONNX_I32)), TRIB_UNSUPPORTED, "a number is out of range");
    EXPECT_FAILS(with(cast("w", TRIB_ONNX_I32)), TRIB_UNSUPPORTED, "a number is out of range");
    EXPECT_FAILS(with(cast("matrix", TRIB_ONNX_I64)), TRIB_UNSUPPORTED, "only short lists can become whole numbers");
    EXPECT_FAILS(with(cast("f", TRIB_ONNX_BOOL)), TRIB_UNSUPPORTED,
                 "node 'n_c' (Cast): constants cannot have its type");
    EXPECT_FAILS(with(node("Cast", {}, "c")), TRIB_UNSUPPORTED, "an input is missing");
}

TEST(Onnx, DropoutForTrainingIsRefused)
{
    Graph graph;
    const auto with = [&](const std::string &mode) {
        graph.before = mode;
        graph.nodes["pool5/drop_7x7_s1"] = node("Dropout", { "pool5/7x7_s1", "", "mode" }, "pool5/drop_7x7_s1");
    };
    const auto boolean = [](char value) {
        return initialiser("mode", wire::number(2, TRIB_ONNX_BOOL) + wire::bytes(9, std::string(1, value)));
    };
    with(boolean(0));
    graph.expect_same();
    for (const std::string &mode :
         { boolean(1), initialiser("mode", wire::number(2, TRIB_ONNX_BOOL) + wire::bytes(5, wire::varint(1))),
           std::string() }) {
        with(mode);
        EXPECT_FAILS(graph.load(), TRIB_UNSUPPORTED,
                     "node 'n_pool5/drop_7x7_s1' (Dropout): it is exported for training");
    }
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
        EXPECT_NE(trib_model_preprocess_guess(model.get()), nullptr);
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
    expect("BGR from 0 to 255", true, 1, { 25.5, 51, 76.5 }, { 127.5, 63.75, 51 });
    graph.before = channels + node("Sub", { "image", "m" }, "e") + node("Div", { "e", "s" }, "y");
    expect("BGR from 0 to 1", true, 1 / 255.0, { 0.1, 0.2, 0.3 }, { 0.5, 0.25, 0.2 });
    const std::string reversed =
        initialiser("r", whole({ 2, 1, 0 })) + initialiser("caffe", singles({ 3, 1, 1 }, { -104, -117, -123 }));
    graph.before = reversed + node("Gather", { "image", "r" }, "g", attribute("axis", std::int64_t(1))) +
                   node("Add", { "caffe", "g" }, "y");
    expect("RGB from 0 to 255", true, 1, { 104, 117, 123 }, { 1, 1, 1 });
    graph.before = reversed + node("Add", { "image", "caffe" }, "y");
    expect("BGR from 0 to 255", true, 1, { 104, 117, 123 }, { 1, 1, 1 });
    graph.before = reversed + node("Gather", { "image", "r" }, "y", attribute("axis", std::int64_t(1)));
    expect("taken for RGB", true, 1, { 104, 117, 123 }, { 1, 1, 1 });
    graph.before = channels + node("Mul", { "image", "f" }, "y") + initialiser("f", singles({}, { 0.5f }));
    expect("BGR from 0 to 255 minus 104,117,123", true, 1, { 104, 117, 123 }, { 2, 2, 2 });
    const auto refused = [&](const std::string &nodes, const char *text) {
        graph.before = channels + reversed + nodes;
        trib_status s = graph.load();
        EXPECT_TRUE(trib_failed(&s));
        EXPECT_NE(std::string(s.message).find(text), std::string::npos) << s.message;
    };
    graph.before = channels + node("Constant", {}, "f", attribute("value_float", 2.0f)) +
                   initialiser("two", whole({ 2 })) + node("Mul", { "image", "f" }, "d") +
                   node("Cast", { "two" }, "t", attribute("to", std::int64_t(TRIB_ONNX_F32))) +
                   node("Sub", { "d", "t" }, "y");
    expect("BGR from 0 to 1", true, 1 / 255.0, { 1, 1, 1 }, { 0.5, 0.5, 0.5 });
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

} // namespace

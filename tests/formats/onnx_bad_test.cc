// SPDX-License-Identifier: Apache-2.0
// ONNX models that differ from a network in one thing: each is refused, naming the reason.
#include <functional>

#include "formats/onnx_model.h"
#include "formats/weights_file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

using namespace onnx;

namespace
{

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

} // namespace

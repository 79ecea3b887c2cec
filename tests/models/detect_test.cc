// SPDX-License-Identifier: Apache-2.0
#include "weights.h"

using namespace models;

namespace
{

trib_shape shape(int rank, std::int64_t a = 0, std::int64_t b = 0, std::int64_t c = 0, std::int64_t d = 0)
{
    return trib_shape_of(rank, a, b, c, d);
}

// Caffe's names and shapes; detection needs no more, so no width is too large.
std::vector<trib_tensor> without_data(const trib_graph *graph)
{
    std::vector<trib_tensor> tensors;
    for (int i = 0; i < trib_graph_parameter_count(graph); ++i) {
        const trib_parameter *p = trib_graph_parameter(graph, i);
        tensors.push_back({ p->name, TRIB_F32, p->shape, nullptr });
    }
    return tensors;
}

trib_status detect(const std::vector<trib_tensor> &tensors, trib_network_spec *found)
{
    const trib_dialect *dialect = nullptr;
    return trib_network_detect(tensors.data(), int(tensors.size()), found, &dialect);
}

TEST(Detect, VariantClassesHeadsAndWidth)
{
    for (const trib_network *variant : { support::bvlc, support::torchvision })
        for (bool aux : { false, true })
            for (double width : { 0.125, 0.25, 0.5 }) {
                Weights weights(network(variant, aux, 0, width, 7), "module.");
                trib_network_spec found = {};
                ASSERT_OK(weights.detect(&found));
                EXPECT_EQ(found.network, variant);
                EXPECT_EQ(found.classes, 7);
                EXPECT_EQ(found.aux, aux);
                EXPECT_EQ(found.height, 224);
                EXPECT_EQ(found.width, 224);
                std::vector<trib_tensor> parameters(weights.tensors.size());
                Graph graph = build(found);
                EXPECT_OK(trib_network_bind(&found, graph.get(), trib_network_dialect(found.network),
                                            weights.tensors.data(), int(weights.tensors.size()), parameters.data()));
            }
}

TEST(Detect, FullSizeIsWidthOne)
{
    Weights weights(network(support::torchvision, true, 0, 1, 1000));
    trib_network_spec found = {};
    ASSERT_OK(weights.detect(&found));
    EXPECT_EQ(found.width_multiplier, 1);
    EXPECT_EQ(found.classes, 1000);
}

TEST(Detect, EveryWidthIsFoundAgain)
{
    std::vector<double> widths = { 1e-6, 0.01, 0.0625, 0.35, 0.3, 0.7, 0.75, 1.3, 1.4, 2, 3.7, 8, 15.9, 15.99, 16 };
    for (int i = 1; i < 64; ++i) widths.push_back(i / 21.0);
    for (double width : widths) {
        trib_network_spec net = network(support::bvlc, true, 0, width, 3), found = {};
        Graph graph = build(net);
        std::vector<trib_tensor> tensors = without_data(graph.get());
        SCOPED_TRACE(width);
        ASSERT_OK(detect(tensors, &found));
        Graph again = build(found);
        for (int i = 0; i < trib_graph_parameter_count(graph.get()); ++i)
            ASSERT_TRUE(trib_shape_equal(&trib_graph_parameter(again.get(), i)->shape, &tensors[i].shape))
                << tensors[i].name << " at width " << width << ", found as " << found.width_multiplier;
    }
}

TEST(Detect, SimpleWidthsAreGivenAsTyped)
{
    for (double width : { 0.5, 0.75, 1.0, 1.5, 2.0, 16.0 }) {
        trib_network_spec net = network(support::bvlc, false, 0, width, 3), found = {};
        Graph graph = build(net);
        std::vector<trib_tensor> tensors = without_data(graph.get());
        ASSERT_OK(detect(tensors, &found));
        EXPECT_DOUBLE_EQ(found.width_multiplier, width);
    }
}

TEST(Detect, AnotherNetworkIsNotGoogLeNet)
{
    Weights weights(network(support::bvlc, false, 0, 0.125, 7));
    weights.tensors.clear();
    weights.add("conv1.weight", shape(4, 64, 3, 7, 7));
    weights.add("bn1.weight", shape(1, 64));
    weights.add("layer1.0.conv1.weight", shape(4, 64, 64, 3, 3));
    weights.add("fc.weight", shape(2, 1000, 512));
    trib_network_spec found = {};
    EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA, "not a known network");
    EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA,
                 "neither conv1/7x7_s2.weight (bvlc), nor conv1.conv.weight (torchvision)");
    EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA, "its 4 tensors, of which the first by name is bn1.weight");
}

// Architecture and naming are two things: each network is found under either's names.
TEST(Detect, NetworksUnderOtherNames)
{
    for (const trib_network *net : { support::bvlc, support::torchvision })
        for (const char *names : { "caffe", "torchvision" }) {
            Graph graph = build(network(net, true, 0, 0.25, 6));
            const trib_dialect *dialect = trib_dialect_find(names), *seen = nullptr;
            std::deque<std::string> kept;
            std::vector<trib_tensor> tensors = without_data(graph.get());
            for (std::size_t i = 0; i < tensors.size(); ++i) {
                char text[128];
                kept.push_back(trib_parameter_file_name(graph.get(), dialect, int(i), text));
                tensors[i].name = kept.back().c_str();
            }
            trib_network_spec found = {};
            ASSERT_OK(trib_network_detect(tensors.data(), int(tensors.size()), &found, &seen));
            EXPECT_EQ(found.network, net) << names;
            EXPECT_EQ(seen, dialect) << trib_network_name(net);
            EXPECT_EQ(found.classes, 6);
            EXPECT_TRUE(found.aux);
        }
}

TEST(Detect, NothingIsNotGoogLeNet)
{
    trib_network_spec found = {};
    EXPECT_FAILS(detect({}, &found), TRIB_BAD_DATA, "no tensors");
}

TEST(Detect, MissingPartsAreNamed)
{
    for (const char *name :
         { "fc.weight", "inception4a.branch3.0.conv.weight", "aux2.conv.conv.weight", "aux1.fc1.weight" }) {
        Weights weights(network(support::torchvision, true, 0, 0.125, 7));
        weights.remove(name);
        trib_network_spec found = {};
        EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA, std::string(name) + " is missing");
        EXPECT_EQ(found.classes, 0) << "left alone on failure";
    }
}

TEST(Detect, ClassifierOfAnotherForm)
{
    for (const trib_shape &wrong :
         { shape(1, 1000), shape(2, 0, 1024), shape(2, 1000001, 1), shape(4, 7, 128, 1, 1) }) {
        Weights weights(network(support::torchvision, false, 0, 0.125, 7));
        weights.remove("fc.weight");
        weights.add("fc.weight", wrong);
        trib_network_spec found = {};
        EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA, "fc.weight has shape [");
    }
}

TEST(Detect, WidthsThatDoNotGoTogether)
{
    for (const trib_shape &wrong : { shape(4, 384, 64, 3, 3), shape(4, 100, 32, 3, 3), shape(1, 96),
                                     shape(4, 0, 32, 3, 3), shape(4, 1 << 30, 1, 0, 0) }) {
        Weights weights(network(support::torchvision, false, 0, 0.5, 7));
        weights.remove("conv3.conv.weight");
        weights.tensors.push_back({ "conv3.conv.weight", TRIB_F32, wrong, nullptr });
        trib_network_spec found = {};
        EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA, "conv3.conv.weight has shape [");
        EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA,
                     "a googlenet 0.5 times as wide as the original has 96 output channels");
    }
}

TEST(Detect, WiderThanPossible)
{
    Weights weights(network(support::bvlc, false, 0, 0.125, 7));
    weights.remove("conv1/7x7_s2.weight");
    weights.tensors.push_back({ "conv1/7x7_s2.weight", TRIB_F32, shape(4, 4096, 3, 7, 7), nullptr });
    trib_network_spec found = {};
    EXPECT_FAILS(weights.detect(&found), TRIB_BAD_DATA, "conv1/7x7_s2.weight has shape [4096, 3, 7, 7]");
}

} // namespace

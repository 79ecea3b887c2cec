// SPDX-License-Identifier: Apache-2.0
#include "tributary/network.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>

#include "weights.h"

extern "C" {
#include "models/googlenet/inception.h"
}

using namespace models;

namespace
{

std::int64_t parameters(const trib_graph *graph)
{
    std::int64_t total = 0;
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) total += trib_layer_parameter_elements(graph, i);
    return total;
}

// Multiply-accumulates of convolutions and linear layers.
std::int64_t macs(const trib_graph *graph)
{
    std::int64_t total = 0;
    for (int i = 0; i < trib_graph_layer_count(graph); ++i) {
        trib_kind kind = trib_graph_layer(graph, i)->kind;
        if (kind == TRIB_CONV2D || kind == TRIB_LINEAR) total += trib_layer_flops(graph, i) / 2;
    }
    return total;
}

const trib_layer *layer(const Graph &graph, const std::string &name)
{
    int id = trib_graph_find_layer(graph.get(), name.c_str());
    EXPECT_GE(id, 0) << "no layer " << name;
    return trib_graph_layer(graph.get(), id < 0 ? 0 : id);
}

std::string shape_of(const trib_layer *l)
{
    return std::to_string(l->c) + "x" + std::to_string(l->h) + "x" + std::to_string(l->w);
}

TEST(GoogLeNet, ParametersAsPublished)
{
    EXPECT_EQ(parameters(build(network(support::torchvision)).get()), 6624904);
    EXPECT_EQ(parameters(build(network(support::torchvision, true)).get()), 13004888);
    EXPECT_EQ(parameters(build(network(support::bvlc)).get()), 6998552);
}

TEST(GoogLeNet, MultiplicationsAsPublished)
{
    EXPECT_NEAR(double(macs(build(network(support::bvlc)).get())), 1.583e9, 0.0005e9);
    EXPECT_NEAR(double(macs(build(network(support::torchvision)).get())), 1.498e9, 0.0005e9);
}

TEST(GoogLeNet, StagesHaveTheShapesOfTheTable)
{
    const std::map<std::string, std::string> stages = {
        { "input", "3x224x224" },
        { "conv1/7x7_s2", "64x112x112" },
        { "pool1/3x3_s2", "64x56x56" },
        { "conv2/3x3_reduce", "64x56x56" },
        { "conv2/3x3", "192x56x56" },
        { "pool2/3x3_s2", "192x28x28" },
        { "inception_3a/output", "256x28x28" },
        { "inception_3b/output", "480x28x28" },
        { "pool3/3x3_s2", "480x14x14" },
        { "inception_4a/output", "512x14x14" },
        { "inception_4b/output", "512x14x14" },
        { "inception_4c/output", "512x14x14" },
        { "inception_4d/output", "528x14x14" },
        { "inception_4e/output", "832x14x14" },
        { "pool4/3x3_s2", "832x7x7" },
        { "inception_5a/output", "832x7x7" },
        { "inception_5b/output", "1024x7x7" },
        { "pool5/7x7_s1", "1024x1x1" },
        { "loss3/classifier", "1000x1x1" },
        { "prob", "1000x1x1" },
        { "loss1/ave_pool", "512x4x4" },
        { "loss1/conv", "128x4x4" },
        { "loss1/fc", "1024x1x1" },
        { "loss2/ave_pool", "528x4x4" },
        { "loss2/classifier", "1000x1x1" },
    };
    for (const trib_network *variant : { support::bvlc, support::torchvision }) {
        Graph graph = build(network(variant, true));
        for (const auto &[name, shape] : stages) EXPECT_EQ(shape_of(layer(graph, name)), shape) << name;
    }
}

TEST(GoogLeNet, TableAgreesWithItself)
{
    // Channels into a module are the sum out of the one before.
    for (int i = 1; i < TRIB_INCEPTION_COUNT; ++i) {
        const trib_inception &before = trib_inceptions[i - 1];
        EXPECT_EQ(trib_inceptions[i].in, before.c1x1 + before.c3x3 + before.c5x5 + before.pool_proj);
    }
    Graph graph = build(network(support::bvlc));
    for (const trib_inception &row : trib_inceptions) {
        const trib_layer *first = layer(graph, std::string(row.name) + "/1x1");
        EXPECT_EQ(trib_graph_layer(graph.get(), first->inputs[0])->c, row.in) << row.name;
    }
}

TEST(GoogLeNet, ForksAreTheNineModules)
{
    for (const trib_network *variant : { support::bvlc, support::torchvision }) {
        Graph graph = build(network(variant, true));
        ASSERT_EQ(trib_graph_fork_count(graph.get()), 9);
        for (int i = 0; i < 9; ++i) {
            const trib_fork_info *fork = trib_graph_fork(graph.get(), i);
            const std::string module = trib_inceptions[i].name;
            EXPECT_EQ(fork->name, module);
            EXPECT_EQ(fork->branch_count, 4);
            EXPECT_EQ(fork->parent, -1);
            const trib_layer *join = trib_graph_layer(graph.get(), fork->join);
            EXPECT_EQ(join->name, module + "/output");
            ASSERT_EQ(join->input_count, 4);
            const char *last[] = { "/1x1/relu", "/3x3/relu", "/5x5/relu", "/pool_proj/relu" };
            const char *first[] = { "/1x1", "/3x3_reduce", "/5x5_reduce", "/pool" };
            for (int b = 0; b < 4; ++b) {
                EXPECT_EQ(trib_graph_layer(graph.get(), join->inputs[b])->name, module + last[b]);
                EXPECT_EQ(layer(graph, module + first[b])->inputs[0], fork->input);
                EXPECT_EQ(layer(graph, module + first[b])->branch, b);
                EXPECT_EQ(layer(graph, module + first[b])->fork, i);
            }
        }
    }
}

TEST(GoogLeNet, BvlcFollowsThePaper)
{
    Graph graph = build(network(support::bvlc, true));
    const trib_layer *five = layer(graph, "inception_3a/5x5");
    EXPECT_EQ(five->attributes.conv2d.r, 5);
    EXPECT_EQ(five->attributes.conv2d.pad.left, 2);
    EXPECT_NE(five->parameters[TRIB_BIAS], TRIB_NO_PARAMETER);
    EXPECT_EQ(layer(graph, "pool4/3x3_s2")->attributes.pool2d.r, 3);
    EXPECT_EQ(layer(graph, "pool1/norm1")->inputs[0], trib_graph_find_layer(graph.get(), "pool1/3x3_s2"));
    EXPECT_EQ(layer(graph, "pool2/3x3_s2")->inputs[0], trib_graph_find_layer(graph.get(), "conv2/norm2"));
    const trib_lrn &lrn = layer(graph, "conv2/norm2")->attributes.lrn;
    EXPECT_EQ(lrn.size, 5);
    EXPECT_EQ(lrn.alpha, 1e-4f);
    EXPECT_EQ(lrn.beta, 0.75f);
    EXPECT_EQ(lrn.k, 1);
    EXPECT_EQ(layer(graph, "loss1/ave_pool")->kind, TRIB_AVG_POOL2D);
    EXPECT_EQ(layer(graph, "pool5/drop_7x7_s1")->attributes.dropout.p, 0.4f);
    EXPECT_EQ(trib_graph_find_layer(graph.get(), "conv1/7x7_s2/bn"), -1);
}

TEST(GoogLeNet, TorchvisionFollowsTorchvision)
{
    Graph graph = build(network(support::torchvision, true));
    const trib_layer *five = layer(graph, "inception_3a/5x5");
    EXPECT_EQ(five->attributes.conv2d.r, 3);
    EXPECT_EQ(five->attributes.conv2d.pad.left, 1);
    EXPECT_EQ(five->parameters[TRIB_BIAS], TRIB_NO_PARAMETER);
    EXPECT_EQ(layer(graph, "inception_3a/5x5/bn")->attributes.batch_norm.eps, 1e-3f);
    EXPECT_EQ(layer(graph, "pool4/3x3_s2")->attributes.pool2d.r, 2);
    EXPECT_EQ(layer(graph, "loss1/ave_pool")->kind, TRIB_ADAPTIVE_AVG_POOL2D);
    EXPECT_EQ(layer(graph, "loss1/drop_fc")->attributes.dropout.p, 0.7f);
    EXPECT_EQ(layer(graph, "pool5/drop_7x7_s1")->attributes.dropout.p, 0.2f);
    EXPECT_EQ(trib_graph_find_layer(graph.get(), "pool1/norm1"), -1);
    int norms = 0;
    for (int i = 0; i < trib_graph_layer_count(graph.get()); ++i)
        norms += trib_graph_layer(graph.get(), i)->kind == TRIB_BATCH_NORM;
    EXPECT_EQ(norms, 59); // 57 and the two of the auxiliary classifiers
}

TEST(GoogLeNet, OutputsInOrder)
{
    for (bool aux : { false, true }) {
        Graph graph = build(network(support::bvlc, aux, 0, 0, 12));
        const char *names[] = { "logits", "probabilities", "aux1", "aux2" };
        const char *layers[] = { "loss3/classifier", "prob", "loss1/classifier", "loss2/classifier" };
        ASSERT_EQ(trib_graph_output_count(graph.get()), aux ? 4 : 2);
        for (int i = 0; i < trib_graph_output_count(graph.get()); ++i) {
            const trib_output *output = trib_graph_output(graph.get(), i);
            EXPECT_STREQ(output->name, names[i]);
            EXPECT_STREQ(trib_graph_layer(graph.get(), output->layer)->name, layers[i]);
            EXPECT_EQ(trib_graph_layer(graph.get(), output->layer)->c, 12);
        }
    }
}

TEST(GoogLeNet, OtherInputSizes)
{
    struct {
        int size;
        const char *pool2, *pool3, *bvlc_5b, *torchvision_5b, *bvlc_aux;
    } const cases[] = { // by PyTorch's rules
                        { 96, "192x12x12", "480x6x6", "1024x3x3", "1024x3x3", "512x2x2" },
                        { 161, "192x20x20", "480x10x10", "1024x5x5", "1024x5x5", "512x3x3" },
                        { 299, "192x37x37", "480x18x18", "1024x9x9", "1024x9x9", "512x6x6" }
    };
    for (const auto &c : cases)
        for (const trib_network *variant : { support::bvlc, support::torchvision }) {
            const bool bvlc = variant == support::bvlc;
            Graph graph = build(network(variant, true, c.size));
            EXPECT_EQ(shape_of(layer(graph, "pool2/3x3_s2")), c.pool2);
            EXPECT_EQ(shape_of(layer(graph, "pool3/3x3_s2")), c.pool3);
            EXPECT_EQ(shape_of(layer(graph, "inception_5b/output")), bvlc ? c.bvlc_5b : c.torchvision_5b);
            EXPECT_EQ(shape_of(layer(graph, "pool5/7x7_s1")), "1024x1x1");
            EXPECT_EQ(shape_of(layer(graph, "loss1/ave_pool")), bvlc ? c.bvlc_aux : "512x4x4");
        }
}

TEST(GoogLeNet, HeightAndWidthMayDiffer)
{
    trib_network_spec net = network(support::torchvision);
    net.height = 128, net.width = 320;
    EXPECT_EQ(shape_of(layer(build(net), "inception_5b/output")), "1024x4x10");
}

TEST(GoogLeNet, WidthsAreMultiplesOfEight)
{
    Graph half = build(network(support::torchvision, true, 0, 0.5));
    EXPECT_EQ(layer(half, "conv1/7x7_s2")->c, 32);
    EXPECT_EQ(layer(half, "inception_3a/5x5_reduce")->c, 8);
    EXPECT_EQ(layer(half, "inception_4b/5x5_reduce")->c, 16); // 12 lies between 8 and 16: up
    EXPECT_EQ(layer(half, "inception_4d/1x1")->c, 56);
    EXPECT_EQ(layer(half, "loss1/conv")->c, 64);
    EXPECT_EQ(layer(half, "loss1/fc")->c, 512);
    EXPECT_EQ(layer(half, "loss1/classifier")->c, 1000);
    Graph least = build(network(support::bvlc, false, 0, 1e-9));
    EXPECT_EQ(layer(least, "conv2/3x3")->c, 8);
    EXPECT_EQ(layer(least, "inception_5b/output")->c, 32);
    EXPECT_EQ(layer(build(network(support::bvlc, false, 0, 16)), "inception_5b/output")->c, 16 * 1024);
}

TEST(GoogLeNet, ImpossibleRequestsAreExplained)
{
    auto attempt = [](const trib_network_spec &net) {
        trib_graph *graph = nullptr;
        trib_status status = trib_network_graph(&net, &graph);
        EXPECT_EQ(graph, nullptr);
        trib_graph_destroy(graph);
        return status;
    };
    for (int classes : { -1, 1000001 })
        EXPECT_FAILS(attempt(network(support::bvlc, false, 0, 0, classes)), TRIB_INVALID_ARGUMENT, "classes");
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
    for (double width : { -1.0, 16.01, infinity, nan })
        EXPECT_FAILS(attempt(network(support::bvlc, false, 0, width)), TRIB_INVALID_ARGUMENT, "width multiplier");
    trib_network_spec unknown = network(support::bvlc);
    unknown.network = nullptr;
    EXPECT_FAILS(attempt(unknown), TRIB_INVALID_ARGUMENT, "spec->network is NULL");
    EXPECT_FAILS(attempt(network(support::bvlc, false, -3)), TRIB_INVALID_ARGUMENT, "-3x-3");
    EXPECT_FAILS(attempt(network(support::bvlc, false, 2000000000)), TRIB_INVALID_ARGUMENT, "input");
    EXPECT_FAILS(attempt(network(support::bvlc, false, 1)), TRIB_INVALID_ARGUMENT, "pool1/3x3_s2");
    EXPECT_FAILS(attempt(network(support::torchvision, false, 3)), TRIB_INVALID_ARGUMENT, "an input of 3x3");
}

TEST(GoogLeNet, AMillionClasses)
{
    EXPECT_EQ(layer(build(network(support::bvlc, false, 0, 0, 1000000)), "prob")->c, 1000000);
}

TEST(GoogLeNet, PoolsThatRoundDown)
{
    const trib_network *floor = trib_network_find("bvlc-floor");
    const Graph up = build(network(support::bvlc)), down = build(network(floor));
    const char *pools[] = { "pool1/3x3_s2", "pool2/3x3_s2", "pool3/3x3_s2", "pool4/3x3_s2" };
    const int heights[][2] = { { 56, 55 }, { 28, 27 }, { 14, 13 }, { 7, 6 } };
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(layer(up, pools[i])->h, heights[i][0]);
        EXPECT_EQ(layer(down, pools[i])->h, heights[i][1]);
    }
    // The same parameters: without a word they are taken for bvlc's.
    models::Weights weights(network(floor));
    trib_network_spec found;
    const trib_dialect *dialect = nullptr;
    ASSERT_OK(trib_network_detect(weights.tensors.data(), int(weights.tensors.size()), &found, &dialect));
    EXPECT_EQ(found.network, support::bvlc);
    EXPECT_EQ(trib_network_by_tensors(floor), support::bvlc);
    EXPECT_EQ(trib_network_by_tensors(support::torchvision), support::torchvision);
}

TEST(Networks, NamesRoundTrip)
{
    int count = 0;
    for (; trib_network_at(count); ++count) {
        const trib_network *net = trib_network_at(count);
        EXPECT_EQ(trib_network_find(trib_network_name(net)), net);
        EXPECT_NE(std::string(trib_network_summary(net)), "");
        EXPECT_EQ(trib_dialect_find(trib_dialect_name(trib_network_dialect(net))), trib_network_dialect(net));
    }
    EXPECT_GE(count, 2);
    EXPECT_EQ(trib_network_at(-1), nullptr);
    EXPECT_EQ(trib_network_find("googlenet"), support::torchvision);
    EXPECT_EQ(trib_network_find("resnet"), nullptr);
    EXPECT_EQ(trib_network_find(""), nullptr);
    EXPECT_EQ(trib_dialect_find("resnet"), nullptr);
    EXPECT_STREQ(trib_dialect_name(trib_network_dialect(support::bvlc)), "caffe");
}

} // namespace

// SPDX-License-Identifier: Apache-2.0
// Caffe's models: every form of tensors bit for bit, logits as PyTorch computes them, and the files that come with
// them. import/bvlc-v1.caffemodel is written as Caffe writes a snapshot of training: V1 layers, data layer, auxiliary
// classifiers; its weights are those of trib_uniform, as in the golden files.
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>

#include "formats/imports.h"
#include "formats/weights_file.h"
#include "formats/wire.h"
#include "tributary/internal/fault.h"

using imports::load;

namespace
{

constexpr std::uint64_t seed = 22;
const std::string v1 = support::data_file("import/bvlc-v1.caffemodel");
const std::string prototxt = support::data_file("import/bvlc-deploy.prototxt");

void expect_formula(const trib_model *model)
{
    for (int i = 0; i < trib_graph_parameter_count(trib_model_graph(model)); ++i) {
        const trib_tensor &t = trib_model_parameters(model)[i];
        const std::vector<float> wanted = imports::formula(t.name, t.shape, seed);
        ASSERT_TRUE(t.data && !std::memcmp(t.data, wanted.data(), wanted.size() * sizeof(float))) << t.name;
    }
}

TEST(Caffe, ASnapshotOfTrainingIsTheNetwork)
{
    files::Model model = load(v1, { 96, 96, false, nullptr, nullptr });
    ASSERT_TRUE(model);
    EXPECT_EQ(trib_model_network(model.get())->classes, 7);
    EXPECT_STREQ(trib_network_name(trib_model_network(model.get())->network), "bvlc");
    expect_formula(model.get());
    EXPECT_LT(imports::error_of(model.get(), "import/bvlc-n1-96.safetensors", seed), 1e-5);
}

TEST(Caffe, WhatTheFileSaysOfItsImagesIsKnown)
{
    files::Model model = load(v1);
    EXPECT_EQ(trib_model_preprocess_guess(model.get()), nullptr);
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->bgr && p->scale == 1 && p->mean[0] == 104 && p->mean[1] == 117 && p->mean[2] == 123 &&
                p->std[2] == 1);
    EXPECT_NE(std::string(trib_model_provenance(model.get())).find("Caffe model 'GoogleNet' (V1 layers)"),
              std::string::npos);
}

TEST(Caffe, AuxiliaryClassifiersAreKeptIfTheyAreWanted)
{
    files::Model model = load(v1, { 0, 0, true, nullptr, nullptr });
    EXPECT_TRUE(trib_model_network(model.get())->aux);
    EXPECT_GE(trib_graph_find_parameter(trib_model_graph(model.get()), "loss2/classifier.bias"), 0);
    expect_formula(model.get());
}

// ---- files made here ----

using Blob = std::string (*)(const trib_tensor &);

std::vector<float> values_of(const trib_tensor &t)
{
    std::vector<float> values(std::size_t(models::count(t.shape)));
    std::memcpy(values.data(), t.data, values.size() * sizeof(float));
    return values;
}

std::string shape_of(const trib_tensor &t)
{
    return wire::shape(std::vector<std::int64_t>(t.shape.dim, t.shape.dim + t.shape.rank));
}

std::string packed(const trib_tensor &t) { return wire::bytes(5, wire::floats(values_of(t))) + shape_of(t); }

std::string single_values(const trib_tensor &t)
{
    std::string bytes;
    for (float v : values_of(t)) bytes += wire::single(5, v);
    return bytes + shape_of(t);
}

std::string pieces(const trib_tensor &t)
{
    const std::string all = wire::floats(values_of(t));
    std::string bytes;
    for (std::size_t i = 0; i < all.size(); i += 12) bytes += wire::bytes(5, all.substr(i, 12)) + wire::number(99, 7);
    return bytes + shape_of(t);
}

std::string doubles(const trib_tensor &t)
{
    std::string all, alone;
    for (float v : values_of(t)) all += wire::raw(double(v)), alone += wire::twice(8, double(v));
    return shape_of(t) + wire::bytes(5, "") + (t.shape.rank == 1 ? alone : wire::bytes(8, all));
}

std::string legacy(const trib_tensor &t)
{
    std::string bytes;
    for (int i = 0; i < 4; ++i) {
        const int from = i - (4 - t.shape.rank);
        bytes += wire::number(unsigned(i + 1), from < 0 ? 1 : t.shape.dim[from]);
    }
    return bytes + wire::bytes(5, wire::floats(values_of(t))) + wire::bytes(6, wire::floats(values_of(t)));
}

// The layers of a graph with their numbers, and blobs.
struct Net {
    models::Weights weights { models::network(support::bvlc, false, 224, 0.03, 3) };
    std::map<std::string, std::string> replaced; // a layer's fields in place of its own
    std::string head = wire::bytes(1, "GoogleNet"), tail;

    std::string numbers(const trib_layer &l) const
    {
        const trib_attributes &a = l.attributes;
        switch (l.kind) {
        case TRIB_CONV2D:
            return wire::bytes(106, wire::number(1, a.conv2d.k) + wire::number(3, a.conv2d.pad.top) +
                                        wire::number(4, a.conv2d.r) + wire::number(6, a.conv2d.stride_h));
        case TRIB_LINEAR: return wire::bytes(117, wire::number(1, a.linear.out));
        case TRIB_LRN: return wire::bytes(118, wire::number(1, 5) + wire::single(2, 1e-4f) + wire::single(3, 0.75f));
        default:
            return wire::bytes(121, wire::number(1, l.kind == TRIB_AVG_POOL2D) + wire::number(2, a.pool2d.r) +
                                        wire::number(3, a.pool2d.stride_h) + wire::number(4, a.pool2d.pad.top));
        }
    }
    std::string blobs(const trib_layer &l, Blob blob) const
    {
        std::string bytes;
        for (int role : { TRIB_WEIGHT, TRIB_BIAS })
            if (l.parameters[role] >= 0)
                bytes += wire::bytes(7, blob(weights.tensors[std::size_t(l.parameters[role])]));
        return bytes;
    }
    std::string layer(const std::string &name, Blob blob = packed) const
    {
        const trib_layer &l =
            *trib_graph_layer(weights.graph.get(), trib_graph_find_layer(weights.graph.get(), name.c_str()));
        const char *type = l.kind == TRIB_CONV2D   ? "Convolution"
                           : l.kind == TRIB_LINEAR ? "InnerProduct"
                           : l.kind == TRIB_LRN    ? "LRN"
                                                   : "Pooling";
        const auto other = replaced.find(name);
        return wire::layer(name, type, other == replaced.end() ? numbers(l) + blobs(l, blob) : other->second);
    }
    std::string file(Blob blob = packed) const
    {
        std::string bytes = head;
        for (int i = 0; i < trib_graph_layer_count(weights.graph.get()); ++i) {
            const trib_layer *l = trib_graph_layer(weights.graph.get(), i);
            const bool has_numbers = l->kind == TRIB_CONV2D || l->kind == TRIB_LINEAR || l->kind == TRIB_LRN ||
                                     l->kind == TRIB_MAX_POOL2D || l->kind == TRIB_AVG_POOL2D;
            if (has_numbers) bytes += layer(l->name, blob);
        }
        return bytes + tail;
    }
    trib_status load(files::Model &model, const trib_model_options &options = {}, Blob blob = packed) const
    {
        support::TemporaryFolder folder;
        support::write_file(folder.file("m.caffemodel"), file(blob));
        return files::load(folder.file("m.caffemodel"), model, &options);
    }
    trib_status load() const
    {
        files::Model model;
        return load(model);
    }
};

TEST(Caffe, TheNameMayBeLong)
{
    files::Model model;
    for (std::size_t length : { 127, 128, 300 }) {
        Net net;
        net.head = wire::bytes(1, std::string(length, 'n'));
        EXPECT_OK(net.load(model));
    }
}

TEST(Caffe, EveryFormOfBlobsGivesTheSameBits)
{
    Net net;
    for (int i = 0; i < int(net.weights.tensors.size()); ++i)
        net.weights.values[std::size_t(i)][1] = static_cast<unsigned char>(i); // all of them differ
    for (Blob blob : { packed, single_values, pieces, doubles, legacy }) {
        files::Model model;
        ASSERT_OK(net.load(model, {}, blob));
        for (std::size_t i = 0; i < net.weights.tensors.size(); ++i) {
            const trib_tensor &wanted = net.weights.tensors[i], &got = trib_model_parameters(model.get())[i];
            ASSERT_TRUE(trib_shape_equal(&wanted.shape, &got.shape)) << wanted.name;
            ASSERT_EQ(std::memcmp(wanted.data, got.data, net.weights.values[i].size()), 0) << wanted.name;
        }
        trib_model_release_parameters(model.get());
    }
}

const char tampered[] = "inception_3a/3x3_reduce";

TEST(Caffe, LeftoversArePassedOverAndSaid)
{
    Net net;
    net.tail = wire::layer("extra/fc", "InnerProduct",
                           wire::bytes(7, wire::bytes(5, std::string(8, '\0')) + wire::shape({ 1, 2 })) +
                               wire::bytes(7, wire::bytes(5, std::string(4, '\0')) + wire::shape({ 1 }))) +
               wire::layer("bn", "BatchNorm",
                           wire::bytes(7, wire::shape({ 0 })) + wire::bytes(7, wire::shape({ 0 })) +
                               wire::bytes(7, wire::shape({ 0 })));
    files::Model model;
    ASSERT_OK(net.load(model));
    EXPECT_NE(std::string(trib_model_note(model.get()))
                  .find("left out, as the network does not have it: extra/fc.weight and 3 more"),
              std::string::npos)
        << trib_model_note(model.get());
}

TEST(Caffe, ARenamedClassifierIsTakenAndSaid)
{
    Net net;
    std::string bytes = net.file();
    const std::string own = net.layer("loss3/classifier");
    const std::size_t at = bytes.find(own);
    ASSERT_NE(at, std::string::npos);
    std::string other = own.substr(own.find("loss3/classifier") - 2); // without the layer's key and length
    other.replace(0, 2 + 16, wire::bytes(1, "flowers"));
    const std::string renamed = wire::bytes(100, other);
    support::TemporaryFolder folder;
    support::write_file(folder.file("one"), std::string(bytes).replace(at, own.size(), renamed));
    files::Model model = load(folder.file("one"));
    ASSERT_TRUE(model);
    EXPECT_NE(std::string(trib_model_note(model.get())).find("flowers is taken for the classifier"), std::string::npos);
    // Others that cannot be it: without a bias, of other inputs, no matrix, of a long name.
    const auto blob = [](const std::vector<std::int64_t> &shape, std::size_t size) {
        return wire::bytes(7, wire::bytes(5, std::string(4 * size, '\0')) + wire::shape(shape));
    };
    const std::string others =
        wire::layer("a", "InnerProduct", wire::bytes(117, wire::number(2, 0)) + blob({ 1, 32 }, 32)) +
        wire::layer("b", "InnerProduct", blob({ 1, 2 }, 2) + blob({ 1 }, 1)) +
        wire::layer("c", "InnerProduct", blob({ 32 }, 32) + blob({ 1 }, 1)) +
        wire::layer(std::string(200, 'd'), "InnerProduct", blob({ 1, 32 }, 32) + blob({ 1 }, 1));
    support::write_file(folder.file("none"), std::string(bytes).erase(at, own.size()) + others);
    EXPECT_FAILS(files::load(folder.file("none"), model), TRIB_BAD_DATA, "nor another that could be the classifier");
    std::string two = std::string(bytes).replace(at, own.size(), renamed);
    other.replace(2, 7, "flowerz");
    two += wire::bytes(100, other);
    support::write_file(folder.file("two"), two);
    EXPECT_FAILS(files::load(folder.file("two"), model), TRIB_BAD_DATA,
                 "and 2 others could be the classifier, such as flowers and flowerz");
}

struct Spoiled {
    const char *name, *text;
    std::function<void(Net &)> spoil;
};
void PrintTo(const Spoiled &spoiled, std::ostream *out) { *out << spoiled.name; }
class CaffeSpoiled : public testing::TestWithParam<Spoiled>
{
};

TEST_P(CaffeSpoiled, IsRefusedNamingTheLayer)
{
    Net net;
    GetParam().spoil(net);
    trib_status s = net.load();
    EXPECT_FAILS(s,
                 std::string(GetParam().name) == "v0" || std::string(GetParam().name) == "raw_data" ? TRIB_UNSUPPORTED
                                                                                                    : TRIB_BAD_DATA,
                 GetParam().text);
    EXPECT_NE(std::string(s.message).find("m.caffemodel: "), std::string::npos) << s.message;
}

// In place of the tampered layer's weights, or after them.
Spoiled weights(const char *name, const std::string &blob, const char *text, const std::string &more = "")
{
    return { name, text, [blob, more](Net &net) {
                const trib_graph *graph = net.weights.graph.get();
                const trib_layer &l = *trib_graph_layer(graph, trib_graph_find_layer(graph, tampered));
                const trib_tensor &bias = net.weights.tensors[std::size_t(l.parameters[TRIB_BIAS])];
                net.replaced[tampered] = net.numbers(l) + wire::bytes(7, blob) + wire::bytes(7, packed(bias)) + more;
            } };
}

Spoiled numbers(const char *name, const char *layer, const std::string &message, const char *text)
{
    return { name, text, [layer, message](Net &net) {
                const trib_graph *graph = net.weights.graph.get();
                const trib_layer &l = *trib_graph_layer(graph, trib_graph_find_layer(graph, layer));
                net.replaced[layer] = net.numbers(l) + net.blobs(l, packed) + message; // the last number counts
            } };
}

std::vector<Spoiled> spoiled()
{
    const std::string values(256, '\0');
    const std::string nan = wire::floats(std::vector<float>(64, NAN));
    return {
        weights("fewer_values", wire::bytes(5, values.substr(4)) + wire::shape({ 8, 8, 1, 1 }),
                "it has 63 values where its shape"),
        weights("no_whole_floats", wire::bytes(5, values + "ab") + wire::shape({ 8, 8, 1, 1 }), "258 bytes of floats"),
        { "no_scale", "a scale of 0",
          [](Net &net) { net.tail = wire::layer("data", "Data", wire::bytes(100, wire::single(1, 0))); } },
        { "large_scale", "a scale of",
          [](Net &net) { net.tail = wire::layer("data", "Data", wire::bytes(100, wire::single(1, 1e31f))); } },
        { "large_mean", "a mean_value of",
          [](Net &net) { net.tail = wire::layer("data", "Data", wire::bytes(100, wire::single(5, 1e7f))); } },
        weights("raw_data", wire::bytes(12, values) + wire::shape({ 8, 8, 1, 1 }), "its values are in raw_data"),
        weights("wrong_type", wire::number(5, 1), "wrong wire type"),
        weights("negative", wire::bytes(5, values) + wire::shape({ -8, -8, 1, 1 }), "negative extent"),
        weights("overflow", wire::shape({ 1ll << 32, 1ll << 32, 1, 1 }), "more than 2^62"),
        weights("rank", wire::bytes(5, values) + wire::shape(std::vector<std::int64_t>(40, 1)), "40 dimensions"),
        weights("not_a_number", wire::bytes(5, nan) + wire::shape({ 8, 8, 1, 1 }), "is not a finite number"),
        weights("too_large_for_float",
                wire::bytes(8,
                            [] {
                                std::string s;
                                for (int i = 0; i < 64; ++i) s += wire::raw(1e300);
                                return s;
                            }()) +
                    wire::shape({ 8, 8, 1, 1 }),
                "is not a finite number"),
        weights("other_shape", wire::bytes(5, values) + wire::shape({ 8, 4, 1, 2 }),
                "has shape [8, 4, 1, 2] where the network has"),
        weights("three_blobs", wire::bytes(5, values) + wire::shape({ 8, 8, 1, 1 }), "has 3 blobs",
                wire::bytes(7, wire::shape({ 0 }))),
        { "no_bias", "has 1 blobs",
          [](Net &net) {
              net.replaced[tampered] =
                  wire::bytes(7, wire::bytes(5, std::string(256, '\0')) + wire::shape({ 8, 8, 1, 1 }));
          } },
        { "twice", "inception_3a/3x3_reduce is there twice", [](Net &net) { net.tail = net.layer(tampered); } },
        { "no_name", "has values but no name",
          [](Net &net) { net.tail = wire::layer("", "Convolution", wire::bytes(7, wire::shape({ 0 }))); } },
        { "name_of_control_characters", "its name has control characters",
          [](Net &net) { net.tail = wire::layer("a\x1b[2J", "Other", wire::bytes(7, wire::shape({ 0 }))); } },
        { "v0", "upgrade_net_proto_binary",
          [](Net &net) { net.tail = wire::bytes(2, wire::bytes(1, wire::bytes(1, "conv1"))); } },
        { "other_type", "pool3/3x3_s2: has another type",
          [](Net &net) { net.replaced["pool3/3x3_s2"] = wire::bytes(2, "LRN"); } },
        { "cut", "cut short", [](Net &net) { net.tail = wire::key(100, 2) + wire::varint(5) + "ab"; } },
        { "many_layers", "more than 5000 layers",
          [](Net &net) {
              for (int i = 0; i < 5000; ++i) net.tail += wire::bytes(100, "");
          } },
        { "means_differ", "prepare images in different ways",
          [](Net &net) {
              for (float mean : { 1.0f, 2.0f })
                  net.tail += wire::layer("data", "Data", wire::bytes(100, wire::single(5, mean)));
          } },
        { "two_means", "2 values of mean_value",
          [](Net &net) {
              net.tail = wire::layer("data", "Data", wire::bytes(100, wire::single(5, 1) + wire::single(5, 2)));
          } },
        numbers("stride", "conv1/7x7_s2", wire::bytes(106, wire::number(14, 1)),
                "conv1/7x7_s2: the horizontal stride is 1 where the network has 2"),
        numbers("uneven", "conv1/7x7_s2", wire::bytes(106, wire::number(4, 5)), "several values"),
        numbers("group", "conv1/7x7_s2", wire::bytes(106, wire::number(5, 2)), "group is 2"),
        numbers("dilation", "conv2/3x3", wire::bytes(106, wire::bytes(18, wire::varint(2))), "dilation is 2"),
        numbers("floor", "pool3/3x3_s2", wire::bytes(121, wire::number(13, 1)),
                "pool3/3x3_s2: round_mode (0: CEIL, 1: FLOOR) is 1"),
        numbers("global", "pool3/3x3_s2", wire::bytes(121, wire::number(12, 1)), "global_pooling"),
        numbers("beta", "conv2/norm2", wire::bytes(118, wire::single(5, 2)), "k is 2 where the network has 1"),
        numbers("transpose", "loss3/classifier", wire::bytes(117, wire::number(6, 1)), "transpose is 1"),
    };
}
INSTANTIATE_TEST_SUITE_P(, CaffeSpoiled, testing::ValuesIn(spoiled()),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(CaffeBad, FilesThatAreNoNetwork)
{
    support::TemporaryFolder folder;
    files::Model model;
    const auto refused = [&](const std::string &bytes, trib_code code, const char *text) {
        support::write_file(folder.file("f"), bytes);
        EXPECT_FAILS(files::load(folder.file("f"), model), code, text);
    };
    refused(wire::number(1, 1) + wire::number(2, 3) + wire::number(3, 1) + wire::number(4, 1) +
                wire::bytes(5, std::string(12, 'a')),
            TRIB_BAD_DATA, "a mean image is named with --mean-file");
    refused(wire::bytes(1, "x\x1b") + wire::bytes(100, ""), TRIB_BAD_DATA, "none of its layers has blobs");
    refused(wire::bytes(1, "x\x1b") + wire::number(5, 0), TRIB_BAD_DATA, "it has no layers");
    refused(
        wire::layer("conv1", "Convolution", wire::bytes(7, wire::shape({ 0 })) + wire::bytes(7, wire::shape({ 0 }))),
        TRIB_BAD_DATA, "not a known network: neither conv1/7x7_s2.weight");
    refused(std::string(10, '\xFF') + "\1", TRIB_BAD_DATA, "a number (varint) has more than 64 bits");
}

// Anything cut off at the end is refused, and nothing is read beyond.
TEST(CaffeBad, CutAnywhere)
{
    const std::string bytes = support::read_file(v1);
    for (std::size_t size = 1; size < bytes.size(); size += size < 300 ? 1 : 3001) {
        const std::unique_ptr<char[]> exact(new char[size]);
        std::memcpy(exact.get(), bytes.data(), size);
        trib_weights_file *file = nullptr;
        trib_status s = trib_weights_open_memory(exact.get(), size, "m", &file);
        if (!trib_failed(&s)) s = trib_weights_load(file, nullptr, nullptr); // it may end between two layers
        EXPECT_TRUE(s.code == TRIB_OK || s.code == TRIB_BAD_DATA) << size;
        trib_weights_close(file);
    }
}

// ---- prototxt and mean image ----

TEST(CaffeFiles, APrototxtIsComparedAndRead)
{
    EXPECT_TRUE(load(v1, { 0, 0, true, prototxt.c_str(), nullptr })); // the text has no auxiliary classifiers
    files::Model model = load(v1, { 0, 0, false, prototxt.c_str(), nullptr });
    ASSERT_TRUE(model);
    support::TemporaryFolder folder;
    const std::string path = folder.file("net.prototxt"), text = support::read_file(prototxt);
    const trib_model_options options = { 0, 0, false, path.c_str(), nullptr };
    const auto change = [&](const std::string &from, const std::string &to) {
        const std::size_t at = text.find(from);
        EXPECT_NE(at, std::string::npos) << from;
        support::write_file(path, std::string(text).replace(at, from.size(), to));
    };
    change("pool: MAX", "pool: AVE");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA,
                 "net.prototxt: layer pool1/3x3_s2: pool (0: MAX, 1: AVE) is 1");
    change("pool: MAX", "pool: MAX round_mode: FLOOR");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "round_mode");
    change("beta: 0.75", "beta: 0.5");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA,
                 "layer pool1/norm1: beta is 0.5 where the network has 0.75");
    change("pool1/norm1", "other");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "layer pool1/norm1: is missing");
    change("type: \"ReLU\"", "type: \"ReLU\" relu_param { negative_slope: 0.5 }");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "negative_slope is 0.5 where the network has 0");
    change("type: \"ReLU\"", "type: \"Sigmoid\"");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "stands in its place, which is no relu");
    change("type: \"ReLU\"", "type: \"Dropout\"");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "stands in its place, which is no relu");
    change("bottom: \"inception_3a/1x1\"\n  bottom: \"inception_3a/3x3\"",
           "bottom: \"inception_3a/3x3\"\n  bottom: \"inception_3a/1x1\"");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "layer inception_3a/");
    change("layer {\n  name: \"conv1/7x7_s2\"",
           "layer { name: 'half' type: 'Power' bottom: 'data' top: 'data' }\nlayer {\n  name: \"conv1/7x7_s2\"");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA,
                 "layer half stands between the images and the network");
    change("layer {\n  name: \"pool1/3x3_s2\"",
           "layer { name: 'bn1' type: 'BatchNorm' bottom: 'conv1/7x7_s2' top: 'conv1/7x7_s2' }\n"
           "layer {\n  name: \"pool1/3x3_s2\"");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA,
                 "layer conv1/7x7_s2/relu: layer bn1 stands in its place");
    change("layer {", "layer { layer { name: 'x' }");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_UNSUPPORTED, "upgrade_net_proto_text");
    change("dim: 10 dim: 3 dim: 224 dim: 224", "dim: [10, 3, 96, 128]");
    ASSERT_OK(files::load(v1, model, &options));
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 96);
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_width, 128);
    change("input_param", "transform_param { scale: 0.5 crop_size: 128 mean_value: 10 } input_param");
    ASSERT_OK(files::load(v1, model, &options));
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->mean[0] == 10 && p->mean[2] == 10 && p->std[1] == 2 && p->crop_width == 128 && p->bgr);
    support::write_file(path, "name: 'x'");
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "describes no layers");
    support::write_file(path, support::read_file(v1));
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "is not a text file");
}

TEST(CaffeFiles, OfAMeanImageTheChannelsMeansAreTaken)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("mean.binaryproto");
    const trib_model_options options = { 0, 0, false, nullptr, path.c_str() };
    Net net;
    files::Model model;
    const std::string values = wire::bytes(5, wire::floats({ 1, 3, 10, 30, 100, 300 }));
    support::write_file(path,
                        wire::number(1, 1) + wire::number(2, 3) + wire::number(3, 1) + wire::number(4, 2) + values);
    ASSERT_OK(net.load(model, options));
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->mean[0] == 2 && p->mean[1] == 20 && p->mean[2] == 200 && p->bgr);
    // Resizing, channels and scale are still guessed; and Caffe subtracts pixels, which differ here.
    EXPECT_NE(std::string(trib_model_preprocess_guess(model.get())).find("all but the mean"), std::string::npos);
    EXPECT_NE(std::string(trib_model_note(model.get())).find("an approximation"), std::string::npos);
    const std::string saved = folder.file("saved"), file = folder.file("m.caffemodel");
    support::write_file(file, net.file());
    ASSERT_OK(trib_model_save(load(file, options).get(), saved.c_str(), nullptr));
    EXPECT_NE(std::string(trib_model_provenance(load(saved).get())).find("but for mean and std was guessed"),
              std::string::npos);
    support::write_file(path, wire::shape({ 3, 1, 2 }) + wire::bytes(5, wire::floats({ 1, 1, 10, 10, 100, 100 })));
    ASSERT_OK(net.load(model, options));
    EXPECT_EQ(trib_model_note(model.get()), nullptr);
    support::write_file(path, wire::shape({ 3, 1, 2 }) + values);
    EXPECT_OK(net.load(model, options));
    support::write_file(path, wire::shape({ 2, 1, 3 }) + values);
    EXPECT_FAILS(net.load(model, options), TRIB_BAD_DATA, "has shape [2, 1, 3] where a mean image has 3 channels");
    support::write_file(path, wire::shape({ 3, 1, 2 }) + wire::bytes(5, wire::floats({ 1, NAN, 1, 1, 1, 1 })));
    EXPECT_FAILS(net.load(model, options), TRIB_BAD_DATA, "the mean of channel 0 is nan");
    support::write_file(path, "\x2A\x20\1cut");
    EXPECT_FAILS(net.load(model, options), TRIB_BAD_DATA, "mean image: ");
    support::write_file(path, "name: 'GoogleNet'");
    EXPECT_FAILS(net.load(model, options), TRIB_BAD_DATA, "is a text file; --mean-file takes Caffe's mean image");
    support::write_file(path, net.head + std::string("\xA2\x06\0", 3));
    EXPECT_FAILS(net.load(model, options), TRIB_BAD_DATA, "is a model; --mean-file takes Caffe's mean image");
}

TEST(CaffeFiles, AreCompletedByThePrototxt)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("net.prototxt"), mean = folder.file("mean");
    std::string text = support::read_file(prototxt);
    const std::string type = "type: \"Convolution\"";
    text.replace(text.find(type), type.size(), "type: 4"); // as a number
    text += "layer { name: 'a' type: 'Data' transform_param { mean_file: 'x' scale: 0.5 } }\n"
            "layer { name: 'b' type: 'Data' transform_param { mean_file: 'y' scale: 0.5 } }\n";
    support::write_file(path, text);
    const trib_model_options options = { 0, 0, false, path.c_str(), nullptr };
    files::Model model;
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_INVALID_ARGUMENT, "name that file with --mean-file");
    support::write_file(mean, wire::shape({ 3, 1, 1 }) + wire::bytes(5, wire::floats({ 1, 2, 3 })));
    const trib_model_options both = { 0, 0, false, path.c_str(), mean.c_str() };
    ASSERT_OK(files::load(v1, model, &both));
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->mean[0] == 1 && p->mean[2] == 3 && p->std[1] == 2);
    EXPECT_EQ(trib_model_preprocess_guess(model.get()), nullptr);
}

TEST(CaffeFiles, ASnapshotMayNeedTheMeanImage)
{
    support::TemporaryFolder folder;
    const std::string mean = folder.file("mean");
    support::write_file(mean, wire::shape({ 3, 1, 1 }) + wire::bytes(5, wire::floats({ 1, 2, 3 })));
    Net net;
    net.tail = wire::layer("data", "Data",
                           wire::bytes(100, wire::single(1, 0.5f) + wire::number(3, 96) + wire::bytes(4, "x")));
    files::Model model;
    ASSERT_OK(net.load(model));
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->bgr && p->mean[0] == 104 && p->std[1] == 2 && p->crop_width == 96 && p->crop_height == 96);
    EXPECT_EQ(trib_model_network(model.get())->height, 96);
    ASSERT_NE(trib_model_preprocess_guess(model.get()), nullptr);
    EXPECT_NE(std::string(trib_model_preprocess_guess(model.get())).find("--mean-file"), std::string::npos);
    ASSERT_OK(net.load(model, { 0, 0, false, nullptr, mean.c_str() }));
    p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->mean[0] == 1 && p->mean[2] == 3 && p->std[1] == 2 && p->crop_width == 96);
    EXPECT_EQ(trib_model_preprocess_guess(model.get()), nullptr);
}

TEST(CaffeFiles, ASnapshotSaysTheSizeOfItsInput)
{
    Net net;
    net.tail = wire::layer("data", "Data", wire::bytes(100, wire::number(3, 96)));
    files::Model model;
    ASSERT_OK(net.load(model));
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 96);
    EXPECT_NE(trib_model_preprocess_guess(model.get()), nullptr); // the rest is not said
    ASSERT_OK(net.load(model, { 128, 128, false, nullptr, nullptr }));
    EXPECT_EQ(trib_model_preprocess(model.get())->crop_height, 128);
}

TEST(CaffeFiles, AMeanImageAndModelsOfOtherPrograms)
{
    support::TemporaryFolder folder;
    const std::string mean = folder.file("mean");
    support::write_file(mean, wire::shape({ 3, 1, 1 }) + wire::bytes(5, wire::floats({ 1, 2, 3 })));
    const trib_model_options options = { 0, 0, false, nullptr, mean.c_str() };
    files::Model model; // whose images are not known
    ASSERT_OK(files::load(support::data_file("import/torchvision-bn-17.onnx"), model, &options));
    const trib_preprocess *p = trib_model_preprocess(model.get());
    EXPECT_TRUE(p->bgr && p->scale == 1 && p->mean[2] == 3);
    EXPECT_FAILS(files::load(support::data_file("import/torchvision-transform-13.onnx"), model, &options),
                 TRIB_INVALID_ARGUMENT, "the model says that its own are not");
    std::filesystem::resize_file(mean, 64 << 20);
    EXPECT_FAILS(files::load(v1, model, &options), TRIB_BAD_DATA, "larger than 64 MB");
}

// ---- failing calls ----

TEST(CaffeFault, EveryCallFailsOnce)
{
    support::TemporaryFolder folder;
    const std::string mean = folder.file("mean");
    support::write_file(mean, wire::shape({ 3, 1, 1 }) + wire::bytes(5, wire::floats({ 1, 2, 3 })));
    const trib_model_options options = { 0, 0, false, prototxt.c_str(), mean.c_str() };
    int k = 1;
    for (;; k += k < 40 ? 1 : 37) {
        trib_fault_arm(k, false);
        trib_model *model = nullptr;
        trib_status s = trib_model_load(v1.c_str(), &options, &model);
        const bool reached = trib_fault_disarm() >= k;
        EXPECT_EQ(model == nullptr, trib_failed(&s)) << k;
        trib_model_destroy(model);
        if (!reached) break;
        EXPECT_TRUE(s.code == TRIB_OUT_OF_MEMORY || s.code == TRIB_IO_ERROR) << k << ": " << s.message;
    }
    EXPECT_GT(k, 200);
}

} // namespace

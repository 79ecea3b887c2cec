// SPDX-License-Identifier: Apache-2.0
// Training that begins with a model of other classes: what it gives, and what gets new values.
#include <cmath>
#include <set>

#include "weights.h"

using namespace models;

namespace
{

// Tensors of one network, bound to the graph of another.
struct Tuning {
    Weights file;
    trib_network_spec net;
    Graph graph;
    std::vector<trib_tensor> parameters;
    std::unique_ptr<bool[]> fresh;

    Tuning(const trib_network_spec &from, const trib_network_spec &to, const std::string &prefix = "")
        : file(from, prefix), net(to), graph(build(to))
    {
        parameters.resize(std::size_t(trib_graph_parameter_count(graph.get())));
        fresh.reset(new bool[parameters.size()]);
    }
    trib_status bind()
    {
        return trib_network_bind_pretrained(&net, graph.get(), trib_network_dialect(net.network), file.tensors.data(),
                                            int(file.tensors.size()), parameters.data(), fresh.get());
    }
    std::set<std::string> fresh_names() const
    {
        std::set<std::string> names;
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            EXPECT_EQ(parameters[i].data == nullptr, fresh[i]) << i;
            if (fresh[i]) names.insert(trib_graph_parameter(graph.get(), int(i))->name);
        }
        return names;
    }
    std::string layers(std::size_t size = 512) const
    {
        std::vector<char> text(size + 1, '#');
        std::string result = trib_parameter_layers(graph.get(), fresh.get(), text.data(), size);
        EXPECT_EQ(text[size], '#') << "written past the end";
        return result;
    }
};

trib_network_spec small(const trib_network *variant, int classes, bool aux = true)
{
    return network(variant, aux, 0, 0.125, classes);
}

const trib_network *const variants[] = { support::bvlc, support::torchvision };

TEST(Pretrained, OtherClassesReplaceTheClassifiers)
{
    for (const trib_network *variant : variants) {
        Tuning tuning(small(variant, 10), small(variant, 4), "module.");
        ASSERT_OK(tuning.bind());
        EXPECT_EQ(tuning.fresh_names(), (std::set<std::string> { "loss1/classifier.bias", "loss1/classifier.weight",
                                                                 "loss2/classifier.bias", "loss2/classifier.weight",
                                                                 "loss3/classifier.bias", "loss3/classifier.weight" }));
        EXPECT_EQ(tuning.layers(), "loss1/classifier, loss2/classifier, loss3/classifier");
    }
}

TEST(Pretrained, TheSameClassesKeepThem)
{
    for (const trib_network *variant : variants)
        for (bool aux : { false, true }) {
            Tuning tuning(small(variant, 10), small(variant, 10, aux));
            ASSERT_OK(tuning.bind());
            EXPECT_EQ(tuning.fresh_names(), std::set<std::string>());
            EXPECT_EQ(tuning.layers(), "");
        }
}

TEST(Pretrained, MissingHeadsAreNew)
{
    for (int classes : { 10, 4 }) {
        Tuning tuning(small(support::torchvision, 10, false), small(support::torchvision, classes));
        ASSERT_OK(tuning.bind());
        std::set<std::string> names = tuning.fresh_names();
        EXPECT_EQ(names.size(), 2 * (5 + 4u) + (classes == 4 ? 2 : 0));
        for (const char *name : { "loss1/conv.weight", "loss1/conv/bn.running_mean", "loss2/fc.bias" })
            EXPECT_EQ(names.count(name), 1u) << name;
    }
}

TEST(Pretrained, OneHeadOfTwo)
{
    Tuning tuning(small(support::bvlc, 10), small(support::bvlc, 10));
    for (const char *leaf : { "conv", "fc", "classifier" })
        for (const char *end : { ".weight", ".bias" }) tuning.file.remove(std::string("loss2/") + leaf + end);
    ASSERT_OK(tuning.bind());
    EXPECT_EQ(tuning.layers(), "loss2/conv, loss2/fc, loss2/classifier");
}

TEST(Pretrained, PartsOfAHeadAreNotEnough)
{
    Tuning tuning(small(support::torchvision, 10), small(support::torchvision, 4));
    tuning.file.remove("aux1.fc1.weight");
    EXPECT_FAILS(tuning.bind(), TRIB_BAD_DATA, "aux1.fc1.weight is missing");
}

TEST(Pretrained, EverythingElseIsStillChecked)
{
    const trib_network_spec from = small(support::torchvision, 10), to = small(support::torchvision, 4);
    Tuning missing(from, to);
    missing.file.remove("conv1.conv.weight");
    EXPECT_FAILS(missing.bind(), TRIB_BAD_DATA, "conv1.conv.weight is missing");
    Tuning no_classifier(from, to);
    no_classifier.file.remove("fc.weight");
    EXPECT_FAILS(no_classifier.bind(), TRIB_BAD_DATA, "fc.weight is missing");
    Tuning stranger(from, to);
    stranger.file.add("zzz", trib_shape_of(1, 4, 0, 0, 0));
    EXPECT_FAILS(stranger.bind(), TRIB_BAD_DATA, "zzz is not part of");
    Tuning damaged(from, to);
    damaged.file.set("conv3.conv.weight", 2, std::nanf(""));
    EXPECT_FAILS(damaged.bind(), TRIB_BAD_DATA, "conv3.conv.weight: element 2 is not a finite number");
    Tuning replaced(from, to);
    replaced.file.set("fc.weight", 2, std::nanf("")); // its values are not used
    EXPECT_OK(replaced.bind());
}

TEST(Pretrained, AClassifierMayDifferInItsClassesAlone)
{
    const trib_network_spec from = small(support::torchvision, 10), to = small(support::torchvision, 4);
    Tuning wider(from, to);
    wider.file.remove("fc.weight");
    wider.file.add("fc.weight", trib_shape_of(2, 10, 64, 0, 0));
    EXPECT_FAILS(wider.bind(), TRIB_BAD_DATA,
                 "tensor fc.weight has shape [10, 64] where a classifier of 10 classes has [10, 128]");
    Tuning torn(from, to);
    torn.file.remove("fc.bias");
    torn.file.add("fc.bias", trib_shape_of(1, 4, 0, 0, 0));
    EXPECT_FAILS(torn.bind(), TRIB_BAD_DATA, "tensor fc.bias has shape [4] where a classifier of 10 classes has [10]");
    Tuning scalar(from, to);
    scalar.file.remove("fc.weight");
    scalar.file.add("fc.weight", trib_shape_of(0, 0, 0, 0, 0));
    EXPECT_FAILS(scalar.bind(), TRIB_BAD_DATA, "fc.weight has shape []");
}

TEST(Pretrained, FreshOnesAreInitialised)
{
    Tuning tuning(small(support::bvlc, 10), small(support::bvlc, 4));
    ASSERT_OK(tuning.bind());
    void *storage = nullptr;
    ASSERT_OK(trib_parameters_initialise(tuning.graph.get(), trib_network_init_rule(support::bvlc), 1,
                                         tuning.fresh.get(), tuning.parameters.data(), &storage));
    for (std::size_t i = 0; i < tuning.parameters.size(); ++i) {
        EXPECT_NE(tuning.parameters[i].data, nullptr) << i;
        EXPECT_TRUE(
            trib_shape_equal(&tuning.parameters[i].shape, &trib_graph_parameter(tuning.graph.get(), int(i))->shape));
    }
    trib_parameters_free(storage);
}

// ---- names ----

struct Selection {
    Graph graph;
    const trib_network *variant;
    std::unique_ptr<bool[]> selected;

    explicit Selection(const trib_network *variant_, bool aux = true)
        : graph(build(small(variant_, 10, aux))), variant(variant_),
          selected(new bool[std::size_t(trib_graph_parameter_count(graph.get()))]())
    {
    }
    trib_status add(const std::string &prefix)
    {
        return trib_parameters_select(variant, graph.get(), prefix.c_str(), selected.get());
    }
    std::string layers(std::size_t size = 2048) const
    {
        std::vector<char> text(size + 1, '#');
        std::string result = size ? trib_parameter_layers(graph.get(), selected.get(), text.data(), size) : "";
        EXPECT_EQ(text[size], '#') << "written past the end";
        return result;
    }
};

TEST(Select, OwnNames)
{
    Selection s(support::torchvision);
    ASSERT_OK(s.add("conv1"));
    EXPECT_EQ(s.layers(), "conv1/7x7_s2, conv1/7x7_s2/bn");
    ASSERT_OK(s.add("inception_3a/3x3_reduce.w"));
    EXPECT_EQ(s.layers(), "conv1/7x7_s2, conv1/7x7_s2/bn, inception_3a/3x3_reduce");
    ASSERT_OK(s.add("loss3/classifier.bias"));
    EXPECT_EQ(s.layers(), "conv1/7x7_s2, conv1/7x7_s2/bn, inception_3a/3x3_reduce, loss3/classifier");
}

TEST(Select, NamesInOtherDialects)
{
    for (const trib_network *variant : variants) {
        Selection s(variant, false);
        ASSERT_OK(s.add("inception5b.branch4"));
        EXPECT_EQ(s.layers().substr(0, 22), "inception_5b/pool_proj");
        ASSERT_OK(s.add("fc"));
        EXPECT_NE(s.layers().find(", loss3/classifier"), std::string::npos);
    }
}

// "conv2" is two layers in our names and one in torchvision's; ours count.
TEST(Select, OwnNamesCountFirst)
{
    Selection s(support::torchvision);
    ASSERT_OK(s.add("conv2"));
    EXPECT_EQ(s.layers(), "conv2/3x3_reduce, conv2/3x3_reduce/bn, conv2/3x3, conv2/3x3/bn");
    Selection torchvision(support::torchvision);
    ASSERT_OK(torchvision.add("conv2."));
    EXPECT_EQ(torchvision.layers(), "conv2/3x3_reduce, conv2/3x3_reduce/bn");
}

TEST(Select, UnknownNamesListTheModules)
{
    Selection s(support::bvlc);
    EXPECT_FAILS(s.add("inception_6"), TRIB_NOT_FOUND,
                 "no parameter of googlenet-bvlc has a name that begins with \"inception_6\"; it has conv1, conv2, "
                 "inception_3a, inception_3b, inception_4a, loss1, inception_4b, inception_4c, inception_4d, loss2, "
                 "inception_4e, inception_5a, inception_5b, loss3");
    EXPECT_FAILS(s.add("Conv1"), TRIB_NOT_FOUND, "begins with \"Conv1\"");
    EXPECT_FAILS(s.add(""), TRIB_INVALID_ARGUMENT, "an empty prefix");
    EXPECT_FAILS(s.add(std::string(5000, 'x')), TRIB_NOT_FOUND, "x\"; it has conv1, conv2");
    EXPECT_EQ(s.layers(), "");
}

TEST(Select, AListThatDoesNotFitIsCut)
{
    Selection s(support::bvlc);
    ASSERT_OK(s.add("inception"));
    for (std::size_t size = 0; size < 200; ++size) EXPECT_LT(s.layers(size).size(), size + !size);
    EXPECT_EQ(s.layers(50), "inception_3a/1x1, inception_3a/3x3_reduce, ...");
}

} // namespace

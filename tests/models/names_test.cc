// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>

#include "weights.h"

extern "C" {
#include "models/network/row.h"
#include "models/network/tensor_index.h"
}

using namespace models;

namespace
{

std::set<std::string> names_of(const trib_network *variant, bool aux)
{
    Graph graph = build(network(variant, aux));
    std::set<std::string> names;
    for (int i = 0; i < trib_graph_parameter_count(graph.get()); ++i)
        EXPECT_TRUE(names.insert(file_name(graph.get(), variant, i)).second) << "twice: " << *names.rbegin();
    return names;
}

// What torchvision.models.googlenet(...).state_dict() holds, num_batches_tracked left out.
std::set<std::string> torchvision_keys(bool aux)
{
    std::set<std::string> keys = { "fc.weight", "fc.bias" };
    auto basic_conv = [&](const std::string &prefix) {
        keys.insert(prefix + ".conv.weight");
        for (const char *leaf : { "weight", "bias", "running_mean", "running_var" })
            keys.insert(prefix + ".bn." + leaf);
    };
    for (const char *stem : { "conv1", "conv2", "conv3" }) basic_conv(stem);
    for (const char *module : { "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b" })
        for (const char *branch : { "branch1", "branch2.0", "branch2.1", "branch3.0", "branch3.1", "branch4.1" })
            basic_conv(std::string("inception") + module + "." + branch);
    for (const char *head : { "aux1", "aux2" }) {
        if (!aux) break;
        basic_conv(std::string(head) + ".conv");
        for (const char *leaf : { ".fc1.weight", ".fc1.bias", ".fc2.weight", ".fc2.bias" })
            keys.insert(std::string(head) + leaf);
    }
    return keys;
}

TEST(Names, AreTorchvisionsKeys)
{
    EXPECT_EQ(names_of(support::torchvision, false), torchvision_keys(false));
    EXPECT_EQ(names_of(support::torchvision, true), torchvision_keys(true));
    // With one num_batches_tracked for each batch norm: the counts that state_dict() has.
    EXPECT_EQ(names_of(support::torchvision, false).size() + 57, 344u);
    EXPECT_EQ(names_of(support::torchvision, true).size() + 59, 364u);
}

TEST(Names, AreCaffes)
{
    std::set<std::string> wanted;
    auto layer = [&](const std::string &name) {
        wanted.insert(name + ".weight");
        wanted.insert(name + ".bias");
    };
    for (const char *name : { "conv1/7x7_s2", "conv2/3x3_reduce", "conv2/3x3", "loss3/classifier" }) layer(name);
    for (const char *head : { "loss1", "loss2" })
        for (const char *leaf : { "/conv", "/fc", "/classifier" }) layer(std::string(head) + leaf);
    for (const char *module : { "3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b" })
        for (const char *leaf : { "1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool_proj" })
            layer(std::string("inception_") + module + "/" + leaf);
    EXPECT_EQ(names_of(support::bvlc, true), wanted);
}

std::string torchvision(const char *canonical)
{
    char text[TRIB_NAME_TEXT];
    return trib_torchvision_dialect.file_name(canonical, text);
}

TEST(Names, GoTogether)
{
    EXPECT_EQ(torchvision("conv1/7x7_s2.weight"), "conv1.conv.weight");
    EXPECT_EQ(torchvision("conv2/3x3/bn.running_mean"), "conv3.bn.running_mean");
    EXPECT_EQ(torchvision("inception_3a/3x3_reduce.weight"), "inception3a.branch2.0.conv.weight");
    EXPECT_EQ(torchvision("inception_5b/5x5/bn.bias"), "inception5b.branch3.1.bn.bias");
    EXPECT_EQ(torchvision("inception_4e/pool_proj/bn.running_var"), "inception4e.branch4.1.bn.running_var");
    EXPECT_EQ(torchvision("loss1/fc.weight"), "aux1.fc1.weight");
    EXPECT_EQ(torchvision("loss2/conv/bn.weight"), "aux2.conv.bn.weight");
    EXPECT_EQ(torchvision("loss3/classifier.bias"), "fc.bias");
}

TEST(Names, OthersAreLeftAlone)
{
    for (const char *name : { "", "conv9.weight", "inception_3a/7x7.weight", "inception_3a.weight", "/bn.weight",
                              "inception_3a//bn.weight", "inception_3a/bn.weight", "no_leaf" })
        EXPECT_EQ(torchvision(name), name);
    EXPECT_EQ(torchvision(std::string(500, 'x').c_str()).size(), std::size_t(TRIB_NAME_TEXT - 1));
}

TEST(Names, PrefixesComeOff)
{
    EXPECT_STREQ(trib_bare_name("fc.weight"), "fc.weight");
    EXPECT_STREQ(trib_bare_name("module.fc.weight"), "fc.weight");
    EXPECT_STREQ(trib_bare_name("_orig_mod.module._orig_mod.module.fc.weight"), "fc.weight");
    EXPECT_STREQ(trib_bare_name("modules.fc.weight"), "modules.fc.weight");
    EXPECT_STREQ(trib_bare_name("module."), "");
}

TEST(Names, OnlyAuxiliaryClassifiersMayBeOfNoUse)
{
    trib_network_spec net = {};
    for (const trib_network *variant : { support::bvlc, support::torchvision })
        for (bool aux : { false, true }) {
            net.network = variant, net.aux = aux;
            const char *name = variant == support::bvlc ? "module.loss1/fc.weight" : "module.aux2.fc1.weight";
            EXPECT_EQ(trib_network_uses(&net, trib_network_dialect(variant), name), aux);
            EXPECT_TRUE(trib_network_uses(&net, trib_network_dialect(variant), "fc.weight"));
            EXPECT_TRUE(trib_network_uses(&net, trib_network_dialect(variant), "what is this"));
            EXPECT_FALSE(trib_network_uses(&net, trib_network_dialect(variant), "training/momentum/fc.weight"));
        }
}

} // namespace

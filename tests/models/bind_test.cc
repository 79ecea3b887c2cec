// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "weights.h"

using namespace models;

namespace
{

const trib_network *const variants[] = { support::bvlc, support::torchvision };

// Small, so that tests are quick.
trib_network_spec small(const trib_network *variant, bool aux = false) { return network(variant, aux, 0, 0.125, 5); }

trib_shape shape(int rank, std::int64_t a = 0, std::int64_t b = 0, std::int64_t c = 0, std::int64_t d = 0)
{
    return trib_shape_of(rank, a, b, c, d);
}

TEST(Bind, EveryParameterGetsItsTensor)
{
    for (const trib_network *variant : variants)
        for (const char *prefix : { "", "module.", "_orig_mod.module." }) {
            Weights weights(small(variant, true), prefix);
            std::reverse(weights.tensors.begin(), weights.tensors.end()); // order does not matter
            std::vector<trib_tensor> parameters;
            ASSERT_OK(weights.bind(&parameters));
            for (std::size_t i = 0; i < parameters.size(); ++i) {
                const trib_tensor &wanted =
                    weights.tensors[weights.find(prefix + file_name(weights.graph.get(), variant, int(i)))];
                EXPECT_EQ(parameters[i].data, wanted.data);
                EXPECT_STREQ(parameters[i].name, trib_graph_parameter(weights.graph.get(), int(i))->name);
                EXPECT_TRUE(trib_shape_equal(&parameters[i].shape, &wanted.shape));
            }
        }
}

TEST(Bind, HalfPrecisionIsFine)
{
    Weights weights(small(support::torchvision));
    weights.remove("fc.weight");
    std::int64_t in = trib_graph_parameter(weights.graph.get(),
                                           trib_graph_find_parameter(weights.graph.get(), "loss3/classifier.weight"))
                          ->shape.dim[1];
    for (trib_dtype dtype : { TRIB_F16, TRIB_BF16 }) {
        weights.add("fc.weight", shape(2, 5, in), dtype);
        EXPECT_OK(weights.bind());
        weights.remove("fc.weight");
    }
}

TEST(Bind, MissingTensorsAreNamed)
{
    for (const char *name : { "conv1.conv.weight", "inception4c.branch2.1.bn.running_var", "fc.bias" }) {
        Weights weights(small(support::torchvision));
        weights.remove(name);
        EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, std::string(name) + " is missing");
    }
    Weights caffe(small(support::bvlc));
    caffe.remove("inception_3b/5x5.bias");
    EXPECT_FAILS(caffe.bind(), TRIB_BAD_DATA, "inception_3b/5x5.bias is missing");
}

TEST(Bind, AllParametersAreNeeded)
{
    Weights weights(small(support::torchvision, true));
    for (std::size_t i = 0; i < weights.tensors.size(); ++i) {
        trib_tensor kept = weights.tensors[i];
        weights.tensors.erase(weights.tensors.begin() + std::ptrdiff_t(i));
        EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, kept.name);
        weights.tensors.insert(weights.tensors.begin() + std::ptrdiff_t(i), kept);
    }
    EXPECT_OK(weights.bind());
}

TEST(Bind, LeftOverTensorsAreNamedAndCounted)
{
    Weights weights(small(support::torchvision));
    weights.add("module.layer9.weight", shape(1, 4));
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA,
                 "module.layer9.weight is not part of googlenet-torchvision (1 such tensor");
    weights.add("zzz", shape(1, 4));
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "layer9.weight is not part of googlenet-torchvision (2 such tensors");
}

TEST(Bind, CountersAndUnwantedHeadsAreLeftOut)
{
    for (const trib_network *variant : variants) {
        Weights with(small(variant, true)), without(small(variant, false));
        std::vector<trib_tensor> parameters(with.tensors.size());
        EXPECT_OK(trib_network_bind(&without.net, without.graph.get(), trib_network_dialect(variant),
                                    with.tensors.data(), int(with.tensors.size()), parameters.data()));
        EXPECT_FAILS(trib_network_bind(&with.net, with.graph.get(), trib_network_dialect(variant),
                                       without.tensors.data(), int(without.tensors.size()), parameters.data()),
                     TRIB_BAD_DATA, "auxiliary classifiers can be left out");
    }
    Weights weights(small(support::torchvision));
    weights.add("conv1.bn.num_batches_tracked", shape(0), TRIB_I64);
    weights.add("training/momentum/aux1.fc1.weight", shape(0), TRIB_F64);
    EXPECT_OK(weights.bind());
}

TEST(Bind, StrangersInTheHeadsOfAGraphThatHasThem)
{
    Weights weights(small(support::torchvision, true));
    weights.add("aux1.fc3.weight", shape(1, 4));
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "aux1.fc3.weight is not part");
}

TEST(Bind, ShapesMustBeEqual)
{
    for (const trib_shape &wrong : { shape(4, 24, 8, 3, 5), shape(3, 24, 8, 9), shape(2, 24, 72), shape(0) }) {
        Weights weights(small(support::torchvision));
        weights.remove("conv3.conv.weight");
        weights.add("conv3.conv.weight", wrong);
        char text[TRIB_SHAPE_TEXT];
        EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA,
                     std::string("conv3.conv.weight has shape ") + trib_shape_text(&wrong, text) +
                         " where the network has [24, 8, 3, 3]");
    }
}

TEST(Bind, IntegersAreNoWeights)
{
    for (trib_dtype dtype : { TRIB_I64, TRIB_U8 }) {
        Weights weights(small(support::bvlc));
        weights.remove("loss3/classifier.bias");
        weights.add("loss3/classifier.bias", shape(1, 5), dtype);
        EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, std::string("loss3/classifier.bias is ") + trib_dtype_name(dtype));
    }
}

TEST(Bind, ValuesMustBeFinite)
{
    const float infinity = std::numeric_limits<float>::infinity();
    for (float bad : { std::nanf(""), infinity, -infinity }) {
        Weights weights(small(support::torchvision));
        weights.set("inception5b.branch4.1.bn.bias", 3, bad);
        EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "inception5b.branch4.1.bn.bias: element 3 is not a finite number");
    }
}

TEST(Bind, VariancesAreNotNegative)
{
    Weights weights(small(support::torchvision));
    weights.set("conv2.bn.running_mean", 1, -2);
    weights.set("conv2.bn.running_var", 1, 0);
    EXPECT_OK(weights.bind());
    weights.set("conv2.bn.running_var", 1, -0.25f);
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "conv2.bn.running_var: element 1 is -0.25");
}

TEST(Bind, OneNameTwiceIsRefused)
{
    Weights weights(small(support::torchvision));
    weights.add("module.fc.bias", shape(1, 5));
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "same name");
}

TEST(Bind, FailureLeavesParametersAlone)
{
    Weights weights(small(support::bvlc));
    weights.remove("loss3/classifier.bias");
    std::vector<trib_tensor> parameters;
    trib_status status = weights.bind(&parameters);
    EXPECT_EQ(status.code, TRIB_BAD_DATA);
    for (const trib_tensor &parameter : parameters) EXPECT_EQ(parameter.data, nullptr);
}

TEST(Bind, NothingAtAll)
{
    Weights weights(small(support::bvlc));
    weights.tensors.clear();
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "conv1/7x7_s2.weight is missing");
}

TEST(Bind, LongNamesAreCutInMessages)
{
    Weights weights(small(support::bvlc));
    weights.add(std::string(5000, 'x'), shape(1, 4));
    EXPECT_FAILS(weights.bind(), TRIB_BAD_DATA, "x is not part of googlenet-bvlc");
}

} // namespace

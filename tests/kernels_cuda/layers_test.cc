// SPDX-License-Identifier: Apache-2.0
// Every kernel of the table on what plans give it to do (benches/kernels/layers.h): on the emulation, and on a GPU if
// there is one.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "checker.h"
#include "device.h"
#include "kernel_bench/layers.h"

namespace
{

// Kernels that no plan uses yet, and why; a kernel that a plan uses must not be here.
const char training[] = "only plans for training use it; the layers are those of inference";
const std::map<std::string, std::string> without_layers = {
    { "batch_statistics", training },
    { "batch_norm_backward", training },
    { "batch_norm_backward_in_place", training },
    { "relu_backward", training },
    { "relu_backward_in_place", training },
    { "relu_backward_without_bias", training },
    { "bias_backward", training },
    { "lrn_backward", training },
    { "max_pool2d_indexed", training },
    { "max_pool2d_backward", training },
    { "max_pool2d_backward_accumulated", training },
    { "avg_pool2d_backward", training },
    { "avg_pool2d_backward_accumulated", training },
    { "adaptive_avg_pool2d_backward", training },
    { "adaptive_avg_pool2d_backward_accumulated", training },
    { "dropout", training },
    { "dropout_in_place", training },
    { "cross_entropy", training },
    { "sgd", training },
    { "moving_average", training },
};

class KernelLayers : public testing::TestWithParam<const trib_kernel *>
{
};

std::vector<const trib_kernel *> kernels()
{
    std::vector<const trib_kernel *> all;
    for (int i = 0; const trib_kernel *kernel = trib_kernel_at(i); ++i) all.push_back(kernel);
    return all;
}

TEST_P(KernelLayers, AreRight)
{
    if (!device::missing().empty()) GTEST_SKIP() << device::missing();
    for (const bench_layer &layer : Layers(1)) {
        if (layer.kernel != GetParam()) continue;
        const std::string wrong = checker::check(*layer.kernel, layer.problem, layer.dtype, {});
        EXPECT_TRUE(wrong.empty()) << layer.name << ": " << wrong;
    }
}

INSTANTIATE_TEST_SUITE_P(All, KernelLayers, testing::ValuesIn(kernels()),
                         [](const auto &info) { return std::string(info.param->name); });

TEST(Layers, EveryKernelHasSome)
{
    std::set<std::string> used;
    for (const bench_layer &layer : Layers(1)) used.insert(layer.kernel->name);
    for (const trib_kernel *kernel : kernels())
        EXPECT_NE(used.count(kernel->name), without_layers.count(kernel->name))
            << kernel->name
            << ": have a plan use it (recipes in benches/kernels/layers.c), or state here why none does";
    for (const auto &[name, why] : without_layers) EXPECT_FALSE(why.empty()) << name;
}

// No shape twice, also of several batches; and each with the name of its op.
TEST(Layers, AreDifferent)
{
    Layers layers(1);
    layers.add(2);
    std::set<std::string> shapes;
    for (const bench_layer &layer : layers) {
        EXPECT_NE(layer.name[0], 0) << layer.kernel->name;
        EXPECT_TRUE(
            shapes
                .insert(std::string(layer.kernel->name) + " " + trib_dtype_name(layer.dtype) + " " + layer.problem.text)
                .second)
            << layer.kernel->name << " " << layer.problem.text;
    }
}

} // namespace

// SPDX-License-Identifier: Apache-2.0
// Every kernel of the table on what plans give it to do (benches/kernels/layers.h): on the emulation, and on a GPU if
// there is one.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "checker.h"
#include "device.h"
#include "kernel_bench/layers.h"
#include "support/form.h"

namespace
{

class KernelLayers : public testing::TestWithParam<const trib_kernel *>
{
};

std::vector<const trib_kernel *> kernels()
{
    std::vector<const trib_kernel *> all;
    for (int i = 0; const trib_kernel *kernel = trib_kernel_at(i); ++i) all.push_back(kernel);
    return all;
}

std::int64_t elements(const trib_kernel_problem &problem)
{
    std::int64_t sum = 0;
    for (int i = 0; i < problem.input_count; ++i) sum += problem.inputs[i].rows * problem.inputs[i].c;
    for (int i = 0; i < problem.output_count; ++i) sum += problem.outputs[i].rows * problem.outputs[i].c;
    return sum;
}

// Larger ones (updates of all parameters at once), and training in 16 bits, only in the long form: edges are checked in
// both, in every type. Here each kernel has a layer at least.
constexpr std::int64_t many_elements = 10'000'000;

bool is_long(const bench_layer &layer)
{
    const bool has_float = layer.kernel->dtypes >> TRIB_F32 & 1u;
    return elements(layer.problem) > many_elements || (layer.training && has_float && layer.dtype != TRIB_F32);
}

TEST_P(KernelLayers, AreRight)
{
    if (!device::missing().empty()) GTEST_SKIP() << device::missing();
    for (const bench_layer &layer : Layers(1)) {
        if (layer.kernel != GetParam()) continue;
        if (!support::long_form() && is_long(layer)) continue;
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
        EXPECT_TRUE(used.count(kernel->name))
            << kernel->name << ": have a plan use it (recipes in benches/kernels/layers.c)";
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

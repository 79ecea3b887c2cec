// SPDX-License-Identifier: Apache-2.0
// Batch norm folded into a slice of a joined weight: the bits of the reference, on every device.
#include <cmath>
#include <cstring>

#include "conformance/op_run.h"

using namespace conformance;

namespace
{

class Folds : public DeviceTest
{
};

trib_op_desc fold_desc(int k, int h, int w, bool weight, bool bias, int offset, int total)
{
    trib_op_desc d = {};
    d.kind = TRIB_FOLD;
    d.attributes.fold = { weight, bias, 1e-3f };
    if (weight) d.inputs[d.input_count++] = dense_view(TRIB_NCHW, 1, k, h, w);
    for (int i = 0; i < 4 + bias; ++i) d.inputs[d.input_count++] = dense_view(TRIB_NCHW, 1, k, 1, 1);
    d.output_count = 2;
    d.outputs[0] = dense_view(TRIB_NCHW, 1, k, weight ? h : 1, weight ? w : 1);
    d.outputs[1] = dense_view(TRIB_NCHW, 1, k, 1, 1);
    for (trib_view *y : { &d.outputs[0], &d.outputs[1] }) y->c_offset = offset, y->c_total = total;
    return d;
}

// The bits of the reference, on every device: packed parameters must not depend on who packs them.
TEST_P(Folds, BatchNormIsFoldedAsTheReferenceDoes)
{
    Generator random(3);
    Stream s = stream(1);
    for (bool with_weight : { true, false })
        for (bool with_bias : { true, false }) {
            const int k = 7, row = with_weight ? 15 : 1;
            const trib_op_desc d = fold_desc(k, 5, 3, with_weight, with_bias, 2, 11);
            std::vector<Values> x;
            for (int i = 0; i < d.input_count; ++i) x.push_back(random.values(i == 0 && with_weight ? k * row : k));
            for (float &variance : x.back()) variance = std::fabs(variance);
            Values weight(std::size_t(k * row)), bias(k);
            const trib_fold_geometry g = { k, row, 1e-3f };
            trib_fold_inputs in = {};
            std::size_t next = 0;
            if (with_weight) in.weight = x[next++].data();
            if (with_bias) in.bias = x[next++].data();
            in.bn_weight = x[next].data(), in.bn_bias = x[next + 1].data();
            in.mean = x[next + 2].data(), in.var = x[next + 3].data();
            trib_ref_fold_batch_norm(&g, &in, weight.data(), bias.data());
            trib_implementation all[8];
            int count = 0;
            ASSERT_OK(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr));
            ASSERT_GT(count, 0);
            for (int i = 0; i < count; ++i) {
                SCOPED_TRACE(all[i].name);
                EXPECT_EQ(all[i].packed_bytes, 0);
                std::vector<Memory> memory;
                const void *inputs[TRIB_MAX_INPUTS] = {};
                for (std::size_t v = 0; v < x.size(); ++v) {
                    memory.push_back(alloc(s, x[v].size() * sizeof(float)));
                    inputs[v] = memory.back().get();
                    ASSERT_OK(
                        trib_copy_to_device(s.get(), memory.back().get(), x[v].data(), x[v].size() * sizeof(float)));
                }
                const float canary = canary_of(TRIB_F32);
                std::vector<float> joined(std::size_t(11 * row), canary), biases(11, canary);
                Memory w = alloc(s, joined.size() * sizeof(float)), b = alloc(s, biases.size() * sizeof(float));
                ASSERT_OK(trib_copy_to_device(s.get(), w.get(), joined.data(), joined.size() * sizeof(float)));
                ASSERT_OK(trib_copy_to_device(s.get(), b.get(), biases.data(), biases.size() * sizeof(float)));
                void *outputs[] = { w.floats() + 2 * row, b.floats() + 2 };
                trib_op_handle *made = nullptr;
                ASSERT_OK(trib_op_create(device(), &d, all[i].name, &made));
                Op op(made);
                ASSERT_OK(trib_op_run(made, s.get(), inputs, outputs, nullptr, nullptr));
                ASSERT_OK(trib_copy_to_host(s.get(), joined.data(), w.get(), joined.size() * sizeof(float)));
                ASSERT_OK(trib_copy_to_host(s.get(), biases.data(), b.get(), biases.size() * sizeof(float)));
                ASSERT_OK(trib_stream_synchronize(s.get()));
                std::vector<float> wanted(joined.size(), canary), wanted_biases(11, canary);
                std::copy(weight.begin(), weight.end(), wanted.begin() + 2 * row);
                std::copy(bias.begin(), bias.end(), wanted_biases.begin() + 2);
                EXPECT_EQ(joined, wanted);
                EXPECT_EQ(biases, wanted_biases);
            }
        }
}

TEST_P(Folds, FoldsThatDoNotFitAreRefused)
{
    const std::vector<std::pair<const char *, std::function<void(trib_op_desc &)>>> mutations = {
        { "eps", [](trib_op_desc &d) { d.attributes.fold.eps = 0; } },
        { "6 inputs instead of 5", [](trib_op_desc &d) { d.attributes.fold.bias = false; } },
        { "inputs", [](trib_op_desc &d) { d.input_count = 3; } },
        { "outputs", [](trib_op_desc &d) { d.output_count = 1; } },
        { "input 2", [](trib_op_desc &d) { d.inputs[2].c = d.inputs[2].c_total = 6; } },
        { "input 0", [](trib_op_desc &d) { d.inputs[0].h = 4; } },
        { "input 1", [](trib_op_desc &d) { d.inputs[1].w = 2; } },
        { "outputs of", [](trib_op_desc &d) { d.outputs[1].c = 6; } },
        { "outputs of", [](trib_op_desc &d) { d.outputs[0].layout = TRIB_NHWC; } },
        { "kind", [](trib_op_desc &d) { d.kind = TRIB_PACK, d.input_count = 2, d.output_count = 1; } },
    };
    for (const auto &mutation : mutations) {
        trib_op_desc d = fold_desc(7, 5, 3, true, true, 2, 11);
        mutation.second(d);
        trib_implementation all[8];
        int count = 0;
        EXPECT_FAILS(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr), TRIB_INVALID_ARGUMENT,
                     mutation.first);
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Folds); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, Folds, testing::ValuesIn(computing_devices()), test_name);

} // namespace

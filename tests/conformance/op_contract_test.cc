// SPDX-License-Identifier: Apache-2.0
// What every device does with ops beside computing: nonsense is refused and not run, handles outlive their owners.
#include <cmath>
#include <cstring>

#include "conformance/op_run.h"

using namespace conformance;

namespace
{

class OpContract : public DeviceTest
{
};

TEST_P(OpContract, NonsenseIsRefused)
{
    const trib_layout best = info().layouts[0];
    const trib_op_desc good = conv_desc(best, best, 1, 32, 8, 32, 3, 1, 1);
    const int block = trib_layout_block(best);
    std::vector<std::pair<const char *, std::function<void(trib_op_desc &)>>> mutations = {
        { "kind", [](trib_op_desc &d) { d.kind = trib_kind(77); } },
        { "kind", [](trib_op_desc &d) { d.kind = TRIB_INPUT; } },
        { "kind", [](trib_op_desc &d) { d.kind = TRIB_DROPOUT; } },
        { "inputs", [](trib_op_desc &d) { d.input_count = 0; } },
        { "inputs", [](trib_op_desc &d) { d.input_count = 9; } },
        { "outputs", [](trib_op_desc &d) { d.output_count = 5; } },
        { "extent", [](trib_op_desc &d) { d.output_count = 2; } }, // the second one is nothing
        { "outputs", [](trib_op_desc &d) { d.kind = TRIB_RELU, d.output_count = 2; } },
        { "precision", [](trib_op_desc &d) { d.precision = trib_precision(4); } },
        { "dtype", [](trib_op_desc &d) { d.inputs[0].dtype = trib_dtype(99); } },
        { "f16 where f32", [](trib_op_desc &d) { d.inputs[0].dtype = TRIB_F16; } },
        { "u8", [](trib_op_desc &d) { d.outputs[0].dtype = TRIB_U8; } },
        { "layout", [](trib_op_desc &d) { d.inputs[0].layout = trib_layout(9); } },
        { "extent", [](trib_op_desc &d) { d.inputs[0].h = 0; } },
        { "extent", [](trib_op_desc &d) { d.outputs[0].w = -3; } },
        { "too large", [](trib_op_desc &d) { d.inputs[0].h = d.inputs[0].w = d.inputs[0].n = 2000000000; } },
        { "images", [](trib_op_desc &d) { d.inputs[0].n = 2; } },
        { "channels", [](trib_op_desc &d) { d.inputs[0].c_offset = 1 << 30; } },
        { "channels", [](trib_op_desc &d) { d.outputs[0].c_offset = -16; } },
        { "channels", [](trib_op_desc &d) { d.attributes.conv2d.k = 31; } },
        { "where its input gives", [](trib_op_desc &d) { d.attributes.conv2d.pad.left = 2; } },
        { "window", [](trib_op_desc &d) { d.attributes.conv2d.r = 0; } },
        { "window", [](trib_op_desc &d) { d.attributes.conv2d.s = 1 << 30; } },
        { "strides", [](trib_op_desc &d) { d.attributes.conv2d.stride_h = -1; } },
        { "strides", [](trib_op_desc &d) { d.attributes.conv2d.stride_w = 0; } },
        { "prologue", [](trib_op_desc &d) { d.before.kind = TRIB_SOFTMAX; } },
        { "epilogue", [](trib_op_desc &d) { d.after.kind = TRIB_MAX_POOL2D; } },
        { "prologue", [](trib_op_desc &d) { d.before.kind = trib_kind(77); } },
        { "prologue max_pool2d: a window",
          [](trib_op_desc &d) {
              d.before.kind = TRIB_MAX_POOL2D;
              d.before.attributes.pool2d = {};
          } },
        { "padding", [](trib_op_desc &d) { d.attributes.conv2d.pad.top = -1; } },
        { "threads", [](trib_op_desc &d) { d.threads = -2; } },
        { "padding",
          [](trib_op_desc &d) {
              d.kind = TRIB_MAX_POOL2D;
              d.attributes.pool2d = { 3, 3, 1, 1, { 3, 1, 1, 1 }, false };
          } },
        { "not finite",
          [](trib_op_desc &d) {
              d.kind = TRIB_LRN;
              d.attributes.lrn = { 5, NAN, 0.75f, 1 };
          } },
        { "1x1", [](trib_op_desc &d) { d.kind = TRIB_SOFTMAX; } },
        { "an output of 0x0",
          [](trib_op_desc &d) {
              d.kind = TRIB_ADAPTIVE_AVG_POOL2D;
              d.attributes.adaptive_pool2d = { 0, 0 };
          } },
    };
    if (block > 1) {
        mutations.push_back(
            { "blocks", [](trib_op_desc &d) { d.outputs[0].c_offset = 1, d.outputs[0].c_total = 64; } });
        mutations.push_back({ "blocks", [](trib_op_desc &d) {
                                 d.outputs[0].c = d.attributes.conv2d.k = 20;
                                 d.outputs[0].c_total = 32;
                             } });
    }
    trib_implementation all[8];
    int count = 0;
    for (const auto &mutation : mutations) {
        trib_op_desc d = good;
        mutation.second(d);
        EXPECT_FAILS(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr), TRIB_INVALID_ARGUMENT,
                     mutation.first);
        trib_op_handle *op = nullptr;
        EXPECT_FAILS(trib_op_create(device(), &d, "reference", &op), TRIB_INVALID_ARGUMENT, mutation.first);
        EXPECT_EQ(op, nullptr);
    }
}

TEST_P(OpContract, MissingParametersAndUnknownNamesAreRefused)
{
    const trib_layout best = info().layouts[0];
    trib_op_desc d = conv_desc(best, best, 1, 32, 8, 32, 3, 1, 1);
    d.threads = 1;
    trib_op_handle *made = nullptr;
    EXPECT_FAILS(trib_op_create(device(), &d, "magic", &made), TRIB_UNSUPPORTED, "magic");
    EXPECT_FAILS(trib_op_create(device(), &d, "native", &made), TRIB_UNSUPPORTED, "native");
    EXPECT_EQ(made, nullptr);
    trib_implementation all[8];
    int count = 0;
    ASSERT_OK(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr));
    ASSERT_GT(count, 0);
    ASSERT_OK(trib_op_create(device(), &d, all[0].name, &made));
    Op op(made);
    Stream s = stream(1);
    Memory weight = alloc(s, 32 * 32 * 9 * sizeof(float)), bias = alloc(s, 32 * sizeof(float)),
           packed = alloc(s, std::size_t(all[0].packed_bytes)), scratch = alloc(s, std::size_t(all[0].packing_bytes)),
           x = alloc(s, 32 * 64 * sizeof(float)), y = alloc(s, 32 * 64 * sizeof(float)),
           workspace = alloc(s, std::size_t(all[0].workspace_bytes));
    const trib_op_parameters good = { weight.floats(), bias.floats(), 0 };
    const auto refused = [&](trib_op_parameters parameters, void *to, void *between, const char *why) {
        EXPECT_FAILS(trib_op_pack(op.get(), s.get(), &parameters, to, between), TRIB_INVALID_ARGUMENT, why);
    };
    refused({ nullptr, bias.floats(), 0 }, packed.get(), scratch.get(), "weight");
    refused({ weight.floats(), nullptr, 0 }, packed.get(), scratch.get(), "bias");
    refused({ weight.floats(), bias.floats(), 33 }, packed.get(), scratch.get(), "33 channels for an input of 32");
    refused({ weight.floats(), bias.floats(), -1 }, packed.get(), scratch.get(), "-1 channels");
    refused(good, nullptr, scratch.get(), "memory for packed parameters");
    if (all[0].packing_bytes) refused(good, packed.get(), nullptr, "a workspace to pack its parameters");
    EXPECT_FAILS(trib_op_pack(op.get(), s.get(), nullptr, packed.get(), scratch.get()), TRIB_INVALID_ARGUMENT, "NULL");
    const void *inputs[] = { x.get() };
    void *outputs[] = { y.get() };
    EXPECT_FAILS(trib_op_run(op.get(), s.get(), inputs, outputs, nullptr, workspace.get()), TRIB_INVALID_ARGUMENT,
                 "conv2d: it needs packed parameters");
    d = {};
    d.kind = TRIB_RELU;
    d.input_count = d.output_count = 1;
    d.inputs[0] = d.outputs[0] = dense_view(best, 1, 32, 8, 8);
    d.threads = 1;
    ASSERT_OK(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr));
    ASSERT_GT(count, 0);
    ASSERT_OK(trib_op_create(device(), &d, all[0].name, &made));
    op.reset(made);
    refused(good, packed.get(), scratch.get(), "relu: it has no parameters to pack");
}

// An image is padded with channels of zeros where a device likes that; its weights are not.
TEST_P(OpContract, WeightsMayHaveFewerChannelsThanTheInput)
{
    const trib_layout best = info().layouts[0];
    for (int taps : { 1, 3 }) {
        OpCase op;
        op.desc = conv_desc(best, best, 2, 8, 6, 16, taps, 1, taps / 2);
        op.desc.threads = 1;
        op.weight_channels = 3;
        std::mt19937 random(7);
        std::uniform_real_distribution<float> uniform(-1, 1);
        Values x(2 * 36 * 8), whole(16 * 8 * std::size_t(taps * taps));
        for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 8 < 3 ? uniform(random) : 0;
        op.bias = Values(16, 0.25f);
        for (std::size_t i = 0; i < whole.size(); ++i) {
            if (int(i) / (taps * taps) % 8 >= 3) continue;
            whole[i] = uniform(random);
            op.weight.push_back(whole[i]);
        }
        op.inputs.push_back(x);
        OpCase padded = op;
        padded.weight = whole;
        op.expected = reference(padded);
        trib_implementation all[8];
        int count = 0;
        ASSERT_OK(trib_op_implementations(device(), &op.desc, true, all, 8, &count, nullptr));
        ASSERT_GT(count, 0);
        for (int i = 0; i < count; ++i) {
            SCOPED_TRACE(all[i].name);
            const std::vector<float> whole = run_op(device(), op, all[i].name, 1).at(0);
            EXPECT_TRUE(close_to(unpack(op.desc.outputs[0], whole), op.expected[0], tolerance_of(TRIB_PRECISION_FP32)));
        }
    }
}

// A handle is used from several streams at once and may be destroyed while its work is queued.
TEST_P(OpContract, OneHandleRunsOnSeveralStreamsAndOutlivesItsOwner)
{
    const trib_layout best = info().layouts[0];
    trib_op_desc d = conv_desc(best, best, 1, 32, 14, 32, 3, 1, 1);
    d.threads = 1;
    trib_implementation all[8];
    int count = 0;
    ASSERT_OK(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr));
    ASSERT_GT(count, 0);
    std::vector<float> weight(32 * 32 * 9, 0.01f), bias(32, 0.5f), x(32 * 14 * 14, 1.0f);
    trib_op_handle *made = nullptr;
    ASSERT_OK(trib_op_create(device(), &d, all[0].name, &made));
    Op op(made);
    Stream packing = stream(1);
    Memory packed = alloc(packing, std::size_t(all[0].packed_bytes));
    {
        Memory w = alloc(packing, weight.size() * sizeof(float)), b = alloc(packing, bias.size() * sizeof(float)),
               scratch = alloc(packing, std::size_t(all[0].packing_bytes));
        ASSERT_OK(trib_copy_to_device(packing.get(), w.get(), weight.data(), weight.size() * sizeof(float)));
        ASSERT_OK(trib_copy_to_device(packing.get(), b.get(), bias.data(), bias.size() * sizeof(float)));
        trib_op_parameters parameters = { w.floats(), b.floats(), 0 };
        ASSERT_OK(trib_op_pack(op.get(), packing.get(), &parameters, packed.get(), scratch.get()));
    } // freed in stream order: what was packed does not need them
    ASSERT_OK(trib_stream_synchronize(packing.get()));
    const std::size_t bytes = x.size() * sizeof(float);
    std::vector<Stream> streams;
    std::vector<Memory> memory;
    std::vector<std::vector<float>> results(4, std::vector<float>(x.size()));
    for (std::size_t i = 0; i < 4; ++i) {
        streams.push_back(stream(1));
        const Stream &s = streams.back();
        memory.push_back(alloc(s, bytes));
        memory.push_back(alloc(s, bytes));
        memory.push_back(alloc(s, std::size_t(all[0].workspace_bytes)));
        const void *inputs[] = { memory[3 * i].get() };
        void *outputs[] = { memory[3 * i + 1].get() };
        ASSERT_OK(trib_copy_to_device(s.get(), memory[3 * i].get(), x.data(), bytes));
        for (int k = 0; k < 50; ++k)
            ASSERT_OK(trib_op_run(op.get(), s.get(), inputs, outputs, packed.get(), memory[3 * i + 2].get()));
        ASSERT_OK(trib_copy_to_host(s.get(), results[i].data(), outputs[0], bytes));
    }
    op.reset();
    for (const Stream &s : streams) ASSERT_OK(trib_stream_synchronize(s.get()));
    const std::size_t pitch = best == TRIB_NHWC ? 32 : std::size_t(trib_layout_block(best));
    EXPECT_NEAR(results[0][(5 * 14 + 5) * pitch], 0.5 + 32 * 9 * 0.01, 1e-4);
    for (const std::vector<float> &r : results) EXPECT_EQ(r, results[0]);
    memory.clear();
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(OpContract); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, OpContract, testing::ValuesIn(computing_devices()), test_name);

} // namespace

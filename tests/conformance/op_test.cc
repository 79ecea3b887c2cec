// SPDX-License-Identifier: Apache-2.0
// Every kind of op, in every layout the device offers, with every implementation it offers, against the C reference.
#include <cmath>
#include <cstring>

#include "conformance/conformance.h"
#include "conformance/op_case.h"

using namespace conformance;

namespace
{

constexpr float canary = -12345.5f;

// One op on a device with everything it needs.
class OpRun
{
  public:
    OpRun(trib_device *device, const OpCase &op, const char *implementation, int threads)
        : device_(device), case_(op), desc_(op.desc)
    {
        desc_.threads = threads;
        implementation_ = implementation;
    }

    // The whole output tensor afterwards.
    std::vector<float> operator()()
    {
        trib_stream *made = nullptr;
        EXPECT_OK(trib_stream_create(device_, nullptr, &made));
        Stream stream(made);
        std::vector<Memory> memory;
        std::vector<std::vector<float>> sources;
        const void *inputs[TRIB_MAX_INPUTS] = {};
        for (int i = 0; i < desc_.input_count; ++i) {
            // A neighbour's NaN must not leak in either.
            sources.push_back(pack(desc_.inputs[i], case_.inputs[std::size_t(i)], NAN));
            memory.push_back(upload(stream, sources.back()));
            inputs[i] = slice(memory.back(), desc_.inputs[i]);
        }
        std::vector<float> target = pack(desc_.outputs[0], Values(case_.expected.size(), NAN), canary);
        poison_padding(target);
        Memory output = upload(stream, target);
        void *outputs[TRIB_MAX_OUTPUTS] = { slice(output, desc_.outputs[0]) };
        const trib_implementation offered = implementation();
        Memory workspace = alloc(stream, offered.workspace_bytes), packed = alloc(stream, offered.packed_bytes);
        trib_op_handle *handle = nullptr;
        EXPECT_OK(trib_op_create(device_, &desc_, implementation_.c_str(), &handle));
        Op op(handle);
        if (!op) return {};
        EXPECT_EQ(offered.packed_bytes > 0, !case_.weight.empty());
        if (offered.packed_bytes > 0) pack_parameters(op, stream, offered, packed);
        EXPECT_OK(trib_op_run(op.get(), stream.get(), inputs, outputs, packed.get(), workspace.get()));
        EXPECT_OK(trib_copy_to_host(stream.get(), target.data(), output.get(), target.size() * sizeof(float)));
        for (int i = 0; i < desc_.input_count; ++i)
            expect_untouched(stream, memory[std::size_t(i)], sources[std::size_t(i)]);
        EXPECT_OK(trib_stream_synchronize(stream.get()));
        return target;
    }

  private:
    // Into memory full of NaN: what is not written shows.
    void pack_parameters(const Op &op, const Stream &stream, const trib_implementation &offered, const Memory &packed)
    {
        Memory weight = upload(stream, case_.weight), bias, workspace;
        if (!case_.bias.empty()) bias = upload(stream, case_.bias);
        poison(stream, packed, offered.packed_bytes);
        workspace = alloc(stream, offered.packing_bytes);
        if (workspace.get()) poison(stream, workspace, offered.packing_bytes);
        trib_op_parameters parameters = { weight.floats(), bias.floats(), case_.weight_channels };
        EXPECT_OK(trib_op_pack(op.get(), stream.get(), &parameters, packed.get(), workspace.get()));
        expect_untouched(stream, weight, case_.weight);
    }
    Memory alloc(const Stream &stream, std::int64_t bytes)
    {
        return bytes > 0 ? Memory(device_, stream.get(), std::size_t(bytes)) : Memory();
    }
    void poison(const Stream &stream, const Memory &memory, std::int64_t bytes)
    {
        const std::vector<float> nans(std::size_t(bytes) / sizeof(float), NAN);
        EXPECT_OK(trib_copy_to_device(stream.get(), memory.get(), nans.data(), nans.size() * sizeof(float)));
        EXPECT_OK(trib_stream_synchronize(stream.get()));
    }
    Memory upload(const Stream &stream, const std::vector<float> &data)
    {
        Memory memory(device_, stream.get(), data.size() * sizeof(float));
        EXPECT_OK(trib_copy_to_device(stream.get(), memory.get(), data.data(), data.size() * sizeof(float)));
        EXPECT_OK(trib_stream_synchronize(stream.get()));
        return memory;
    }
    static char *slice(const Memory &memory, const trib_view &view)
    {
        return static_cast<char *>(memory.get()) + trib_view_offset(&view);
    }
    // Block padding of an output is the op's to write when its slice ends there.
    void poison_padding(std::vector<float> &whole) const
    {
        const trib_view &y = desc_.outputs[0];
        if (y.c_offset + y.c != y.c_total) return;
        for (float &value : whole)
            if (value == 0) value = NAN;
    }
    trib_implementation implementation() const
    {
        trib_implementation all[8];
        int count = 0;
        EXPECT_OK(trib_op_implementations(device_, &desc_, true, all, 8, &count, nullptr));
        for (int i = 0; i < count; ++i)
            if (implementation_ == all[i].name) return all[i];
        ADD_FAILURE() << implementation_ << " is not offered for another number of threads";
        return {};
    }
    void expect_untouched(const Stream &stream, const Memory &memory, const std::vector<float> &source)
    {
        std::vector<float> now(source.size());
        EXPECT_OK(trib_copy_to_host(stream.get(), now.data(), memory.get(), now.size() * sizeof(float)));
        EXPECT_OK(trib_stream_synchronize(stream.get()));
        EXPECT_EQ(std::memcmp(now.data(), source.data(), now.size() * sizeof(float)), 0) << "an input was written to";
    }

    trib_device *device_;
    const OpCase &case_;
    trib_op_desc desc_;
    std::string implementation_;
};

// Written so that NaN fails.
testing::AssertionResult close_to(const Values &seen, const Values &expected, double tolerance)
{
    if (seen.size() != expected.size()) return testing::AssertionFailure() << seen.size() << " values";
    for (std::size_t i = 0; i < seen.size(); ++i)
        if (!(std::fabs(double(seen[i]) - expected[i]) <= tolerance * (1 + std::fabs(expected[i]))))
            return testing::AssertionFailure() << "value " << i << " is " << seen[i] << ", not " << expected[i];
    return testing::AssertionSuccess();
}

class Ops : public DeviceTest
{
  protected:
    void check(trib_kind kind, trib_layout source, trib_layout target, unsigned seed);
    void check(const OpCase &op, bool usual);
    void check_pooled(trib_kind pool);
    void check_all_layouts(trib_kind kind, int rounds);
    bool has_library() const { return std::strstr(info().library, "without") == nullptr; }
    int runs_ = 0;
};

// Slices begin where the device's libraries can reach them: what a network's own shapes always do.
bool begins_well(const trib_device_info &info, const trib_view &v) { return v.c_offset % info.channel_multiple == 0; }

// A linear layer reads whole images: where it cannot read a slice, a plan copies it first.
bool reads_well(const trib_device_info &info, const trib_op_desc &d)
{
    return info.host || d.kind != TRIB_LINEAR || d.inputs[0].c == d.inputs[0].c_total;
}

void Ops::check(trib_kind kind, trib_layout source, trib_layout target, unsigned seed)
{
    SCOPED_TRACE("seed " + std::to_string(seed));
    OpCase op = Generator(seed).make(kind, source, target);
    check(op, source == target && source == info().layouts[0] && begins_well(info(), op.desc.inputs[0]) &&
                  begins_well(info(), op.desc.outputs[0]) && reads_well(info(), op.desc));
}

void Ops::check(const OpCase &op, bool usual)
{
    SCOPED_TRACE(describe(op.desc));
    trib_implementation all[8];
    int count = 0;
    char reason[TRIB_MESSAGE_SIZE] = "";
    ASSERT_OK(trib_op_implementations(device(), &op.desc, true, all, 8, &count, reason));
    ASSERT_EQ(count == 0, reason[0] != '\0') << "a reason is given exactly when there is no implementation";
    bool fast = false;
    for (int i = 0; i < count; ++i) {
        SCOPED_TRACE(all[i].name);
        fast = fast || std::strcmp(all[i].name, "reference");
        std::vector<float> one = OpRun(device(), op, all[i].name, 1)();
        if (one.empty()) return;
        EXPECT_TRUE(close_to(unpack(op.desc.outputs[0], one), op.expected, 2e-5));
        // Neighbours keep their canaries and padding is zero: compare the tensor around the slice as a whole.
        std::vector<float> wanted = pack(op.desc.outputs[0], unpack(op.desc.outputs[0], one), canary);
        EXPECT_EQ(std::memcmp(one.data(), wanted.data(), one.size() * sizeof(float)), 0)
            << "a neighbour was written to or padding is not zero";
        std::vector<float> two = OpRun(device(), op, all[i].name, 2)();
        EXPECT_TRUE(one.size() == two.size() && !std::memcmp(one.data(), two.data(), one.size() * sizeof(float)))
            << "1 and 2 threads give different bits";
        ++runs_;
        if (HasFailure()) return;
    }
    EXPECT_TRUE(fast || !op.standard || !usual || !has_library()) << "only the reference: " << reason;
}

void Ops::check_all_layouts(trib_kind kind, int rounds)
{
    std::vector<std::pair<trib_layout, trib_layout>> pairs;
    for (int i = 0; i < info().layout_count; ++i) {
        trib_layout layout = info().layouts[i];
        pairs.emplace_back(layout, layout);
        if (kind == TRIB_CONV2D) pairs.emplace_back(TRIB_NCHW, layout);
        if (kind == TRIB_LINEAR || kind == TRIB_SOFTMAX) pairs.emplace_back(layout, TRIB_NCHW);
    }
    if (kind == TRIB_REORDER) {
        for (int i = 0; i < info().layout_count; ++i)
            for (trib_layout other : { TRIB_NCHW, TRIB_NHWC }) {
                pairs.emplace_back(other, info().layouts[i]);
                pairs.emplace_back(info().layouts[i], other);
            }
    }
    for (const auto &pair : pairs)
        for (int round = 0; round < rounds && !HasFailure(); ++round)
            check(kind, pair.first, pair.second, unsigned(1000 * kind + round));
    EXPECT_GT(runs_, 0);
    RecordProperty("runs", runs_);
}

// One op where the device has it as one, and a reason where it has not.
void Ops::check_pooled(trib_kind pool)
{
    for (unsigned seed = 0; seed < 40 && !HasFailure(); ++seed)
        check(Generator(seed).pooled(pool, info().layouts[0]), false);
    EXPECT_TRUE(info().host || runs_ > 0);
}

TEST_P(Ops, Conv2d) { check_all_layouts(TRIB_CONV2D, 100); }
TEST_P(Ops, MaxPool2d) { check_all_layouts(TRIB_MAX_POOL2D, 40); }
TEST_P(Ops, AvgPool2d) { check_all_layouts(TRIB_AVG_POOL2D, 40); }
TEST_P(Ops, Conv2dOfMaxima) { check_pooled(TRIB_MAX_POOL2D); }
TEST_P(Ops, Conv2dOfAverages) { check_pooled(TRIB_AVG_POOL2D); }
TEST_P(Ops, AdaptiveAvgPool2d) { check_all_layouts(TRIB_ADAPTIVE_AVG_POOL2D, 40); }
TEST_P(Ops, Lrn) { check_all_layouts(TRIB_LRN, 40); }
TEST_P(Ops, BatchNorm) { check_all_layouts(TRIB_BATCH_NORM, 40); }
TEST_P(Ops, Relu) { check_all_layouts(TRIB_RELU, 40); }
TEST_P(Ops, Concat) { check_all_layouts(TRIB_CONCAT, 40); }
TEST_P(Ops, Linear) { check_all_layouts(TRIB_LINEAR, 40); }
TEST_P(Ops, Softmax) { check_all_layouts(TRIB_SOFTMAX, 40); }
TEST_P(Ops, Reorder) { check_all_layouts(TRIB_REORDER, 40); }

// ---- what a network needs: GoogLeNet's own shapes must be fast in the device's best layout ----

trib_view dense_view(trib_layout layout, int n, int c, int h, int w)
{
    trib_view v = {};
    v.layout = layout;
    v.n = n, v.c = v.c_total = c, v.h = h, v.w = w;
    return v;
}

trib_op_desc conv_desc(trib_layout source, trib_layout target, int n, int c, int h, int k, int r, int stride, int pad)
{
    trib_op_desc d = {};
    d.kind = TRIB_CONV2D;
    d.input_count = d.output_count = 1;
    d.attributes.conv2d = { k, r, r, stride, stride, { pad, pad, pad, pad }, false };
    int p = (h + 2 * pad - r) / stride + 1;
    d.inputs[0] = dense_view(source, n, c, h, h);
    d.outputs[0] = dense_view(target, n, k, p, p);
    d.has_bias = d.relu = true;
    return d;
}

TEST_P(Ops, ConvolutionsOfGoogLeNetAreFast)
{
    if (!has_library()) GTEST_SKIP() << info().library;
    const trib_layout best = info().layouts[0];
    const int shapes[][6] = { { 64, 56, 64, 1, 1, 0 }, { 64, 56, 192, 3, 1, 1 },  { 192, 28, 16, 1, 1, 0 },
                              { 16, 28, 32, 5, 1, 2 }, { 480, 14, 192, 1, 1, 0 }, { 512, 14, 24, 1, 1, 0 },
                              { 24, 14, 64, 5, 1, 2 }, { 832, 7, 384, 1, 1, 0 },  { 192, 7, 384, 3, 1, 1 } };
    for (int n : { 1, 8 })
        for (const auto &s : shapes) {
            trib_op_desc d = conv_desc(best, best, n, s[0], s[1], s[2], s[3], s[4], s[5]);
            trib_implementation all[8];
            int count = 0;
            char reason[TRIB_MESSAGE_SIZE];
            ASSERT_OK(trib_op_implementations(device(), &d, false, all, 8, &count, reason));
            EXPECT_GT(count, 0) << describe(d) << ": " << reason;
        }
}

TEST_P(Ops, TheFirstConvolutionIsFastFromSomePlainLayout)
{
    if (!has_library()) GTEST_SKIP() << info().library;
    int total = 0;
    for (trib_layout source : { TRIB_NCHW, TRIB_NHWC }) {
        trib_op_desc d = conv_desc(source, info().layouts[0], 1, 3, 224, 64, 7, 2, 3);
        trib_implementation all[8];
        int count = 0;
        char reason[TRIB_MESSAGE_SIZE];
        ASSERT_OK(trib_op_implementations(device(), &d, false, all, 8, &count, reason));
        EXPECT_EQ(count == 0, reason[0] != '\0') << reason;
        total += count;
    }
    EXPECT_GT(total, 0);
}

// Large enough that work is really divided among threads, in both orders of batch and slice.
TEST_P(Ops, LargeConvolutionsDoNotDependOnThreads)
{
    const trib_layout best = info().layouts[0];
    for (int n : { 1, 8 }) {
        OpCase op;
        op.desc = conv_desc(best, best, n, 64, 14, 96, 3, 1, 1);
        op.desc.outputs[0].c_offset = 32, op.desc.outputs[0].c_total = 160;
        std::mt19937 random(5);
        std::uniform_real_distribution<float> uniform(-1, 1);
        auto fill = [&](std::size_t count) {
            Values v(count);
            for (float &value : v) value = uniform(random);
            return v;
        };
        op.inputs.push_back(fill(std::size_t(n) * 64 * 14 * 14));
        op.weight = fill(96 * 64 * 9);
        for (float &value : op.weight) value *= 0.08f;
        op.bias = fill(96);
        op.expected = reference(op);
        trib_implementation all[8];
        int count = 0;
        ASSERT_OK(trib_op_implementations(device(), &op.desc, false, all, 8, &count, nullptr));
        for (int i = 0; i < count; ++i) {
            SCOPED_TRACE(all[i].name);
            std::vector<float> one = OpRun(device(), op, all[i].name, 1)(), two = OpRun(device(), op, all[i].name, 2)();
            EXPECT_TRUE(close_to(unpack(op.desc.outputs[0], one), op.expected, 2e-5));
            EXPECT_EQ(std::memcmp(one.data(), two.data(), one.size() * sizeof(float)), 0);
        }
    }
}

// ---- batch norm folded into a slice of a joined weight ----

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
TEST_P(Ops, BatchNormIsFoldedAsTheReferenceDoes)
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

TEST_P(Ops, FoldsThatDoNotFitAreRefused)
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

// ---- nonsense is refused, not run ----

TEST_P(Ops, NonsenseIsRefused)
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

TEST_P(Ops, MissingParametersAndUnknownNamesAreRefused)
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
TEST_P(Ops, WeightsMayHaveFewerChannelsThanTheInput)
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
            EXPECT_TRUE(close_to(unpack(op.desc.outputs[0], OpRun(device(), op, all[i].name, 1)()), op.expected, 2e-5));
        }
    }
}

// A handle is used from several streams at once and may be destroyed while its work is queued.
TEST_P(Ops, OneHandleRunsOnSeveralStreamsAndOutlivesItsOwner)
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

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Ops); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, Ops, testing::ValuesIn(computing_devices()), test_name);

} // namespace

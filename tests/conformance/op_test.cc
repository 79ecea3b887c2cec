// SPDX-License-Identifier: Apache-2.0
// Every kind of op, in every layout the device offers, with every implementation it offers, against the C reference.
#include <cmath>
#include <cstring>
#include <set>

#include "conformance/conformance.h"
#include "conformance/op_run.h"
#include "conformance/region_case.h"

using namespace conformance;

namespace
{

class Ops : public DeviceTest
{
  protected:
    void check(trib_kind kind, trib_layout source, trib_layout target, trib_precision precision, unsigned seed);
    void check(const OpCase &op, bool usual);
    void check_in_chunks(OpCase op, bool usual);
    void check_optional(const std::function<OpCase(Generator &)> &make);
    std::vector<trib_precision> precisions() const;
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

void Ops::check(trib_kind kind, trib_layout source, trib_layout target, trib_precision precision, unsigned seed)
{
    SCOPED_TRACE(std::string(trib_precision_name(precision)) + ", seed " + std::to_string(seed));
    OpCase op = Generator(seed).make(kind, source, target);
    if (precision != TRIB_PRECISION_FP32) op = in_precision(op, precision);
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
        const std::vector<std::vector<float>> one = run_op(device(), op, all[i].name, 1);
        EXPECT_TRUE(i > 0 || !one.empty()) << "what is ranked first is refused";
        if (one.empty()) continue;
        for (std::size_t y = 0; y < one.size(); ++y) expect_output(op, y, one[y]);
        const std::vector<std::vector<float>> two = run_op(device(), op, all[i].name, 2);
        EXPECT_TRUE(std::equal(one.begin(), one.end(), two.begin(), two.end(), same_bits))
            << "1 and 2 threads give different bits";
        ++runs_;
        if (HasFailure()) return;
    }
    EXPECT_TRUE(fast || !op.standard || !usual || !has_library()) << "only the reference: " << reason;
    check_in_chunks(op, usual);
}

// The same op computed image by image, by the threads of a team.
void Ops::check_in_chunks(OpCase op, bool usual)
{
    if (!info().host || op.desc.chunk || op.desc.inputs[0].n == 1) return;
    SCOPED_TRACE("in chunks");
    op.desc.chunk = 1;
    check(op, usual);
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
    for (trib_precision precision : precisions()) {
        const int before = runs_, some = precision == TRIB_PRECISION_FP32 ? rounds : rounds / 4;
        for (const auto &pair : pairs)
            for (int round = 0; round < some && !HasFailure(); ++round)
                check(kind, pair.first, pair.second, precision, unsigned(1000 * kind + round));
        EXPECT_GT(runs_, before) << trib_precision_name(precision);
    }
    RecordProperty("runs", runs_);
}

std::vector<trib_precision> Ops::precisions() const
{
    std::vector<trib_precision> all;
    for (int p = 0; p < TRIB_PRECISION_COUNT; ++p)
        if (info().precisions >> p & 1u) all.push_back(trib_precision(p));
    return all;
}

// Ops that a device may have, and must have on a GPU: in every precision, or a reason why not.
void Ops::check_optional(const std::function<OpCase(Generator &)> &make)
{
    for (trib_precision precision : precisions()) {
        const int before = runs_;
        for (unsigned seed = 0; seed < 40 && !HasFailure(); ++seed) {
            SCOPED_TRACE(std::string(trib_precision_name(precision)) + ", seed " + std::to_string(seed));
            Generator generator(seed);
            const OpCase op = make(generator);
            check(precision == TRIB_PRECISION_FP32 ? op : in_precision(op, precision), false);
        }
        EXPECT_TRUE(info().host || runs_ > before) << trib_precision_name(precision);
    }
}

TEST_P(Ops, Conv2d) { check_all_layouts(TRIB_CONV2D, 100); }
TEST_P(Ops, MaxPool2d) { check_all_layouts(TRIB_MAX_POOL2D, 40); }
TEST_P(Ops, AvgPool2d) { check_all_layouts(TRIB_AVG_POOL2D, 40); }
TEST_P(Ops, Conv2dOfMaxima)
{
    check_optional([&](Generator &g) { return g.pooled(TRIB_MAX_POOL2D, info().layouts[0]); });
}
TEST_P(Ops, Conv2dOfAverages)
{
    check_optional([&](Generator &g) { return g.pooled(TRIB_AVG_POOL2D, info().layouts[0]); });
}
TEST_P(Ops, MaxPool2dThenLrn)
{
    check_optional([&](Generator &g) { return g.pool_and_lrn(false, info().layouts[0]); });
}
TEST_P(Ops, LrnThenMaxPool2d)
{
    check_optional([&](Generator &g) { return g.pool_and_lrn(true, info().layouts[0]); });
}
TEST_P(Ops, SeveralConv2dOfOneImage)
{
    check_optional([&](Generator &g) { return g.convolutions(info().layouts[0]); });
}
TEST_P(Ops, TopK)
{
    check_optional([](Generator &g) { return g.top_k(); });
}
TEST_P(Ops, Preprocess)
{
    check_optional([](Generator &g) { return g.preprocess(); });
}
// Every device, in every precision: in the layouts of a caller's pixels, and in those it computes in, padded as it
// pads.
TEST_P(Ops, Regions)
{
    const RegionCases cases(device());
    std::set<trib_layout> layouts(info().layouts, info().layouts + info().layout_count);
    layouts.insert({ TRIB_NCHW, TRIB_NHWC });
    for (trib_precision precision : precisions())
        for (trib_layout layout : layouts)
            for (unsigned seed = 0; seed < 12 && !HasFailure(); ++seed) {
                const int before = runs_, padded = std::max(info().channel_multiple, 3);
                SCOPED_TRACE("seed " + std::to_string(seed));
                OpCase op = cases.make(seed, layout, trib_precision_dtype(precision), seed % 2 ? padded : 3);
                if (!info().host) op.desc.precision = precision;
                check(op, false);
                EXPECT_GT(runs_, before) << trib_layout_name(layout);
            }
}

// ... of the op that takes pixels where the device has that, and of the host's own normalisation elsewhere.
TEST_P(Ops, RegionsThatAreCopiesHaveTheBitsOfPixels)
{
    const RegionCases cases(device());
    for (trib_precision precision : precisions()) {
        const int n = 3, channels = info().normalises ? 8 : 3;
        const OpCase op = cases.copies(n, TRIB_NHWC, trib_precision_dtype(precision), channels);
        OpCase pixels = op;
        const std::vector<std::uint8_t> bytes = cases.whole(n);
        pixels.desc.kind = TRIB_PREPROCESS;
        pixels.desc.attributes.preprocess = op.desc.attributes.regions.normalise;
        pixels.desc.inputs[0] = dense_view(TRIB_NHWC, n, 3, op.desc.outputs[0].h, op.desc.outputs[0].w);
        pixels.desc.inputs[0].dtype = TRIB_U8;
        pixels.inputs[0] = Values(bytes.begin(), bytes.end());
        const auto first = [&](const OpCase &one) {
            trib_implementation best;
            int count = 0;
            EXPECT_OK(trib_op_implementations(device(), &one.desc, false, &best, 1, &count, nullptr));
            return count ? run_op(device(), one, best.name, 1).at(0) : Values();
        };
        EXPECT_TRUE(same_bits(first(op), info().normalises ? first(pixels) : reference(pixels).at(0)));
    }
}

TEST_P(Ops, RegionsThatNoDeviceCuts)
{
    const RegionCases cases(device());
    const auto fails = [&](const std::function<void(trib_op_desc &)> &change, const char *text) {
        OpCase op = cases.copies(1, TRIB_NHWC, TRIB_F32, 3);
        trib_implementation best;
        int count = 0;
        change(op.desc);
        EXPECT_FAILS(trib_op_implementations(device(), &op.desc, false, &best, 1, &count, nullptr),
                     TRIB_INVALID_ARGUMENT, text);
    };
    fails([](trib_op_desc &d) { d.inputs[0].c = d.inputs[0].c_total = 39; }, "rows of 40 bytes");
    fails([](trib_op_desc &d) { d.inputs[0].layout = TRIB_NCHW; }, "rows of 40 bytes");
    fails([](trib_op_desc &d) { d.inputs[0].dtype = TRIB_F32; }, "f32 where u8 is needed");
    fails([](trib_op_desc &d) { d.outputs[0].c = d.outputs[0].c_total = 2; }, "2 output channels");
    fails([](trib_op_desc &d) { d.outputs[0].c = d.outputs[0].c_total = 9; }, "at most 8");
    fails([](trib_op_desc &d) { d.outputs[0].h = 5; }, "where its input gives");
    fails([](trib_op_desc &d) { d.attributes.regions.w = 0; }, "images of 13x0");
    fails([](trib_op_desc &d) { d.attributes.regions.normalise.shift[1] = NAN; }, "not finite");
    OpCase blocked = cases.copies(1, TRIB_NCHW16C, TRIB_F32, 3);
    trib_implementation best;
    int count = 0;
    char reason[TRIB_MESSAGE_SIZE] = "";
    ASSERT_OK(trib_op_implementations(device(), &blocked.desc, false, &best, 1, &count, reason));
    EXPECT_TRUE(info().host ? count == 1 : std::strstr(reason, "nchw and nhwc only") != nullptr) << reason;
}

TEST_P(Ops, AdaptiveAvgPool2d) { check_all_layouts(TRIB_ADAPTIVE_AVG_POOL2D, 40); }
TEST_P(Ops, Lrn) { check_all_layouts(TRIB_LRN, 40); }
TEST_P(Ops, BatchNorm) { check_all_layouts(TRIB_BATCH_NORM, 40); }
TEST_P(Ops, Relu) { check_all_layouts(TRIB_RELU, 40); }
TEST_P(Ops, Concat) { check_all_layouts(TRIB_CONCAT, 40); }
TEST_P(Ops, Linear) { check_all_layouts(TRIB_LINEAR, 40); }
TEST_P(Ops, Softmax) { check_all_layouts(TRIB_SOFTMAX, 40); }
TEST_P(Ops, Reorder) { check_all_layouts(TRIB_REORDER, 40); }

// ---- what a network needs: GoogLeNet's own shapes must be fast in the device's best layout ----

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

// A convolution that reads an image, whose channels were filled up to 8: a GPU may compute several columns at a time.
TEST_P(Ops, ConvolutionsOfImages)
{
    const trib_layout best = info().layouts[0];
    const int shapes[][5] = { { 16, 64, 7, 2, 3 }, { 32, 16, 3, 2, 0 }, { 24, 8, 5, 2, 2 },  { 20, 32, 3, 2, 1 },
                              { 18, 8, 7, 2, 3 },  { 28, 8, 3, 1, 1 },  { 12, 72, 1, 2, 0 }, { 24, 16, 8, 2, 7 } };
    unsigned seed = 0;
    for (trib_precision precision : precisions())
        for (const auto &s : shapes) {
            OpCase op;
            std::mt19937 random(++seed);
            std::uniform_real_distribution<float> uniform(-1, 1);
            const auto fill = [&](std::size_t count, float scale) {
                Values v(count);
                for (float &value : v) value = scale * uniform(random);
                return v;
            };
            const int n = 1 + int(seed % 3), c = 8, size = s[0], k = s[1], r = s[2];
            op.desc = conv_desc(best, best, n, c, size, k, r, s[3], s[4]);
            op.desc.relu = seed % 2;
            op.inputs.push_back(fill(std::size_t(n * c * size * size), 1));
            op.weight = fill(std::size_t(k * c * r * r), 1.f / float(r));
            op.bias = fill(std::size_t(k), 1);
            op.expected = reference(op);
            check(precision == TRIB_PRECISION_FP32 ? op : in_precision(op, precision), true);
        }
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
            const std::vector<float> one = run_op(device(), op, all[i].name, 1).at(0);
            EXPECT_TRUE(close_to(unpack(op.desc.outputs[0], one), op.expected[0], tolerance_of(TRIB_PRECISION_FP32)));
            EXPECT_TRUE(same_bits(one, run_op(device(), op, all[i].name, 2).at(0)));
        }
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Ops); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, Ops, testing::ValuesIn(computing_devices()), test_name);

} // namespace

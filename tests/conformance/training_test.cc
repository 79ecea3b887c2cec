// SPDX-License-Identifier: Apache-2.0
// Every kind of op that only training has, in every layout the device offers, with every implementation it offers,
// against the C references.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "conformance/conformance.h"
#include "conformance/op_run.h"

using namespace conformance;

namespace
{

// What a device must run with more than the reference, in nhwc and in its best layout. Where a kind is not listed for a
// device, and the device has nothing for it, its test is skipped and says so.
struct Required {
    trib_kind kind;
    bool cpu, cuda;
    bool library; // only with oneDNN, cuDNN
};
const Required required[] = {
    { TRIB_CONV2D, true, true, true },
    { TRIB_LINEAR, true, true, true },
    { TRIB_CONV2D_BACKWARD_DATA, true, true, true },
    { TRIB_CONV2D_BACKWARD_WEIGHT, true, true, true },
    { TRIB_LINEAR_BACKWARD_DATA, true, true, true },
    { TRIB_LINEAR_BACKWARD_WEIGHT, true, true, true },
    { TRIB_BIAS_BACKWARD, true, true, false },
    { TRIB_RELU_BACKWARD, true, true, false },
    { TRIB_BATCH_STATISTICS, true, true, false },
    { TRIB_BATCH_NORM_APPLY, true, true, false },
    { TRIB_BATCH_NORM_BACKWARD, true, true, false },
    { TRIB_MAX_POOL2D_INDEXED, true, true, false },
    { TRIB_MAX_POOL2D_BACKWARD, true, true, false },
    { TRIB_AVG_POOL2D_BACKWARD, true, true, false },
    { TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD, true, true, false },
    { TRIB_LRN_BACKWARD, true, true, false },
    { TRIB_DROPOUT_TRAINING, true, true, false },
    { TRIB_CROSS_ENTROPY, true, true, false },
    { TRIB_SCALE_CONTROLS, true, true, false },
    { TRIB_SUM_GRADIENTS, true, true, false },
    { TRIB_CHECK_GRADIENTS, true, true, false },
    { TRIB_CLIP_GRADIENTS, true, true, false },
    { TRIB_SGD, true, true, false },
    { TRIB_MOVING_AVERAGE, true, true, false },
    { TRIB_ADJUST_LOSS_SCALE, true, true, false },
};

class TrainingOps : public DeviceTest
{
  protected:
    void check_kind(trib_kind kind, int rounds);
    void check_layouts(trib_kind kind, trib_layout source, trib_layout target, trib_precision precision, int rounds);
    void check(const OpCase &op, bool needed);
    bool is_required(trib_kind kind) const;
    bool is_usual(const OpCase &op) const;
    trib_layout weights() const { return info().host ? TRIB_NCHW : TRIB_NHWC; }
    int runs_ = 0;
    std::string reason_;
};

bool TrainingOps::is_required(trib_kind kind) const
{
    const bool has_library = std::strstr(info().library, "without") == nullptr;
    for (const Required &row : required)
        if (row.kind == kind) return (info().host ? row.cpu : row.cuda) && (has_library || !row.library);
    ADD_FAILURE() << trib_kind_name(kind) << " is missing in the table";
    return false;
}

// cuDNN's gradients of weights: in 16 bits from whole pixels of x, and of dy to the next multiple of 8 channels; in
// float32 from slices whose pixels begin at 16 bytes, or packed.
bool begin_evenly(const trib_op_desc &d)
{
    const trib_view &x = d.inputs[0], &dy = d.inputs[1];
    const bool linear = d.kind == TRIB_LINEAR_BACKWARD_WEIGHT, wide = x.dtype == TRIB_F32;
    const int x_pitch = linear && x.c == x.c_total ? x.c * x.h * x.w : x.c_total;
    if (wide) return (x.c == x.c_total || x_pitch % 4 == 0) && (dy.c == dy.c_total || dy.c_total % 4 == 0);
    return x.c == x.c_total && x_pitch % 8 == 0 && dy.c_total == (dy.c + 7) / 8 * 8;
}

// Slices begin where the device's libraries can reach them.
bool TrainingOps::is_usual(const OpCase &op) const
{
    const trib_op_desc &d = op.desc;
    const int multiple = info().channel_multiple;
    bool usual = op.standard;
    // On a GPU, logits of more bits than their factors are those of whole images.
    const bool wide = d.kind == TRIB_LINEAR && d.outputs[0].dtype != d.inputs[0].dtype;
    if (wide && !info().host && d.inputs[0].h * d.inputs[0].w > 1) usual = d.inputs[0].c == d.inputs[0].c_total;
    const bool weight = d.kind == TRIB_CONV2D_BACKWARD_WEIGHT || d.kind == TRIB_LINEAR_BACKWARD_WEIGHT;
    if (weight && !info().host) usual = usual && begin_evenly(d);
    for (int i = 0; i < d.input_count; ++i) usual = usual && d.inputs[i].c_offset % multiple == 0;
    for (int i = 0; i < d.output_count; ++i) usual = usual && d.outputs[i].c_offset % multiple == 0;
    return usual;
}

void TrainingOps::check(const OpCase &op, bool needed)
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
        for (std::size_t y = 0; y < two.size(); ++y) expect_output(op, y, two[y]);
        EXPECT_TRUE(op.desc.chunk == 0 || std::equal(one.begin(), one.end(), two.begin(), two.end(), same_bits))
            << "1 and 2 threads give different bits";
        ++runs_;
        if (HasFailure()) return;
    }
    if (!count) reason_ = reason;
    EXPECT_TRUE(fast || !needed || !is_usual(op)) << "only the reference: " << reason;
}

void TrainingOps::check_layouts(trib_kind kind, trib_layout source, trib_layout target, trib_precision precision,
                                int rounds)
{
    const bool best = target == info().layouts[0] || target == TRIB_NHWC;
    for (int round = 0; round < rounds && !HasFailure(); ++round) {
        SCOPED_TRACE(std::string(trib_precision_name(precision)) + ", seed " + std::to_string(round));
        // Now and then in the layout that other devices prefer: an implementation may refuse it.
        const bool other = round % 5 == 4;
        const trib_layout w = other ? (weights() == TRIB_NCHW ? TRIB_NHWC : TRIB_NCHW) : weights();
        const OpCase op = Generator(unsigned(1000 * kind + round)).training(kind, source, target, w);
        check(precision == TRIB_PRECISION_FP32 ? op : in_precision(op, precision),
              best && !other && source == target && is_required(kind));
    }
}

void TrainingOps::check_kind(trib_kind kind, int rounds)
{
    // Emulated kernels with sanitizers take minutes; at least one round of each layout remains.
    if (support::sanitized && *support::kind_under_test()) rounds = std::max(rounds / 8, 4);
    const bool conv = kind == TRIB_CONV2D || kind == TRIB_CONV2D_BACKWARD_WEIGHT;
    const bool linear = kind == TRIB_LINEAR || kind == TRIB_LINEAR_BACKWARD_DATA || kind == TRIB_LINEAR_BACKWARD_WEIGHT;
    for (int p = 0; p < TRIB_PRECISION_COUNT; ++p) {
        if (!(info().precisions >> p & 1u)) continue;
        const trib_precision precision = trib_precision(p);
        for (int i = 0; i < info().layout_count; ++i) {
            const trib_layout layout = info().layouts[i];
            check_layouts(kind, layout, layout, precision, p ? rounds / 4 : rounds);
            if (conv) check_layouts(kind, TRIB_NCHW, layout, precision, rounds / 4); // of the image
            if (conv) check_layouts(kind, TRIB_NHWC, layout, precision, rounds / 4);
            if (linear) check_layouts(kind, layout, TRIB_NCHW, precision, rounds / 4);
        }
    }
    RecordProperty("runs", runs_);
    if (runs_ || HasFailure()) return;
    EXPECT_FALSE(is_required(kind)) << "no implementation: " << reason_;
    GTEST_SKIP() << info().spec << " has no " << trib_kind_name(kind) << " for training: " << reason_;
}

TEST_P(TrainingOps, Conv2d) { check_kind(TRIB_CONV2D, 40); }
TEST_P(TrainingOps, Linear) { check_kind(TRIB_LINEAR, 40); }
TEST_P(TrainingOps, Conv2dBackwardData) { check_kind(TRIB_CONV2D_BACKWARD_DATA, 80); }
TEST_P(TrainingOps, Conv2dBackwardWeight) { check_kind(TRIB_CONV2D_BACKWARD_WEIGHT, 80); }
TEST_P(TrainingOps, LinearBackwardData) { check_kind(TRIB_LINEAR_BACKWARD_DATA, 40); }
TEST_P(TrainingOps, LinearBackwardWeight) { check_kind(TRIB_LINEAR_BACKWARD_WEIGHT, 40); }
TEST_P(TrainingOps, BiasBackward) { check_kind(TRIB_BIAS_BACKWARD, 40); }
TEST_P(TrainingOps, ReluBackward) { check_kind(TRIB_RELU_BACKWARD, 40); }
TEST_P(TrainingOps, BatchStatistics) { check_kind(TRIB_BATCH_STATISTICS, 40); }
TEST_P(TrainingOps, BatchNormApply) { check_kind(TRIB_BATCH_NORM_APPLY, 40); }
TEST_P(TrainingOps, BatchNormBackward) { check_kind(TRIB_BATCH_NORM_BACKWARD, 40); }
TEST_P(TrainingOps, MaxPool2dIndexed) { check_kind(TRIB_MAX_POOL2D_INDEXED, 40); }
TEST_P(TrainingOps, MaxPool2dBackward) { check_kind(TRIB_MAX_POOL2D_BACKWARD, 40); }
TEST_P(TrainingOps, AvgPool2dBackward) { check_kind(TRIB_AVG_POOL2D_BACKWARD, 40); }
TEST_P(TrainingOps, AdaptiveAvgPool2dBackward) { check_kind(TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD, 40); }
TEST_P(TrainingOps, LrnBackward) { check_kind(TRIB_LRN_BACKWARD, 40); }
TEST_P(TrainingOps, Dropout) { check_kind(TRIB_DROPOUT_TRAINING, 40); }
TEST_P(TrainingOps, CrossEntropy) { check_kind(TRIB_CROSS_ENTROPY, 40); }
TEST_P(TrainingOps, ScaleControls) { check_kind(TRIB_SCALE_CONTROLS, 20); }
TEST_P(TrainingOps, CheckGradients) { check_kind(TRIB_CHECK_GRADIENTS, 40); }
TEST_P(TrainingOps, AdjustLossScale) { check_kind(TRIB_ADJUST_LOSS_SCALE, 20); }
TEST_P(TrainingOps, SumGradients) { check_kind(TRIB_SUM_GRADIENTS, 40); }
TEST_P(TrainingOps, ClipGradients) { check_kind(TRIB_CLIP_GRADIENTS, 40); }
TEST_P(TrainingOps, Sgd) { check_kind(TRIB_SGD, 40); }
TEST_P(TrainingOps, MovingAverage) { check_kind(TRIB_MOVING_AVERAGE, 40); }

// ---- what a network needs: GoogLeNet's own shapes ----

OpCase filled(trib_op_desc d, unsigned seed)
{
    OpCase op;
    op.desc = d;
    op.standard = true;
    Generator(seed).training_values(op);
    return op;
}

// The convolution of `conv_desc` and its gradients.
std::vector<OpCase> convolutions(trib_layout layout, trib_layout weights, int n, int c, int h, int k, int r, int stride,
                                 int pad)
{
    const trib_op_desc forward = conv_desc(layout, layout, n, c, h, k, r, stride, pad);
    trib_view w = dense_view(weights, k, c, r, r), bias = dense_view(TRIB_NCHW, 1, k, 1, 1);
    trib_op_desc y = forward, data = forward, weight = forward;
    y.relu = false;
    y.input_count = 3, y.inputs[1] = w, y.inputs[2] = bias;
    data.kind = TRIB_CONV2D_BACKWARD_DATA, weight.kind = TRIB_CONV2D_BACKWARD_WEIGHT;
    data.input_count = weight.input_count = 2;
    data.has_bias = weight.has_bias = data.relu = weight.relu = false;
    data.inputs[0] = forward.outputs[0], data.inputs[1] = w, data.outputs[0] = forward.inputs[0];
    weight.inputs[1] = forward.outputs[0], weight.outputs[0] = w;
    return { filled(y, 1), filled(data, 2), filled(weight, 3) };
}

TEST_P(TrainingOps, ConvolutionsOfGoogLeNet)
{
    const int shapes[][6] = { { 192, 28, 16, 1, 1, 0 }, { 16, 28, 32, 5, 1, 2 }, { 480, 14, 64, 1, 1, 0 },
                              { 96, 14, 64, 3, 1, 1 },  { 24, 14, 64, 5, 1, 2 }, { 832, 7, 48, 1, 1, 0 },
                              { 160, 7, 80, 3, 1, 1 } };
    for (trib_layout layout : { info().layouts[0], TRIB_NHWC })
        for (const auto &s : shapes)
            for (OpCase &op : convolutions(layout, weights(), 3, s[0], s[1], s[2], s[3], s[4], s[5])) {
                op.desc.chunk = 2; // and a rest of 1
                check(op, is_required(op.desc.kind));
                if (HasFailure()) return;
            }
}

// ---- gradients of weights where a layer's channels are no multiple of 8 ----

struct Channels {
    int count, pitch;
};

// From x and dy of h x h pixels: of a 3x3 convolution or, of one pixel, of a linear layer.
OpCase weight_gradient(trib_layout weights, Channels x, Channels dy, int h)
{
    const bool linear = h == 1;
    trib_op_desc d = conv_desc(TRIB_NHWC, TRIB_NHWC, 3, x.count, h, dy.count, linear ? 1 : 3, 1, linear ? 0 : 1);
    d.kind = linear ? TRIB_LINEAR_BACKWARD_WEIGHT : TRIB_CONV2D_BACKWARD_WEIGHT;
    d.input_count = 2;
    d.has_bias = d.relu = false;
    d.inputs[1] = d.outputs[0];
    d.inputs[0].c_total = x.pitch, d.inputs[1].c_total = dy.pitch;
    d.outputs[0] = dense_view(weights, dy.count, x.count, linear ? 1 : 3, linear ? 1 : 3);
    if (linear) {
        d.attributes = {};
        d.attributes.linear.out = dy.count;
    }
    return filled(d, unsigned(dy.count));
}

// As the gradients of logits of 100 classes, and others, lie in 16 bits. cuDNN need not take a slice of x there.
TEST_P(TrainingOps, GradientsOfWeightsFromSlices)
{
    for (int p = 0; p < TRIB_PRECISION_COUNT; ++p) {
        if (!(info().precisions >> p & 1u)) continue;
        const trib_precision precision = trib_precision(p);
        SCOPED_TRACE(trib_precision_name(precision));
        for (const Channels x : { Channels { 32, 32 }, { 24, 32 } })
            for (const Channels dy : { Channels { 100, 104 }, { 10, 16 }, { 50, 56 }, { 1, 8 }, { 48, 48 } })
                for (int h : { 1, 5 }) {
                    const OpCase op = weight_gradient(weights(), x, dy, h);
                    check(precision == TRIB_PRECISION_FP32 ? op : in_precision(op, precision),
                          !info().host && is_required(op.desc.kind));
                    if (HasFailure()) return;
                }
    }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrainingOps); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, TrainingOps, testing::ValuesIn(computing_devices()), test_name);

} // namespace

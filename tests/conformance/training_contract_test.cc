// SPDX-License-Identifier: Apache-2.0
// What every device does with ops of training beside computing gradients: nonsense is refused, a label outside the
// classes is seen, an index is that of the first of equal maxima.
#include <cmath>

#include "conformance/op_run.h"

using namespace conformance;

namespace
{

class TrainingContract : public DeviceTest
{
  protected:
    void expect_refused(trib_kind kind, const char *why, const std::function<void(trib_op_desc &)> &mutate)
    {
        const trib_layout plain = info().host ? TRIB_NCHW : TRIB_NHWC;
        trib_op_desc d = Generator(3).training(kind, TRIB_NHWC, TRIB_NHWC, plain).desc;
        mutate(d);
        SCOPED_TRACE(describe(d));
        trib_implementation all[8];
        int count = 0;
        trib_op_handle *op = nullptr;
        EXPECT_FAILS(trib_op_implementations(device(), &d, true, all, 8, &count, nullptr), TRIB_INVALID_ARGUMENT, why);
        EXPECT_FAILS(trib_op_create(device(), &d, "reference", &op), TRIB_INVALID_ARGUMENT, why);
    }

    // Runs each implementation there is.
    void each(const OpCase &op, const std::function<void(const std::vector<std::vector<float>> &)> &visit)
    {
        trib_implementation all[8];
        int count = 0;
        ASSERT_OK(trib_op_implementations(device(), &op.desc, true, all, 8, &count, nullptr));
        for (int i = 0; i < count; ++i) {
            SCOPED_TRACE(all[i].name);
            const std::vector<std::vector<float>> seen = run_op(device(), op, all[i].name, 1);
            if (!seen.empty()) visit(seen), ++runs_;
        }
    }
    int runs_ = 0;
};

TEST_P(TrainingContract, NonsenseIsRefused)
{
    using Desc = trib_op_desc;
    const struct {
        trib_kind kind;
        const char *why;
        std::function<void(Desc &)> mutate;
    } cases[] = {
        { TRIB_CONV2D, "weight is", [](Desc &d) { d.inputs[1].n += 1; } },
        { TRIB_CONV2D, "dense", [](Desc &d) { d.inputs[1].c_total += 1; } },
        { TRIB_CONV2D, "dense", [](Desc &d) { d.inputs[1].layout = TRIB_NCHW8C; } },
        { TRIB_CONV2D, "bias or not", [](Desc &d) { d.has_bias = !d.has_bias; } },
        { TRIB_CONV2D, "cannot add", [](Desc &d) { d.accumulate = true; } },
        { TRIB_CONV2D, "weight is", [](Desc &d) { d.inputs[1].dtype = TRIB_U8; } },
        { TRIB_LINEAR, "weight is", [](Desc &d) { d.inputs[1].h += 1; } },
        { TRIB_CONV2D_BACKWARD_DATA, "dy is", [](Desc &d) { d.inputs[0].h += 1; } },
        { TRIB_CONV2D_BACKWARD_DATA, "weight is", [](Desc &d) { d.inputs[1].w += 1; } },
        { TRIB_CONV2D_BACKWARD_DATA, "inputs", [](Desc &d) { d.input_count = 1; } },
        { TRIB_CONV2D_BACKWARD_DATA, "window", [](Desc &d) { d.attributes.conv2d.r = 0; } },
        { TRIB_CONV2D_BACKWARD_WEIGHT, "dy is", [](Desc &d) { d.inputs[1].n += 1; } },
        { TRIB_CONV2D_BACKWARD_WEIGHT, "cannot add", [](Desc &d) { d.accumulate = true; } },
        { TRIB_CONV2D_BACKWARD_WEIGHT, "dweight is", [](Desc &d) { d.outputs[0].c += 1, d.outputs[0].c_total += 1; } },
        { TRIB_LINEAR_BACKWARD_DATA, "weight is", [](Desc &d) { d.inputs[1].n += 1; } },
        { TRIB_LINEAR_BACKWARD_WEIGHT, "dweight is", [](Desc &d) { d.outputs[0].n += 1; } },
        { TRIB_BIAS_BACKWARD, "dbias is", [](Desc &d) { d.outputs[0].c_total += 1, d.outputs[0].c += 1; } },
        { TRIB_BIAS_BACKWARD, "dbias is u8", [](Desc &d) { d.outputs[0].dtype = TRIB_U8; } },
        { TRIB_RELU_BACKWARD, "y is", [](Desc &d) { d.inputs[1].w += 1; } },
        { TRIB_RELU_BACKWARD, "dx is", [](Desc &d) { d.outputs[0].w += 1; } },
        { TRIB_BATCH_STATISTICS, "saved is", [](Desc &d) { d.outputs[0].n = 3; } },
        { TRIB_BATCH_STATISTICS, "saved must be dense", [](Desc &d) { d.outputs[0].c_total += 8; } },
        { TRIB_BATCH_STATISTICS, "eps", [](Desc &d) { d.attributes.batch_statistics.eps = 0; } },
        { TRIB_BATCH_STATISTICS, "momentum", [](Desc &d) { d.attributes.batch_statistics.momentum = NAN; } },
        { TRIB_BATCH_NORM_APPLY, "saved is", [](Desc &d) { d.inputs[1].c += 1, d.inputs[1].c_total += 1; } },
        { TRIB_BATCH_NORM_BACKWARD, "outputs", [](Desc &d) { d.output_count = 1; } },
        { TRIB_MAX_POOL2D_INDEXED, "index is", [](Desc &d) { d.outputs[1].dtype = TRIB_F32; } },
        { TRIB_MAX_POOL2D_INDEXED, "differ in layout", [](Desc &d) { d.outputs[1].layout = TRIB_NCHW; } },
        { TRIB_MAX_POOL2D_BACKWARD, "index is", [](Desc &d) { d.inputs[1].dtype = TRIB_I32; } },
        { TRIB_AVG_POOL2D_BACKWARD, "dy is", [](Desc &d) { d.inputs[0].c += 1, d.inputs[0].c_total += 1; } },
        { TRIB_LRN_BACKWARD, "x is", [](Desc &d) { d.inputs[1].h += 1; } },
        { TRIB_LRN_BACKWARD, "greater than 0", [](Desc &d) { d.attributes.lrn.k = 0; } },
        { TRIB_DROPOUT_TRAINING, "probability", [](Desc &d) { d.attributes.dropout.p = 1; } },
        { TRIB_DROPOUT_TRAINING, "controls", [](Desc &d) { d.inputs[1].c = d.inputs[1].c_total = 63; } },
        { TRIB_CROSS_ENTROPY, "labels is", [](Desc &d) { d.inputs[1].dtype = TRIB_F32; } },
        { TRIB_CROSS_ENTROPY, "labels must be dense",
          [](Desc &d) { d.inputs[1].n = 1, d.inputs[1].layout = TRIB_NCHW8C; } },
        { TRIB_CROSS_ENTROPY, "smoothing", [](Desc &d) { d.attributes.cross_entropy.smoothing = 1; } },
        { TRIB_SGD, "an operand is", [](Desc &d) { d.inputs[1].c += 1, d.inputs[1].c_total += 1; } },
        { TRIB_SCALE_CONTROLS, "scale is", [](Desc &d) { d.inputs[1].c = d.inputs[1].c_total = 3; } },
        { TRIB_CHECK_GRADIENTS, "controls", [](Desc &d) { d.outputs[0].dtype = TRIB_F32; } },
        { TRIB_ADJUST_LOSS_SCALE, "after 0 steps",
          [](Desc &d) { d.attributes.adjust_loss_scale.growth_interval = 0; } },
        { TRIB_SUM_GRADIENTS, "an operand is", [](Desc &d) { d.inputs[1].c += 1, d.inputs[1].c_total += 1; } },
        { TRIB_CLIP_GRADIENTS, "a gradient is", [](Desc &d) { d.outputs[0].c += 1, d.outputs[0].c_total += 1; } },
        { TRIB_CLIP_GRADIENTS, "a gradient is", [](Desc &d) { d.inputs[0].n = 2; } },
        { TRIB_CLIP_GRADIENTS, "gradients in",
          [](Desc &d) { d.outputs[1] = d.outputs[0], d.output_count = 3 - d.output_count; } },
        { TRIB_SGD, "not finite", [](Desc &d) { d.attributes.sgd.rate = INFINITY; } },
        { TRIB_MOVING_AVERAGE, "controls", [](Desc &d) { d.inputs[2].dtype = TRIB_F32; } },
    };
    for (const auto &c : cases) expect_refused(c.kind, c.why, c.mutate);
}

// What is not the precision's own type, either.
TEST_P(TrainingContract, TheCpuRefusesHalfPrecision)
{
    if (!info().host) GTEST_SKIP() << info().spec << " computes in half precision";
    for (trib_kind kind : { TRIB_CONV2D, TRIB_CONV2D_BACKWARD_DATA, TRIB_CONV2D_BACKWARD_WEIGHT, TRIB_RELU_BACKWARD,
                            TRIB_BATCH_STATISTICS, TRIB_MAX_POOL2D_BACKWARD, TRIB_DROPOUT_TRAINING })
        for (trib_precision named : { TRIB_PRECISION_FP16, TRIB_PRECISION_FP32 }) {
            const bool multiplies = kind <= TRIB_CONV2D_BACKWARD_WEIGHT;
            if (multiplies && named == TRIB_PRECISION_FP32) continue; // nonsense, see above
            trib_op_desc d =
                in_precision(Generator(2).training(kind, TRIB_NHWC, TRIB_NHWC, TRIB_NCHW), TRIB_PRECISION_FP16).desc;
            d.precision = named;
            trib_implementation all[8];
            int count = 1;
            char reason[TRIB_MESSAGE_SIZE];
            EXPECT_OK(trib_op_implementations(device(), &d, true, all, 8, &count, reason));
            EXPECT_EQ(count, 0);
            EXPECT_NE(std::string(reason).find("f32"), std::string::npos) << reason;
            trib_op_handle *op = nullptr;
            EXPECT_FAILS(trib_op_create(device(), &d, "reference", &op), TRIB_UNSUPPORTED, "f32");
        }
}

TEST_P(TrainingContract, ALabelOutsideTheClassesGivesNaNAndNoGradient)
{
    OpCase op = Generator(1).training(TRIB_CROSS_ENTROPY, TRIB_NHWC, TRIB_NHWC, TRIB_NCHW);
    const std::size_t classes = std::size_t(op.desc.inputs[0].c), n = std::size_t(op.desc.inputs[0].n);
    for (float label : { -1.0f, float(classes), -2147483648.0f, 1073741824.0f }) {
        op.inputs[1][n - 1] = label;
        each(op, [&](const std::vector<std::vector<float>> &seen) {
            const Values gradient = unpack(op.desc.outputs[0], seen[0]), loss = seen[1];
            for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(std::isnan(loss[i]), i + 1 == n) << label;
            for (std::size_t i = 0; i < gradient.size(); ++i)
                EXPECT_EQ(gradient[i] == 0, i / classes + 1 == n) << label << " " << i;
        });
    }
    if (!runs_) GTEST_SKIP() << info().spec << " has no " << trib_kind_name(TRIB_CROSS_ENTROPY);
}

TEST_P(TrainingContract, TheFirstOfEqualMaximaGetsTheGradient)
{
    for (trib_layout layout : { info().layouts[0], TRIB_NHWC }) {
        OpCase op = Generator(1).training(TRIB_MAX_POOL2D_INDEXED, layout, layout, TRIB_NCHW);
        op.inputs[0].assign(op.inputs[0].size(), -2.0f);
        op.expected = reference(op);
        each(op, [&](const std::vector<std::vector<float>> &seen) {
            for (std::size_t y = 0; y < 2; ++y) expect_output(op, y, seen[y]);
        });
    }
    if (!runs_) GTEST_SKIP() << info().spec << " has no " << trib_kind_name(TRIB_MAX_POOL2D_INDEXED);
}

// Or a run would go on after its activations are lost.
TEST_P(TrainingContract, NaNIsAMaximum)
{
    for (trib_layout layout : { info().layouts[0], TRIB_NHWC }) {
        OpCase op = Generator(1).training(TRIB_MAX_POOL2D_INDEXED, layout, layout, TRIB_NCHW);
        op.inputs[0][op.inputs[0].size() / 2] = NAN; // one, so that there is one right index
        op.expected = reference(op);
        each(op, [&](const std::vector<std::vector<float>> &seen) {
            const Values y = unpack(op.desc.outputs[0], seen[0]);
            int lost = 0;
            for (std::size_t i = 0; i < y.size(); ++i) {
                EXPECT_EQ(std::isnan(y[i]), std::isnan(op.expected[0][i])) << i;
                lost += std::isnan(y[i]);
            }
            EXPECT_GT(lost, 0);
            expect_output(op, 1, seen[1]);
        });
    }
    if (!runs_) GTEST_SKIP() << info().spec << " has no " << trib_kind_name(TRIB_MAX_POOL2D_INDEXED);
}

// Not one bit differs from what the forward did: nothing stores the mask.
TEST_P(TrainingContract, EveryImplementationOfDropoutHasTheSameMask)
{
    for (trib_layout layout : { info().layouts[0], TRIB_NHWC }) {
        OpCase op = Generator(2).training(TRIB_DROPOUT_TRAINING, layout, layout, TRIB_NCHW);
        op.desc.attributes.dropout.p = 0.4f;
        op.inputs[0].assign(op.inputs[0].size(), 3.0f);
        op.expected = reference(op);
        each(op, [&](const std::vector<std::vector<float>> &seen) {
            const Values y = unpack(op.desc.outputs[0], seen[0]);
            for (std::size_t i = 0; i < y.size(); ++i) ASSERT_EQ(y[i] == 0, op.expected[0][i] == 0) << i;
        });
    }
    if (!runs_) GTEST_SKIP() << info().spec << " has no " << trib_kind_name(TRIB_DROPOUT_TRAINING);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TrainingContract); // when no device here has operators
INSTANTIATE_TEST_SUITE_P(Devices, TrainingContract, testing::ValuesIn(computing_devices()), test_name);

} // namespace

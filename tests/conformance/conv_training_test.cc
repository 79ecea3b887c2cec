// SPDX-License-Identifier: Apache-2.0
// Convolutions in training, on the cpu: weights in memory, all three directions, chunks of a batch. Every
// implementation, against loops in double; the same bits for any number of threads.
#include <cmath>
#include <cstring>

#include "conformance/conv_training.h"
#include "tributary/internal/fault.h"

using namespace conformance;

namespace
{

class ConvTraining : public DeviceTest
{
  protected:
    void check(const ConvProblem &problem, trib_kind kind, int chunk, bool accumulate = false);
    void check_all(const ConvProblem &problem, int chunk)
    {
        for (trib_kind kind : { TRIB_CONV2D, TRIB_CONV2D_BACKWARD_DATA, TRIB_CONV2D_BACKWARD_WEIGHT })
            check(problem, kind, chunk);
        check(problem, TRIB_CONV2D_BACKWARD_DATA, chunk, true);
    }
    void check_failures(const ConvRun &run);
    trib_layout best() const { return info().layouts[0]; }
    bool has_library() const { return std::strstr(info().library, "without") == nullptr; }
    int runs_ = 0;
};

bool same_bits(const std::vector<float> &a, const std::vector<float> &b)
{
    return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(float));
}

void ConvTraining::check(const ConvProblem &problem, trib_kind kind, int chunk, bool accumulate)
{
    const ConvRun run(problem, kind, chunk, accumulate);
    SCOPED_TRACE(run.describe());
    const std::vector<std::string> names = run.implementations(device());
    for (const std::string &name : names) {
        SCOPED_TRACE(name);
        std::vector<float> one;
        EXPECT_OK(run.try_once(device(), name, 1, one));
        EXPECT_TRUE(run.is_right(one));
        for (int threads : { 2, 3 }) {
            std::vector<float> more;
            EXPECT_OK(run.try_once(device(), name, threads, more));
            EXPECT_TRUE(same_bits(one, more)) << threads << " threads give other bits";
        }
        ++runs_;
    }
    EXPECT_TRUE(!names.empty() || !problem.usual || !has_library());
}

TEST_P(ConvTraining, OfOneBatch)
{
    for (int chunk : { 0, 1, 2, 3, 7 }) {
        check_all({ { best(), 7, 32, 14, 14 }, { best(), 48 }, 3, 1, 1 }, chunk);
        check_all({ { best(), 7, 64, 7, 7 }, { best(), 32 }, 1, 1, 0 }, chunk);
        check_all({ { best(), 7, 16, 9, 9 }, { best(), 32 }, 5, 1, 2 }, chunk);
    }
    EXPECT_TRUE(runs_ > 0 || !has_library());
}

TEST_P(ConvTraining, OfEveryLayout)
{
    for (int i = 0; i < info().layout_count; ++i)
        for (int chunk : { 0, 4 }) {
            const trib_layout layout = info().layouts[i];
            check_all({ { layout, 6, 32, 8, 8 }, { layout, 64 }, 3, 2, 1 }, chunk);
            check_all({ { layout, 6, 24, 8, 8 }, { layout, 40 }, 3, 1, 1 }, chunk);
        }
}

// The first convolution reads a picture's three channels, in any layout. Nothing needs the gradient of a picture.
TEST_P(ConvTraining, OfPictures)
{
    for (int i = 0; i < info().layout_count; ++i)
        for (trib_layout picture : { TRIB_NCHW, TRIB_NHWC })
            for (int chunk : { 0, 2 })
                for (trib_kind kind : { TRIB_CONV2D, TRIB_CONV2D_BACKWARD_WEIGHT })
                    check({ { picture, 5, 3, 33, 33 }, { info().layouts[i], 64 }, 7, 2, 3 }, kind, chunk);
}

// Slices of wider tensors, as the branches of a module have them.
TEST_P(ConvTraining, OfSlices)
{
    for (int i = 0; i < info().layout_count; ++i)
        for (int chunk : { 0, 3 })
            for (int taps : { 1, 3 }) {
                const trib_layout layout = info().layouts[i];
                ConvProblem p = { { layout, 5, 32, 8, 8 }, { layout, 64 }, taps, 1, taps / 2 };
                p.y.before = 32, p.y.behind = 16;
                check_all(p, chunk);
                p.x.before = 16, p.x.behind = 32;
                check_all(p, chunk);
                p.y.before = p.y.behind = 0;
                check_all(p, chunk);
            }
}

// A filter larger than the image: taps that only meet padding have no gradient.
TEST_P(ConvTraining, OfSmallImages)
{
    for (int size : { 1, 2, 3 })
        for (int chunk : { 0, 2 }) check_all({ { best(), 5, 16, size, size }, { best(), 32 }, 5, 1, 2 }, chunk);
}

// More chunks than there are partial sums.
TEST_P(ConvTraining, OfManyChunks)
{
    for (int chunk : { 1, 2 })
        check({ { best(), 37, 16, 6, 6 }, { best(), 16 }, 3, 1, 1 }, TRIB_CONV2D_BACKWARD_WEIGHT, chunk);
}

TEST_P(ConvTraining, WithoutBiasAndRelu)
{
    ConvProblem p = { { best(), 4, 32, 8, 8 }, { best(), 32 }, 3, 1, 1 };
    p.bias = p.relu = false;
    for (int chunk : { 0, 2 }) check(p, TRIB_CONV2D, chunk);
}

// A linear layer is a convolution of one place.
TEST_P(ConvTraining, OfLinearLayers)
{
    for (trib_layout layout : { best(), TRIB_NHWC, TRIB_NCHW })
        for (int size : { 1, 4 })
            for (int k : { 10, 200 })
                for (int slice : { 0, 16 }) {
                    ConvProblem p = { { layout, 5, 32, size, size }, { layout, k }, size, 1, 0 };
                    p.x.before = slice, p.x.behind = 2 * slice;
                    for (trib_kind kind : { TRIB_LINEAR, TRIB_LINEAR_BACKWARD_DATA, TRIB_LINEAR_BACKWARD_WEIGHT })
                        check(p, kind, slice / 8);
                    check(p, TRIB_LINEAR_BACKWARD_DATA, 0, true);
                }
}

// No shape of a GoogLeNet runs oneDNN's reference, which is some hundred times slower than all else.
TEST_P(ConvTraining, OfGoogLeNetIsFast)
{
    if (!has_library()) GTEST_SKIP() << info().library;
    for (int size : { 224, 64 })
        for (const ConvProblem &shape : googlenet_convolutions(size))
            for (int n : { 2, 32 })
                for (int i = 0; i < info().layout_count; ++i)
                    for (trib_kind kind : { TRIB_CONV2D, TRIB_CONV2D_BACKWARD_DATA, TRIB_CONV2D_BACKWARD_WEIGHT }) {
                        if (shape.x.c == 3 && kind == TRIB_CONV2D_BACKWARD_DATA) continue;
                        ConvProblem p = shape;
                        p.x.n = n;
                        p.x.layout = p.x.c == 3 ? TRIB_NCHW : info().layouts[i];
                        p.y.layout = info().layouts[i];
                        const ConvRun run(p, kind, 4, false, false);
                        SCOPED_TRACE(run.describe());
                        const std::vector<std::string> details = run.details(device());
                        EXPECT_FALSE(details.empty());
                        for (const std::string &detail : details) EXPECT_NE(detail.substr(0, 3), "ref") << detail;
                        EXPECT_TRUE(details.empty() || !details[0].empty());
                    }
}

// Whatever fails first is reported, and nothing is left behind; a run that reports nothing is right.
void ConvTraining::check_failures(const ConvRun &run)
{
    const std::string name = run.implementations(device()).at(0);
    SCOPED_TRACE(run.describe() + ", " + name);
    std::vector<float> right, seen;
    trib_fault_arm(0, false);
    ASSERT_OK(run.try_once(device(), name, 2, right));
    const std::int64_t steps = trib_fault_disarm();
    ASSERT_GT(steps, 10);
    int reported = 0;
    for (std::int64_t k = 1; k <= steps; ++k) {
        SCOPED_TRACE("step " + std::to_string(k));
        trib_fault_arm(k, false);
        const trib_status status = run.try_once(device(), name, 2, seen);
        trib_fault_disarm();
        EXPECT_EQ(trib_device_memory(device()).current_bytes, 0);
        reported += status.code != TRIB_OK;
        if (status.code == TRIB_OK)
            EXPECT_TRUE(same_bits(seen, right)) << "a failure was swallowed";
        else
            EXPECT_TRUE(status.code == TRIB_OUT_OF_MEMORY || status.code == TRIB_DEVICE_ERROR) << status.message;
    }
    EXPECT_GT(reported, steps / 2);
}

TEST_P(ConvTraining, EachStepFails)
{
    if (!has_library()) GTEST_SKIP() << info().library;
    ConvProblem p = { { best(), 5, 24, 8, 8 }, { best(), 32 }, 3, 1, 1 };
    p.y.before = 32;
    for (trib_kind kind : { TRIB_CONV2D, TRIB_CONV2D_BACKWARD_DATA, TRIB_CONV2D_BACKWARD_WEIGHT })
        check_failures(ConvRun(p, kind, 2, false));
    p = { { best(), 5, 32, 8, 8 }, { best(), 32 }, 1, 1, 0 };
    check_failures(ConvRun(p, TRIB_CONV2D_BACKWARD_DATA, 2, true));
    p = { { best(), 5, 24, 4, 4 }, { best(), 200 }, 4, 1, 0 };
    for (trib_kind kind : { TRIB_LINEAR, TRIB_LINEAR_BACKWARD_DATA, TRIB_LINEAR_BACKWARD_WEIGHT })
        check_failures(ConvRun(p, kind, 0, false));
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ConvTraining);
INSTANTIATE_TEST_SUITE_P(Devices, ConvTraining, testing::ValuesIn(host_devices()), test_name);

} // namespace

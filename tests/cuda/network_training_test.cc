// SPDX-License-Identifier: Apache-2.0
// Training on the simulated CUDA: in any order the result of a step is that of one op after the other, bit for bit; and
// whatever call fails, the trainer can be destroyed and the device used again.
#include <cstdio>
#include <set>
#include <string>

#include "cuda/network.h"
#include "cuda/network_training.h"
#include "fakecuda/fakecuda.h"
#include "fakecuda/library.h"
#include "support/form.h"

using fakecuda::Failure;
using network::name_of;
using network::Trained;
using network::Trainer;
using network::TrainingBatch;
using network::TrainingWay;

namespace
{

constexpr std::uint64_t steps = 2;

// Two steps from the beginning.
trib_status train(const TrainingBatch &batch, trib_device *device, const TrainingWay &way, Trained *out)
{
    trib_trainer *made = nullptr;
    *out = Trained();
    TRIB_TRY(batch.create(device, way, &made));
    Trainer trainer(made);
    for (std::uint64_t i = 0; i < steps; ++i) TRIB_TRY(batch.step(made, i, &out->outputs));
    return TrainingBatch::read(made, &out->tensors);
}

Trained serial(const TrainingBatch &batch, const TrainingWay &way)
{
    nets::Device device = network::open();
    Trained result;
    EXPECT_OK(train(batch, device.get(), { way.batch_norm, TRIB_SERIAL, TRIB_EAGER, way.precision, way.loss_scale },
                    &result));
    EXPECT_TRUE(result.finite());
    return result;
}

class TrainingOrders : public testing::TestWithParam<TrainingWay>
{
};

// 3,000 in all; in short 240. Each begins with the values of the first.
TEST_P(TrainingOrders, GiveWhatSerialGives)
{
    const std::uint64_t seeds = support::by_form(4, 40, 500);
    TrainingBatch batch(GetParam().batch_norm);
    const Trained wanted = serial(batch, GetParam());
    nets::Device device = network::open();
    trib_trainer *made = nullptr;
    ASSERT_OK(batch.create(device.get(), GetParam(), &made));
    Trainer trainer(made);
    TrainingBatch::Tensors begin;
    ASSERT_OK(TrainingBatch::read(made, &begin));
    std::set<std::uint64_t> orders;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Trained seen;
        ASSERT_OK(TrainingBatch::write(made, begin));
        fakecuda::reseed(seed);
        for (std::uint64_t i = 0; i < steps; ++i) ASSERT_OK(batch.step(made, i, &seen.outputs));
        orders.insert(fakecuda::order());
        ASSERT_OK(TrainingBatch::read(made, &seen.tensors));
        ASSERT_TRUE(seen == wanted) << "seed " << seed;
    }
    std::printf("%llu seeds, %zu different orders\n", static_cast<unsigned long long>(seeds), orders.size());
    EXPECT_GT(orders.size(), seeds / 2);
}

INSTANTIATE_TEST_SUITE_P(Network, TrainingOrders,
                         testing::Values(TrainingWay { true, TRIB_BRANCHES, TRIB_EAGER },
                                         TrainingWay { true, TRIB_BRANCHES, TRIB_GRAPH },
                                         TrainingWay { false, TRIB_BRANCHES, TRIB_EAGER },
                                         TrainingWay { false, TRIB_BRANCHES, TRIB_GRAPH },
                                         TrainingWay { true, TRIB_BRANCHES, TRIB_GRAPH, TRIB_PRECISION_BF16 },
                                         TrainingWay { false, TRIB_BRANCHES, TRIB_GRAPH, TRIB_PRECISION_FP16, 256 }),
                         [](const auto &info) { return name_of(info.param); });

// ---- precisions ----

// Logits and losses of two steps.
TEST(TrainingPrecisions, AreCloseToFloat32)
{
    const struct {
        trib_precision precision;
        double error;
    } bounds[] = { { TRIB_PRECISION_TF32, 2e-3 }, { TRIB_PRECISION_FP16, 2e-3 }, { TRIB_PRECISION_BF16, 3e-2 } };
    for (bool batch_norm : { true, false }) {
        TrainingBatch batch(batch_norm);
        nets::Device device = network::open();
        TrainingWay way = { batch_norm, TRIB_BRANCHES, TRIB_GRAPH };
        Trained exact;
        ASSERT_OK(train(batch, device.get(), way, &exact));
        for (const auto &bound : bounds) {
            SCOPED_TRACE(trib_precision_name(bound.precision));
            way.precision = bound.precision;
            Trained rounded;
            ASSERT_OK(train(batch, device.get(), way, &rounded));
            EXPECT_TRUE(rounded.finite());
            EXPECT_FALSE(rounded == exact);
            EXPECT_LE(support::relative_error(rounded.outputs, exact.outputs), bound.error);
        }
    }
}

// ---- a loss scale that adapts ----

// What some steps in float16 leave, beginning with a scale that float16 cannot hold.
Trained overflowing(trib_schedule schedule, trib_launch launch)
{
    const TrainingBatch batch(false);
    nets::Device device = network::open();
    trib_trainer *made = nullptr;
    Trained seen;
    TrainingBatch::Tensors begin, now;
    EXPECT_OK(batch.create(device.get(), { false, schedule, launch, TRIB_PRECISION_FP16, 0x1p20f }, &made));
    Trainer trainer(made);
    EXPECT_OK(TrainingBatch::read(made, &begin));
    for (std::uint64_t step = 0; step < 12; ++step) {
        EXPECT_OK(batch.step(made, step, &seen.outputs));
        EXPECT_OK(TrainingBatch::read(made, &now));
        const float good = now.back()[1], skipped = now.back()[2];
        for (int i = 0; i < trib_trainer_tensor_count(made) && skipped > float(step); ++i)
            EXPECT_TRUE(trib_trainer_tensor_at(made, i).role == TRIB_TENSOR_GRADIENT || now[i] == begin[i]) << step;
        EXPECT_TRUE(step > 0 || (good == 0 && skipped == 1)) << good << " " << skipped;
    }
    EXPECT_LT(now.back()[2], 10) << "steps skipped";
    EXPECT_FALSE(now[0] == begin[0]);
    for (int i = 0; i < trib_trainer_tensor_count(made); ++i) // the last step may be one that is skipped
        if (trib_trainer_tensor_at(made, i).role == TRIB_TENSOR_GRADIENT) now[i].clear();
    seen.tensors = now;
    return seen;
}

TEST(TrainingLossScale, OverflowsAreSkippedOnTheDeviceAndTheScaleFalls)
{
    const Trained serial = overflowing(TRIB_SERIAL, TRIB_EAGER);
    EXPECT_TRUE(serial.finite());
    EXPECT_TRUE(overflowing(TRIB_BRANCHES, TRIB_GRAPH) == serial);
    EXPECT_TRUE(overflowing(TRIB_BRANCHES, TRIB_EAGER) == serial);
    EXPECT_TRUE(overflowing(TRIB_SERIAL, TRIB_GRAPH) == serial);
}

// ---- failures ----

fakecuda::Options machine(std::int64_t k)
{
    fakecuda::Options options;
    options.seed = std::uint64_t(k);
    options.memory = options.pinned = std::size_t(32) << 20;
    return options;
}

class TrainingFailures : public testing::TestWithParam<TrainingWay>
{
  protected:
    TrainingFailures() : batch_(GetParam().batch_norm), wanted_(serial(batch_, GetParam())) {}

    void expect_right(trib_device *device)
    {
        Trained seen;
        const trib_status status = train(batch_, device, GetParam(), &seen);
        EXPECT_EQ(status.code, TRIB_OK) << "again on the same device: " << status.message;
        EXPECT_TRUE(seen == wanted_);
    }

    void expect_reported(const trib_status &status, Failure how)
    {
        const std::string function = fakecuda::failed_function(), message = status.message;
        SCOPED_TRACE(function + ": " + message);
        EXPECT_TRUE(status.code == TRIB_DEVICE_ERROR || status.code == TRIB_OUT_OF_MEMORY) << status.code;
        EXPECT_FALSE(function.empty());
        EXPECT_TRUE(how != Failure::sticky || message.find("cudaErrorIllegalAddress") != std::string::npos);
    }

    void expect_nothing_left(trib_device *device)
    {
        EXPECT_EQ(trib_device_memory(device).current_bytes, 0);
        for (const std::string &text : fakecuda::violations()) ADD_FAILURE() << text;
    }

    void fail_step(std::int64_t k, Failure how, std::int64_t *reported);
    std::int64_t count_calls_of_steps();

    TrainingBatch batch_;
    Trained wanted_;
};

// The k-th call of the steps, and of reading what they gave.
void TrainingFailures::fail_step(std::int64_t k, Failure how, std::int64_t *reported)
{
    SCOPED_TRACE("call " + std::to_string(k));
    fakecuda::reset(machine(k));
    nets::Device device = network::open();
    trib_trainer *made = nullptr;
    ASSERT_OK(batch_.create(device.get(), GetParam(), &made));
    Trainer trainer(made);
    Trained seen;
    trib_status status = trib_success();
    fakecuda::fail(k, how);
    for (std::uint64_t i = 0; i < steps && !trib_failed(&status); ++i) status = batch_.step(made, i, &seen.outputs);
    if (!trib_failed(&status)) status = TrainingBatch::read(made, &seen.tensors);
    trainer.reset();
    const bool failed = trib_failed(&status);
    fakecuda::stop_failing();
    if (failed) expect_reported(status, how);
    EXPECT_TRUE(failed || seen == wanted_) << "a failure was swallowed";
    *reported += failed;
    expect_nothing_left(device.get());
    if (how == Failure::once && failed && k % 7 == 0) expect_right(device.get());
}

std::int64_t TrainingFailures::count_calls_of_steps()
{
    fakecuda::reset(machine(1));
    nets::Device device = network::open();
    trib_trainer *made = nullptr;
    Trained seen;
    EXPECT_OK(batch_.create(device.get(), GetParam(), &made));
    Trainer trainer(made);
    fakecuda::fail(0, Failure::once);
    for (std::uint64_t i = 0; i < steps; ++i) EXPECT_OK(batch_.step(made, i, &seen.outputs));
    EXPECT_OK(TrainingBatch::read(made, &seen.tensors));
    EXPECT_TRUE(seen == wanted_);
    return fakecuda::stop_failing();
}

TEST_P(TrainingFailures, OfEachCallOfAStep)
{
    const std::int64_t calls = count_calls_of_steps(), step = support::by_form(293, 23, 1);
    ASSERT_GT(calls, 100);
    for (Failure how : { Failure::once, Failure::forever, Failure::sticky }) {
        std::int64_t reported = 0;
        for (std::int64_t k = 1; k <= calls && !HasFailure(); k += step) fail_step(k, how, &reported);
        EXPECT_GT(reported, calls / step / 2);
    }
    std::printf("%lld calls\n", static_cast<long long>(calls));
    fakecuda::reset();
}

// From opening the device on.
TEST_P(TrainingFailures, OfCallsOfCreating)
{
    fakecuda::reset(machine(1));
    fakecuda::fail(0, Failure::once);
    {
        nets::Device device = network::open();
        expect_right(device.get());
    }
    const std::int64_t calls = fakecuda::stop_failing(), step = support::by_form(1999, 199, 17);
    for (std::int64_t k = 1; k <= calls && !HasFailure(); k += step) {
        SCOPED_TRACE("call " + std::to_string(k));
        fakecuda::reset(machine(k));
        trib_device *opened = nullptr;
        Trained seen;
        fakecuda::fail(k, Failure::once);
        trib_status status = trib_device_open("cuda", nullptr, &opened);
        nets::Device device(opened);
        if (!trib_failed(&status)) status = train(batch_, opened, GetParam(), &seen);
        const bool failed = trib_failed(&status);
        fakecuda::stop_failing();
        if (failed) expect_reported(status, Failure::once);
        EXPECT_TRUE(failed || seen == wanted_) << "a failure was swallowed";
        if (!opened) continue;
        expect_nothing_left(opened);
        if (k / step % 5 == 0) expect_right(opened);
    }
    fakecuda::reset();
}

INSTANTIATE_TEST_SUITE_P(Network, TrainingFailures,
                         testing::Values(TrainingWay { true, TRIB_BRANCHES, TRIB_GRAPH },
                                         TrainingWay { false, TRIB_BRANCHES, TRIB_EAGER, TRIB_PRECISION_FP16, 256 }),
                         [](const auto &info) { return name_of(info.param); });

} // namespace

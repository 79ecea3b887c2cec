// SPDX-License-Identifier: Apache-2.0
// What happens to gradients before an update: they are summed up over several runs, and clipped.
#include "runtime/trained.h"

using namespace training;

namespace
{

// The length of all gradients.
double length_of(const Trained &run)
{
    double squares = 0;
    for (int i = 0; i < trib_trainer_tensor_count(run.trainer.get()); ++i)
        if (trib_trainer_tensor_at(run.trainer.get(), i).role == TRIB_TENSOR_GRADIENT)
            for (float g : run.read(i)) squares += double(g) * double(g);
    return std::sqrt(squares);
}

void expect_close(const Trained &a, const Trained &b, double bound)
{
    ASSERT_EQ(trib_trainer_tensor_count(a.trainer.get()), trib_trainer_tensor_count(b.trainer.get()));
    for (int i = 0; i < trib_trainer_tensor_count(a.trainer.get()); ++i) {
        const trib_trainer_tensor t = trib_trainer_tensor_at(a.trainer.get(), i);
        EXPECT_LE(support::relative_error(a.read(i), b.read(i)), bound)
            << trib_tensor_role_name(t.role) << " " << t.name;
    }
}

// ---- clipping ----

TEST(ClippedGradients, AreShorterTogether)
{
    auto graph = nets::inception(false);
    for (bool caffe : { false, true }) {
        trib_training t = training_of(one_loss, 1);
        t.clip = true;
        t.caffe_rules = caffe;
        Trained free(graph.get(), t, 2), clipped(graph.get(), t, 2);
        clipped.controls.clip_norm = 1e-3f;
        ASSERT_OK(free.step());
        ASSERT_OK(clipped.step());
        const double length = length_of(free);
        ASSERT_GT(length, 1e-2);
        EXPECT_NEAR(length_of(clipped), 1e-3, 1e-9);
        for (const char *name : { "stem.weight", "stem.bias" }) {
            auto expected = free.tensor(TRIB_TENSOR_GRADIENT, name);
            for (float &g : expected) g = float(double(g) * 1e-3 / length);
            EXPECT_LE(support::relative_error(clipped.tensor(TRIB_TENSOR_GRADIENT, name), expected), 1e-5) << name;
        }
    }
}

TEST(ClippedGradients, ThatAreShortEnoughKeepTheirBits)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    Trained free(graph.get(), t, 2);
    ASSERT_OK(free.step());
    t.clip = true;
    for (float most : { 0.0f, 1e6f }) {
        Trained clipped(graph.get(), t, 2);
        clipped.controls.clip_norm = most;
        ASSERT_OK(clipped.step());
        EXPECT_TRUE(same_bits(free.state(), clipped.state())) << most;
    }
}

// The length is that of the gradients of the loss, whatever the loss is multiplied by.
TEST(ClippedGradients, DoNotDependOnTheLossScale)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.clip = true;
    Trained one(graph.get(), t, 2), scaled(graph.get(), t, 2);
    one.controls.clip_norm = scaled.controls.clip_norm = 1e-2f;
    scaled.controls.loss_scale = 1024;
    ASSERT_OK(one.step());
    ASSERT_OK(scaled.step());
    EXPECT_TRUE(same_bits(one.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"),
                          scaled.tensor(TRIB_TENSOR_PARAMETER, "stem.weight")));
}

// ---- sums ----

// Runs of a step: run `i` of `count`.
trib_status run_of_step(Trained &t, int i, int count)
{
    t.controls.add_to_sum = i > 0;
    t.controls.no_update = i + 1 < count;
    return t.step();
}

// Without batch norm, whose statistics are those of a run, and dropout, which differs from run to run.
TEST(SummedGradients, AreThoseOfOneLargeBatch)
{
    constexpr int runs = 3, images = 2;
    auto graph = nets::inception(false);
    for (bool caffe : { false, true }) {
        trib_training t = training_of(one_loss, 1);
        t.average = t.clip = t.no_dropout = true;
        t.caffe_rules = caffe;
        Trained whole(graph.get(), t, runs * images);
        t.accumulate = runs;
        Trained parts(graph.get(), t, images);
        whole.controls.clip_norm = parts.controls.clip_norm = 0.05f;
        const std::size_t pixels = whole.input.size() / runs;
        for (int step = 0; step < 2; ++step) {
            ASSERT_OK(whole.step());
            for (int i = 0; i < runs; ++i) {
                const float *from = whole.input.data() + pixels * std::size_t(i);
                parts.input.assign(from, from + pixels);
                parts.labels.assign(&whole.labels[std::size_t(images * i)],
                                    &whole.labels[std::size_t(images * i)] + images);
                ASSERT_OK(run_of_step(parts, i, runs));
            }
            EXPECT_NEAR(length_of(parts), 0.05, 1e-6);
            expect_close(parts, whole, 1e-5);
        }
    }
}

// Only sums and batch norm's statistics move.
TEST(SummedGradients, WaitForTheLastRun)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.average = t.clip = true;
    t.accumulate = 2;
    Trained run(graph.get(), t, 2);
    run.controls.clip_norm = 1e-3f;
    const auto values_of = [&](bool updated) {
        std::vector<float> all;
        for (int i = 0; i < trib_trainer_tensor_count(run.trainer.get()); ++i) {
            const trib_trainer_tensor of = trib_trainer_tensor_at(run.trainer.get(), i);
            const std::string name = of.name;
            const bool statistic = name.find("running") != std::string::npos;
            if (of.role == TRIB_TENSOR_GRADIENT || statistic == updated) continue;
            for (float value : run.read(i)) all.push_back(value);
        }
        return all;
    };
    const std::vector<float> updated = values_of(true), statistics = values_of(false);
    ASSERT_FALSE(statistics.empty());
    ASSERT_OK(run_of_step(run, 0, 2));
    EXPECT_TRUE(same_bits(values_of(true), updated));
    EXPECT_FALSE(same_bits(values_of(false), statistics));
    EXPECT_GT(length_of(run), 1e-2); // clipping waits, too
    ASSERT_OK(run_of_step(run, 1, 2));
    EXPECT_FALSE(same_bits(values_of(true), updated));
    EXPECT_NEAR(length_of(run), 1e-3, 1e-9);
}

TEST(SummedGradients, BeginAnewWhateverWasThere)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.accumulate = 2;
    Trained fresh(graph.get(), t, 2), used(graph.get(), t, 2);
    for (int i = 0; i < trib_trainer_tensor_count(used.trainer.get()); ++i)
        if (trib_trainer_tensor_at(used.trainer.get(), i).role == TRIB_TENSOR_GRADIENT)
            ASSERT_OK(trib_trainer_write(used.trainer.get(), i, std::vector<float>(used.read(i).size(), NAN).data()));
    for (int i = 0; i < 2; ++i) {
        ASSERT_OK(run_of_step(fresh, i, 2));
        ASSERT_OK(run_of_step(used, i, 2));
    }
    EXPECT_TRUE(same_bits(fresh.state(), used.state()));
}

TEST(SummedGradients, SameBitsForAllSchedulesLaunchesAndThreads)
{
    auto graph = nets::little_googlenet();
    trib_training t = training_of(one_loss, 1);
    t.average = t.clip = true;
    t.accumulate = 2;
    std::vector<float> first;
    for (int way = 0; way < 3; ++way) {
        Trained run(graph.get(), t, 3, trib_schedule(way), way ? TRIB_GRAPH : TRIB_EAGER, 1 + way);
        ASSERT_OK(run.created);
        run.controls.clip_norm = 0.1f;
        for (int i = 0; i < 4; ++i) ASSERT_OK(run_of_step(run, i % 2, 2));
        if (first.empty()) first = run.state();
        EXPECT_TRUE(same_bits(first, run.state())) << trib_schedule_name(trib_schedule(way));
    }
}

// The memory of a second set of gradients, and nothing where a step is one run.
TEST(SummedGradients, TakeTheMemoryOfGradients)
{
    auto graph = nets::inception(true);
    auto device = nets::cpu();
    trib_training t = training_of(one_loss, 1);
    const auto bytes_with = [&](int runs) {
        t.accumulate = runs;
        nets::Plan p = nets::plan(graph.get(), device.get(), options_of(t, 2));
        return p ? p->parameter_bytes : 0;
    };
    const std::int64_t without = bytes_with(0), with = bytes_with(2);
    EXPECT_EQ(without, bytes_with(1));
    EXPECT_EQ(with, bytes_with(7));
    t.no_update = true; // no momentum
    t.accumulate = 0;
    nets::Plan p = nets::plan(graph.get(), device.get(), options_of(t, 2));
    ASSERT_TRUE(p);
    EXPECT_EQ(with - without, without - p->parameter_bytes);
}

// ---- a loss scale that adapts ----

trib_training adapting(float scale, int growth)
{
    trib_training t = training_of(one_loss, 1);
    t.average = true;
    t.loss_scale = scale;
    t.loss_scale_growth = growth;
    return t;
}

trib_loss_scale scale_of(const Trained &run)
{
    trib_loss_scale scale = {};
    EXPECT_OK(trib_trainer_read_loss_scale(run.trainer.get(), &scale));
    return scale;
}

// Powers of two leave no trace in float32.
TEST(LossScale, ThatAdaptsChangesNoUpdate)
{
    auto graph = nets::inception(true);
    Trained plain(graph.get(), training_of(one_loss, 1), 2), scaled(graph.get(), adapting(1024, 2), 2);
    for (int i = 0; i < 5; ++i) {
        ASSERT_OK(plain.step());
        ASSERT_OK(scaled.step());
    }
    EXPECT_TRUE(same_bits(plain.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"),
                          scaled.tensor(TRIB_TENSOR_PARAMETER, "stem.weight")));
    const trib_loss_scale scale = scale_of(scaled);
    EXPECT_EQ(scale.scale, 4096) << "doubled after two steps, and again after two";
    EXPECT_EQ(scale.good_steps, 1);
    EXPECT_EQ(scale.skipped_steps, 0);
}

// Gradients overflow: the step is skipped, the scale falls, until gradients are finite.
TEST(LossScale, StepsThatOverflowAreSkippedUntilTheScaleFits)
{
    auto graph = nets::inception(false);
    Trained run(graph.get(), adapting(0x1p127f, 2000), 2);
    run.controls.loss_scale = 4;
    const std::vector<float> begin = run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight");
    int skipped = 0;
    for (; skipped < 20; ++skipped) {
        ASSERT_OK(run.step());
        const trib_loss_scale scale = scale_of(run);
        if (scale.good_steps > 0) break;
        EXPECT_EQ(scale.skipped_steps, float(skipped + 1));
        EXPECT_EQ(scale.scale, std::ldexp(1.0f, 126 - skipped));
        EXPECT_TRUE(same_bits(run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"), begin));
        EXPECT_TRUE(same_bits(run.tensor(TRIB_TENSOR_AVERAGE, "stem.weight"), begin));
        for (float v : run.tensor(TRIB_TENSOR_MOMENTUM, "stem.weight")) ASSERT_EQ(v, 0);
    }
    EXPECT_GT(skipped, 0);
    EXPECT_LT(skipped, 20);
    EXPECT_FALSE(same_bits(run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"), begin));
    for (float w : run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight")) ASSERT_TRUE(std::isfinite(w));
}

// Of a step of two runs, only the last one counts; an overflow in the first spoils the sum.
TEST(LossScale, OfAccumulatedGradientsIsAdjustedOncePerStep)
{
    auto graph = nets::inception(false);
    for (bool overflows : { false, true }) {
        trib_training t = adapting(overflows ? 0x1p127f : 8, 1);
        t.accumulate = 2;
        Trained run(graph.get(), t, 2);
        if (overflows) run.controls.loss_scale = 1024;
        run.controls.no_update = 1;
        ASSERT_OK(run.step());
        EXPECT_EQ(scale_of(run).scale, overflows ? 0x1p127f : 8);
        run.controls.no_update = 0, run.controls.add_to_sum = 1;
        run.controls.loss_scale = 1;
        ASSERT_OK(run.step());
        EXPECT_EQ(scale_of(run).scale, overflows ? 0x1p126f : 16);
    }
}

// It resumes exactly.
TEST(LossScale, IsReadAndWritten)
{
    auto graph = nets::inception(false);
    Trained run(graph.get(), adapting(8, 3), 2), plain(graph.get(), training_of(one_loss, 1), 2);
    const trib_loss_scale there = { 64, 2, 5, 0 };
    trib_loss_scale none;
    ASSERT_OK(trib_trainer_write_loss_scale(run.trainer.get(), &there));
    ASSERT_OK(run.step());
    EXPECT_EQ(scale_of(run).scale, 128);
    EXPECT_EQ(scale_of(run).good_steps, 0);
    EXPECT_EQ(scale_of(run).skipped_steps, 5);
    EXPECT_FAILS(trib_trainer_read_loss_scale(plain.trainer.get(), &none), TRIB_INVALID_ARGUMENT, "no loss scale");
    EXPECT_FAILS(trib_trainer_write_loss_scale(plain.trainer.get(), &there), TRIB_INVALID_ARGUMENT, "no loss scale");
}

TEST(LossScale, ThatIsNoneIsRefused)
{
    auto graph = nets::inception(false);
    for (float scale : { -1.0f, INFINITY, NAN }) {
        Trained run(graph.get(), adapting(scale, 0), 2);
        EXPECT_FAILS(run.created, TRIB_INVALID_ARGUMENT, "a loss scale of");
    }
    EXPECT_FAILS(Trained(graph.get(), adapting(1, -1), 2).created, TRIB_INVALID_ARGUMENT, "after -1 steps");
}

} // namespace

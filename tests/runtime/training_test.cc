// SPDX-License-Identifier: Apache-2.0
// Plans for training and the trainer that runs them: order, bits, state, and what they refuse.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

#include "runtime/mutants.h"
#include "runtime/trained.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

namespace
{

using nets::Plan;
using namespace training;

// ---- plans ----

TEST(Training, CheckerAcceptsEveryPlanAndCatchesEveryDeletedRecordAndWait)
{
    auto device = nets::cpu();
    for (const trib_network *variant : { support::bvlc, support::torchvision })
        for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED }) {
            auto graph = nets::googlenet(variant, 224, 10, true);
            trib_training t = training_of(three_losses, 3);
            t.average = true;
            t.clip = true;
            t.caffe_rules = variant == support::bvlc;
            t.accumulate = variant == support::bvlc ? 2 : 1;
            Plan p = nets::plan(graph.get(), device.get(), options_of(t, 2, schedule));
            ASSERT_TRUE(p);
            ASSERT_OK(trib_plan_check_stream_order(p.get()));
            if (schedule != TRIB_BRANCHES) continue;
            mutants::Tally tally = mutants::delete_each_record_and_wait(p.get());
            std::printf("%s: %d mutants, %d change the order, %d caught\n", trib_network_name(variant), tally.mutants,
                        tally.changed, tally.caught);
            EXPECT_GE(tally.mutants, 9 * 12);
            EXPECT_EQ(tally.caught, tally.changed);
        }
}

// An update reads all gradients and writes all parameters, which other ops know by other names.
TEST(Training, CheckerSeesParametersThroughTheUpdate)
{
    auto device = nets::cpu();
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    Plan p = nets::plan(graph.get(), device.get(), options_of(t, 2, TRIB_BRANCHES));
    ASSERT_TRUE(p);
    trib_plan_op &update = p->ops[p->op_count - 1];
    ASSERT_STREQ(update.name, "update");
    update.stream = p->stream_count++;
    update.wait_count = 1;
    for (int i = 0; i < p->op_count; ++i) // it follows the beginning only
        if (p->ops[i].record >= 0) {
            update.waits[0] = p->ops[i].record;
            break;
        }
    EXPECT_FAILS(trib_plan_check_stream_order(p.get()), TRIB_INTERNAL, "update (stream 4)");
}

TEST(Training, RecomputingKeepsLess)
{
    auto graph = nets::googlenet(support::torchvision, 224, 10, true);
    auto device = nets::cpu();
    trib_training t = training_of(three_losses, 3);
    trib_plan_options o = options_of(t, 16);
    Plan with = nets::plan(graph.get(), device.get(), o);
    o.disabled_passes = 1u << TRIB_PASS_RECOMPUTE;
    Plan without = nets::plan(graph.get(), device.get(), o);
    ASSERT_TRUE(with && without);
    std::printf("arena %.1f MB, without recomputing %.1f MB\n", double(with->arena_bytes) * 1e-6,
                double(without->arena_bytes) * 1e-6);
    EXPECT_LT(with->arena_bytes, without->arena_bytes);
    EXPECT_GT(with->op_count, without->op_count);
}

TEST(Training, GradientOfAForksInputIsOneProduct)
{
    auto graph = nets::googlenet(support::torchvision, 64, 10);
    auto device = nets::cpu();
    trib_training t = training_of(one_loss, 1);
    Plan p = nets::plan(graph.get(), device.get(), options_of(t, 2));
    ASSERT_TRUE(p);
    int merged = 0, data = 0;
    for (int i = 0; i < p->op_count; ++i) {
        data += p->ops[i].desc.kind == TRIB_CONV2D_BACKWARD_DATA;
        merged += p->ops[i].desc.kind == TRIB_CONV2D_BACKWARD_DATA && std::strstr(p->ops[i].name, "1x1+2/");
    }
    EXPECT_EQ(merged, 9);
    EXPECT_EQ(data, 57 - 1 - 9 * 2); // not of the first, and one for three
}

TEST(Training, HeadsWithoutALossTakeNoMemory)
{
    auto with = nets::googlenet(support::torchvision, 64, 10, true);
    auto without = nets::googlenet(support::torchvision, 64, 10);
    auto device = nets::cpu();
    const trib_training t = training_of(one_loss, 1);
    Plan a = nets::plan(with.get(), device.get(), options_of(t, 2));
    Plan b = nets::plan(without.get(), device.get(), options_of(t, 2));
    ASSERT_TRUE(a && b);
    EXPECT_EQ(a->parameter_bytes, b->parameter_bytes);
    EXPECT_EQ(a->tensor_count, b->tensor_count);
}

TEST(Training, WhatCannotBeTrainedIsRefused)
{
    auto graph = nets::googlenet(support::torchvision, 64, 10);
    auto device = nets::cpu();
    trib_plan *out = nullptr;
    auto make = [&](const trib_plan_options &o) { return trib_plan_create(graph.get(), device.get(), &o, &out); };
    trib_training t = training_of(one_loss, 0);
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "0 losses");
    const trib_loss unknown[] = { { "logit", 1 } };
    t = training_of(unknown, 1);
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_NOT_FOUND, "logit");
    const trib_loss nameless[] = { { nullptr, 1 } };
    t = training_of(nameless, 1);
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "names no output");
    const trib_loss nan[] = { { "logits", NAN } };
    t = training_of(nan, 1);
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "not finite");
    const trib_loss image[] = { { "inception_3a/output", 1 } };
    t = training_of(image, 1);
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "logits");
    t = training_of(one_loss, 1);
    trib_plan_options o = options_of(t, 2);
    o.top_k = 5;
    EXPECT_FAILS(make(o), TRIB_INVALID_ARGUMENT, "give no others");
    o = options_of(t, 2);
    o.disabled_passes = 1u << TRIB_PASS_BACKWARD;
    EXPECT_FAILS(make(o), TRIB_INVALID_ARGUMENT, "backward");
    t.frozen_count = 1;
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "frozen");
    t = training_of(one_loss, 1);
    t.accumulate = -1;
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "a step of -1 runs");
    t = training_of(one_loss, 1);
    t.label_smoothing = 1;
    EXPECT_FAILS(make(options_of(t, 2)), TRIB_INVALID_ARGUMENT, "smoothing");
}

// ---- steps ----

TEST(Training, SameBitsForAllSchedulesLaunchesAndThreads)
{
    auto graph = nets::googlenet(support::torchvision, 64, 10, true);
    trib_training t = training_of(three_losses, 3);
    t.average = true;
    std::vector<float> first;
    struct Way {
        trib_schedule schedule;
        trib_launch launch;
        int threads;
    };
    const Way ways[] = { { TRIB_SERIAL, TRIB_EAGER, 1 },
                         { TRIB_BRANCHES, TRIB_GRAPH, 4 },
                         { TRIB_FUSED, TRIB_EAGER, 2 },
                         { TRIB_SERIAL, TRIB_GRAPH, 3 },
                         { TRIB_BRANCHES, TRIB_EAGER, 2 } };
    for (int k = 0; k < support::by_form(3, 5); ++k) {
        const Way &way = ways[k];
        Trained run(graph.get(), t, 4, way.schedule, way.launch, way.threads);
        ASSERT_OK(run.created);
        for (int i = 0; i < support::by_form(2, 3); ++i) ASSERT_OK(run.step());
        std::vector<float> state = run.state();
        EXPECT_TRUE(std::isfinite(mean(state)));
        if (first.empty()) first = state;
        EXPECT_TRUE(same_bits(first, state))
            << trib_schedule_name(way.schedule) << " " << way.launch << " " << way.threads;
    }
}

TEST(Training, LossFallsOnOneBatch)
{
    for (const trib_network *variant : { support::bvlc, support::torchvision }) {
        auto graph = nets::googlenet(variant, 64, 10);
        trib_training t = training_of(one_loss, 1);
        t.no_dropout = true;
        Trained run(graph.get(), t, 6);
        ASSERT_OK(run.created);
        run.controls.lr = variant == support::bvlc ? 0.002f : 0.01f;
        ASSERT_OK(run.step());
        double before = mean(run.outputs["loss/logits"]);
        for (int i = 0; i < 15; ++i) ASSERT_OK(run.step());
        double after = mean(run.outputs["loss/logits"]);
        std::printf("%s: loss %.3f, then %.3f\n", trib_network_name(variant), before, after);
        EXPECT_LT(after, before / 2);
    }
}

// Writing parameters, momentum and averages of a step into another trainer continues exactly.
TEST(Training, ResumesBitForBit)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.average = true;
    Trained whole(graph.get(), t, 4);
    ASSERT_OK(whole.created);
    for (int stop = 0; stop < 4; ++stop) {
        Trained resumed(graph.get(), t, 4, TRIB_BRANCHES, TRIB_GRAPH, 1);
        ASSERT_OK(resumed.created);
        resumed.controls.step = whole.controls.step;
        for (int i = 0; i < trib_trainer_tensor_count(whole.trainer.get()); ++i)
            if (trib_trainer_tensor_at(whole.trainer.get(), i).role != TRIB_TENSOR_GRADIENT)
                ASSERT_OK(trib_trainer_write(resumed.trainer.get(), i, whole.read(i).data()));
        ASSERT_OK(whole.step());
        ASSERT_OK(resumed.step());
        EXPECT_TRUE(same_bits(whole.state(), resumed.state())) << "after step " << stop;
    }
}

TEST(Training, DropoutDependsOnSeedAndStepOnly)
{
    auto graph = nets::googlenet(support::torchvision, 64, 10);
    trib_training t = training_of(one_loss, 1);
    Trained a(graph.get(), t, 3), b(graph.get(), t, 3), c(graph.get(), t, 3);
    c.controls.seed = 8;
    for (Trained *run : { &a, &b, &c }) ASSERT_OK(run->step());
    EXPECT_TRUE(same_bits(a.outputs["logits"], b.outputs["logits"]));
    EXPECT_FALSE(same_bits(a.outputs["logits"], c.outputs["logits"]));
}

TEST(Training, FrozenParametersKeepTheirValues)
{
    auto graph = nets::googlenet(support::torchvision, 64, 10);
    const char *const frozen[] = { "conv", "inception_3" };
    trib_training t = training_of(one_loss, 1);
    t.frozen = frozen;
    t.frozen_count = 2;
    Trained run(graph.get(), t, 3);
    ASSERT_OK(run.created);
    auto conv = run.tensor(TRIB_TENSOR_PARAMETER, "inception_3a/1x1.weight");
    auto later = run.tensor(TRIB_TENSOR_PARAMETER, "inception_4a/1x1.weight");
    EXPECT_EQ(trib_trainer_find(run.trainer.get(), TRIB_TENSOR_GRADIENT, "inception_3a/1x1.weight"), -1);
    ASSERT_OK(run.step());
    EXPECT_TRUE(same_bits(conv, run.tensor(TRIB_TENSOR_PARAMETER, "inception_3a/1x1.weight")));
    EXPECT_FALSE(same_bits(later, run.tensor(TRIB_TENSOR_PARAMETER, "inception_4a/1x1.weight")));
    const trib_plan *p = trib_trainer_plan(run.trainer.get());
    for (int i = 0; i < p->op_count; ++i)
        EXPECT_FALSE(std::strstr(p->ops[i].name, "inception_3a") && std::strstr(p->ops[i].name, "backward"))
            << p->ops[i].name;
}

// Caffe's rule, seen in one step without momentum: a bias moves by twice the learning rate and does not decay.
TEST(Training, CaffesRuleForBiases)
{
    auto graph = nets::inception(false);
    trib_training t = training_of(one_loss, 1);
    t.caffe_rules = true;
    Trained run(graph.get(), t, 2);
    ASSERT_OK(run.created);
    auto w = run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"), b = run.tensor(TRIB_TENSOR_PARAMETER, "stem.bias");
    ASSERT_OK(run.step());
    auto gw = run.tensor(TRIB_TENSOR_GRADIENT, "stem.weight"), gb = run.tensor(TRIB_TENSOR_GRADIENT, "stem.bias");
    auto w2 = run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"), b2 = run.tensor(TRIB_TENSOR_PARAMETER, "stem.bias");
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= 0.01f * (gw[i] + 1e-3f * w[i]);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] -= 0.02f * gb[i];
    EXPECT_LE(support::relative_error(w2, w), 1e-6);
    EXPECT_LE(support::relative_error(b2, b), 1e-6);
}

TEST(Training, WithoutUpdateParametersStay)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.no_update = true;
    Trained run(graph.get(), t, 2);
    ASSERT_OK(run.created);
    auto before = run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight");
    ASSERT_OK(run.step());
    EXPECT_TRUE(same_bits(before, run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight")));
    EXPECT_GT(std::fabs(mean(run.tensor(TRIB_TENSOR_GRADIENT, "stem.weight"))), 0);
    EXPECT_EQ(trib_trainer_find(run.trainer.get(), TRIB_TENSOR_MOMENTUM, "stem.weight"), -1);
}

TEST(Training, AverageFollowsTheParameters)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.average = true;
    Trained run(graph.get(), t, 2);
    ASSERT_OK(run.created);
    auto before = run.tensor(TRIB_TENSOR_AVERAGE, "stem.weight");
    EXPECT_TRUE(same_bits(before, run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight")));
    ASSERT_OK(run.step());
    auto after = run.tensor(TRIB_TENSOR_PARAMETER, "stem.weight"),
         average = run.tensor(TRIB_TENSOR_AVERAGE, "stem.weight");
    for (std::size_t i = 0; i < before.size(); ++i) before[i] = 0.5f * before[i] + 0.5f * after[i];
    EXPECT_LE(support::relative_error(average, before), 1e-6);
}

// ---- failures ----

TEST(Training, AWrongLabelChangesNothing)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    Trained run(graph.get(), t, 2);
    ASSERT_OK(run.created);
    auto before = run.state();
    for (int label : { -1, 1000000 }) {
        run.labels[1] = label;
        EXPECT_FAILS(run.step(), TRIB_INVALID_ARGUMENT, "of image 1 is not one of the");
    }
    EXPECT_TRUE(same_bits(before, run.state()));
}

TEST(Training, MissingArgumentsAreRefused)
{
    auto graph = nets::inception(true);
    auto device = nets::cpu();
    nets::Parameters parameters(graph.get());
    trib_training t = training_of(one_loss, 1);
    Trained run(graph.get(), t, 2);
    ASSERT_OK(run.created);
    trib_trainer *trainer = run.trainer.get(), *out = nullptr;
    trib_trainer_options o = {};
    o.plan = options_of(t, 2);
    EXPECT_FAILS(trib_trainer_create(nullptr, graph.get(), parameters.data(), &o, &out), TRIB_INVALID_ARGUMENT,
                 "needs");
    EXPECT_FAILS(trib_trainer_create(device.get(), nullptr, parameters.data(), &o, &out), TRIB_INVALID_ARGUMENT,
                 "needs");
    EXPECT_FAILS(trib_trainer_create(device.get(), graph.get(), parameters.data(), nullptr, &out),
                 TRIB_INVALID_ARGUMENT, "needs");
    EXPECT_FAILS(trib_trainer_create(device.get(), graph.get(), nullptr, &o, &out), TRIB_INVALID_ARGUMENT, "");
    o.plan.training = nullptr;
    EXPECT_FAILS(trib_trainer_create(device.get(), graph.get(), parameters.data(), &o, &out), TRIB_INVALID_ARGUMENT,
                 "what to train");

    float value = 0;
    std::int32_t label = 0;
    void *rows[] = { &value, &value };
    const trib_step_controls *c = &run.controls;
    EXPECT_FAILS(trib_trainer_step(nullptr, &value, &label, c, rows), TRIB_INVALID_ARGUMENT, "a step needs");
    EXPECT_FAILS(trib_trainer_step(trainer, nullptr, &label, c, rows), TRIB_INVALID_ARGUMENT, "a step needs");
    EXPECT_FAILS(trib_trainer_step(trainer, &value, nullptr, c, rows), TRIB_INVALID_ARGUMENT, "a step needs");
    EXPECT_FAILS(trib_trainer_step(trainer, &value, &label, nullptr, rows), TRIB_INVALID_ARGUMENT, "a step needs");
    EXPECT_FAILS(trib_trainer_step(trainer, &value, &label, c, nullptr), TRIB_INVALID_ARGUMENT, "a step needs");

    const int count = trib_trainer_tensor_count(trainer);
    for (int index : { -1, count }) {
        EXPECT_FAILS(trib_trainer_read(trainer, index, &value), TRIB_INVALID_ARGUMENT, "there is no tensor");
        EXPECT_FAILS(trib_trainer_write(trainer, index, &value), TRIB_INVALID_ARGUMENT, "there is no tensor");
    }
    EXPECT_FAILS(trib_trainer_read(trainer, 0, nullptr), TRIB_INVALID_ARGUMENT, "tensor 0");
    EXPECT_FAILS(trib_trainer_write(nullptr, 0, &value), TRIB_INVALID_ARGUMENT, "tensor 0");
    EXPECT_EQ(trib_trainer_find(trainer, TRIB_TENSOR_PARAMETER, "stem"), -1);
    trib_trainer_destroy(nullptr);
}

TEST(Training, BeginsWithParametersOfSixteenBits)
{
    auto graph = nets::inception(true);
    nets::Parameters full(graph.get());
    Halves halves(graph.get());
    trib_training t = training_of(one_loss, 1);
    Trained run(graph.get(), t, 2, TRIB_SERIAL, TRIB_EAGER, 2, 0, halves.data());
    ASSERT_OK(run.created);
    for (int i = 0; i < trib_trainer_tensor_count(run.trainer.get()); ++i) {
        const trib_trainer_tensor tensor = trib_trainer_tensor_at(run.trainer.get(), i);
        if (tensor.role != TRIB_TENSOR_PARAMETER) continue;
        const trib_plan_tensor &place = trib_trainer_plan(run.trainer.get())->tensors[i];
        const auto *wanted = static_cast<const float *>(full.data()[place.parameter].data);
        const std::vector<float> values = run.read(i);
        for (std::size_t k = 0; k < values.size(); ++k)
            ASSERT_EQ(values[k], trib_bf16_to_f32(trib_f32_to_bf16(wanted[k]))) << tensor.name << " " << k;
    }
}

TEST(Training, EveryAllocationCanFail)
{
    auto graph = nets::inception(true);
    trib_training t = training_of(one_loss, 1);
    t.average = t.clip = true;
    t.accumulate = 2;
    const Halves halves(graph.get()); // which are converted
    for (std::int64_t k = 1; k < 100000; ++k) {
        Trained run(graph.get(), t, 2, TRIB_BRANCHES, TRIB_GRAPH, 2, k, halves.data());
        trib_status status = run.created;
        if (!trib_failed(&status)) status = run.step();
        if (trib_fault_disarm() < k) break;
        if (!trib_failed(&status)) continue;
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << k << ": " << status.message;
    }
}

} // namespace

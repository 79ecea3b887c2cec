// SPDX-License-Identifier: Apache-2.0
// Rates and momentum by PyTorch 2.15's schedulers, and by formulas written down here anew.
#include <cmath>
#include <limits>
#include <set>

#include "support/support.h"

namespace
{

trib_lr_options options(const char *schedule, std::int64_t steps = 0, std::int64_t per_epoch = 0)
{
    trib_lr_options o = {};
    o.schedule = trib_lr_schedule_find(schedule);
    EXPECT_NE(o.schedule, nullptr) << schedule;
    o.lr = 0.1, o.momentum = 0.9, o.steps = steps, o.steps_per_epoch = per_epoch;
    return o;
}

trib_lr_options resolved(const trib_lr_options &o)
{
    trib_lr_options out = {};
    EXPECT_OK(trib_lr_resolve(&o, &out));
    return out;
}

trib_status refused(const trib_lr_options &o)
{
    trib_lr_options out = {};
    trib_status status = trib_lr_resolve(&o, &out);
    EXPECT_EQ(out.schedule, nullptr) << "left alone on failure";
    return status;
}

struct Value {
    std::int64_t step;
    double rate, momentum;
};

void expect(const trib_lr_options &o, std::initializer_list<Value> values)
{
    const trib_lr_options r = resolved(o);
    for (const Value &v : values) {
        trib_lr_step now = trib_lr_at(&r, v.step);
        EXPECT_NEAR(now.rate, v.rate, 1e-13 * v.rate) << "step " << v.step;
        EXPECT_NEAR(now.momentum, v.momentum, 1e-13) << "step " << v.step;
    }
}

TEST(Schedule, TheTable)
{
    std::set<std::string> names;
    for (int i = 0; trib_lr_schedule_at(i); ++i) {
        const trib_lr_schedule *s = trib_lr_schedule_at(i);
        EXPECT_TRUE(names.insert(trib_lr_schedule_name(s)).second);
        EXPECT_EQ(trib_lr_schedule_find(trib_lr_schedule_name(s)), s);
        EXPECT_GT(std::string(trib_lr_schedule_summary(s)).size(), 10u);
    }
    EXPECT_EQ(names, (std::set<std::string> { "constant", "paper", "step", "poly", "cosine", "onecycle" }));
    EXPECT_EQ(trib_lr_schedule_at(-1), nullptr);
    EXPECT_EQ(trib_lr_schedule_find("one-cycle"), nullptr);
    EXPECT_EQ(trib_lr_schedule_find(""), nullptr);
}

TEST(Schedule, Constant)
{
    expect(options("constant"), { { 0, 0.1, 0.9 }, { 1, 0.1, 0.9 }, { std::int64_t(1) << 52, 0.1, 0.9 } });
    trib_lr_options none = {};
    none.lr = 0.02;
    expect(none, { { 7, 0.02, 0 } });
}

TEST(Schedule, ThePapersFallsEveryEightEpochs)
{
    expect(options("paper", 0, 100), { { 0, 0.1, 0.9 },
                                       { 799, 0.1, 0.9 },
                                       { 800, 0.096, 0.9 },
                                       { 1599, 0.096, 0.9 },
                                       { 1600, 0.09216, 0.9 },
                                       { 80000, 0.1 * std::pow(0.96, 100), 0.9 } });
}

TEST(Schedule, Step)
{
    expect(options("step", 0, 10), { { 899, 0.1, 0.9 }, { 900, 0.01, 0.9 }, { 1800, 0.001, 0.9 } });
    trib_lr_options o = options("step", 0, 10);
    o.decay_epochs = 2.4, o.decay_rate = 0.5; // epochs need not be whole
    expect(o, { { 23, 0.1, 0.9 }, { 24, 0.05, 0.9 }, { 47, 0.05, 0.9 }, { 48, 0.025, 0.9 } });
}

// torch.optim.lr_scheduler.PolynomialLR(total_iters=200, power=0.5)
TEST(Schedule, Poly)
{
    expect(options("poly", 200), { { 0, 0.1, 0.9 },
                                   { 1, 0.09974968671630002, 0.9 },
                                   { 50, 0.08660254037844387, 0.9 },
                                   { 100, 0.0707106781186548, 0.9 },
                                   { 199, 0.0070710678118654815, 0.9 },
                                   { 200, 0.0070710678118654815, 0.9 },
                                   { 100000, 0.0070710678118654815, 0.9 } });
    trib_lr_options o = options("poly", 200);
    o.min_lr = 0.02, o.decay_rate = 2;
    expect(o, { { 0, 0.1, 0.9 }, { 100, 0.04, 0.9 } });
}

// torch.optim.lr_scheduler.CosineAnnealingLR(T_max=200, eta_min=0.001)
TEST(Schedule, Cosine)
{
    trib_lr_options o = options("cosine", 200);
    o.min_lr = 0.001;
    expect(o, { { 0, 0.1, 0.9 },
                { 1, 0.09999389330784221, 0.9 },
                { 50, 0.0855017856687341, 0.9 },
                { 100, 0.0505, 0.9 },
                { 199, 0.00100610669215778, 0.9 },
                { 200, 0.00100610669215778, 0.9 } });
}

// torch.optim.lr_scheduler.OneCycleLR
TEST(Schedule, OneCycle)
{
    expect(options("onecycle", 1407), { { 0, 0.004, 0.95 },
                                        { 1, 0.004001335790928887, 0.9499986085511157 },
                                        { 200, 0.04822593101734761, 0.9039313218569296 },
                                        { 421, 0.09999998664202937, 0.8500000139145527 },
                                        { 422, 0.09999979396620473, 0.8500002060346193 },
                                        { 800, 0.06771660744613413, 0.8822835216879525 },
                                        { 1406, 4e-07, 0.95 },
                                        { 1407, 4e-07, 0.95 } });
    const trib_lr_options nearly = resolved(options("onecycle", 1407)); // where 1 + cos cancels
    EXPECT_NEAR(trib_lr_at(&nearly, 1405).rate, 6.5436266924221e-07, 1e-16);
    expect(options("onecycle", 10),
           { { 1, 0.052, 0.9 }, { 2, 0.1, 0.85 }, { 3, 0.09504846320134738, 0.854951556604879 } });
    trib_lr_options o = options("onecycle", 100);
    o.pct_start = 0.25, o.div_factor = 10, o.final_div_factor = 100, o.base_momentum = 0.8, o.max_momentum = 0.9;
    expect(o, { { 0, 0.01, 0.9 },
                { 10, 0.04335314297038657, 0.8629409522551261 },
                { 24, 0.1, 0.8 },
                { 25, 0.09995618536343798, 0.8000438584950571 },
                { 60, 0.05318638645048921, 0.8468604740235344 },
                { 99, 0.0001, 0.9 } });
}

TEST(Schedule, OneCycleOfFewSteps)
{
    expect(options("onecycle", 2), { { 0, 0.0811745653949763, 0.8688255099070633 }, { 1, 4e-07, 0.95 } });
    expect(options("onecycle", 1), { { 0, 4e-07, 0.95 } });
    trib_lr_options o = options("onecycle", 10); // PyTorch divides by zero
    o.pct_start = 0.1;
    expect(o, { { 0, 0.1, 0.85 }, { 9, 4e-07, 0.95 } });
}

TEST(Schedule, OneCycleWithTheMomentumFixed)
{
    trib_lr_options o = options("onecycle", 5);
    o.fixed_momentum = true;
    expect(o, { { 0, 0.004, 0.9 }, { 1, 0.09504846320134738, 0.9 }, { 3, 0.0188258346050237, 0.9 } });
    o.schedule = trib_lr_schedule_find("cosine");
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "the momentum of the schedule cosine is fixed in any case");
}

TEST(Schedule, WarmUpInFrontOfAny)
{
    for (int i = 0; trib_lr_schedule_at(i); ++i) {
        const char *name = trib_lr_schedule_name(trib_lr_schedule_at(i));
        SCOPED_TRACE(name);
        trib_lr_options with = options(name, 120, 10);
        with.warmup_epochs = 2, with.warmup_lr = 0.001;
        with = resolved(with);
        const trib_lr_options without = resolved(options(name, 100, 10));
        const double first = trib_lr_at(&without, 0).rate;
        EXPECT_EQ(trib_lr_at(&with, 0).rate, 0.001);
        EXPECT_NEAR(trib_lr_at(&with, 5).rate, 0.001 + (first - 0.001) / 4, 1e-15);
        EXPECT_LT(trib_lr_at(&with, 19).rate, first);
        EXPECT_EQ(trib_lr_at(&with, 3).momentum, trib_lr_at(&without, 0).momentum);
        for (std::int64_t step = 0; step < 120; ++step) {
            EXPECT_EQ(trib_lr_at(&with, 20 + step).rate, trib_lr_at(&without, step).rate) << step;
            EXPECT_EQ(trib_lr_at(&with, 20 + step).momentum, trib_lr_at(&without, step).momentum) << step;
        }
    }
}

TEST(Schedule, WarmUpIsInWholeSteps)
{
    trib_lr_options o = options("constant", 0, 10);
    o.warmup_epochs = 0.25; // 2.5 steps
    EXPECT_EQ(resolved(o).warmup_lr, 1e-5);
    expect(o, { { 0, 1e-5, 0.9 }, { 1, 1e-5 + (0.1 - 1e-5) / 3, 0.9 }, { 3, 0.1, 0.9 } });
    o.warmup_epochs = 0.01; // none
    expect(o, { { 0, 0.1, 0.9 } });
    o.warmup_epochs = 1, o.lr = 1e-7;
    expect(o, { { 0, 1e-7, 0.9 }, { 5, 1e-7, 0.9 } });
}

TEST(Schedule, ResolvingTwiceChangesNothing)
{
    for (int i = 0; trib_lr_schedule_at(i); ++i) {
        trib_lr_options o = options(trib_lr_schedule_name(trib_lr_schedule_at(i)), 100, 10);
        o.warmup_epochs = 1;
        const trib_lr_options once = resolved(o), twice = resolved(once);
        for (std::int64_t step : { 0, 5, 10, 55, 99 })
            EXPECT_EQ(trib_lr_at(&once, step).rate, trib_lr_at(&twice, step).rate);
    }
    const trib_lr_options r = resolved(options("onecycle", 10));
    EXPECT_EQ(r.pct_start, 0.3);
    EXPECT_EQ(r.div_factor, 25);
    EXPECT_EQ(r.final_div_factor, 1e4);
    EXPECT_EQ(r.decay_rate, 0) << "not its own";
}

TEST(Schedule, WhatItNeeds)
{
    for (const char *name : { "poly", "cosine", "onecycle" })
        EXPECT_FAILS(refused(options(name, 0, 10)), TRIB_INVALID_ARGUMENT,
                     std::string("the schedule ") + name + " needs the number of steps of the run");
    for (const char *name : { "paper", "step" })
        EXPECT_FAILS(refused(options(name, 100)), TRIB_INVALID_ARGUMENT,
                     std::string("the schedule ") + name + " needs the number of steps in an epoch");
    trib_lr_options o = options("constant");
    o.warmup_epochs = 1;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "a warm-up needs the number of steps in an epoch");
    o = options("cosine", 50, 10), o.warmup_epochs = 5;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT,
                 "a warm-up of 5 epochs of 10 steps leaves nothing of a run of 50 steps");
    o.steps = 51;
    expect(o, { { 50, 0.1, 0.9 } });
}

TEST(Schedule, OptionsOfOthers)
{
    trib_lr_options o = options("cosine", 10);
    o.decay_rate = 0.5;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT,
                 "the schedule cosine has no decay_rate, but min_lr, warmup_epochs, warmup_lr");
    o = options("onecycle", 10), o.min_lr = 1e-3;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "the schedule onecycle has no min_lr, but pct_start, div_factor");
    o = options("poly", 10), o.decay_epochs = 3;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "the schedule poly has no decay_epochs");
    o = options("paper", 0, 10), o.max_momentum = 0.9;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "the schedule paper has no max_momentum");
    o = options("constant"), o.warmup_lr = 1e-3;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "warmup_lr is set, but warmup_epochs is 0");
}

TEST(Schedule, ImpossibleValues)
{
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
    auto fails = [](trib_lr_options o, double trib_lr_options::*field, double value, const char *text) {
        o.*field = value;
        EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, text);
    };
    for (double bad : { -1.0, infinity, -infinity, nan }) {
        fails(options("cosine", 10), &trib_lr_options::lr, bad, "a learning rate of ");
        fails(options("cosine", 10), &trib_lr_options::momentum, bad, "a momentum of ");
        fails(options("cosine", 10), &trib_lr_options::min_lr, bad, "min_lr is ");
        fails(options("step", 0, 10), &trib_lr_options::decay_epochs, bad, "decay_epochs is ");
        fails(options("step", 0, 10), &trib_lr_options::decay_rate, bad, "decay_rate is ");
        fails(options("step", 0, 10), &trib_lr_options::warmup_epochs, bad, "warmup_epochs is ");
        fails(options("onecycle", 10), &trib_lr_options::div_factor, bad, "div_factor is ");
        fails(options("onecycle", 10), &trib_lr_options::pct_start, bad, "and below 1 is possible");
    }
    fails(options("cosine", 10), &trib_lr_options::lr, 0, "a learning rate of 0; a number above 0 is needed");
    fails(options("cosine", 10), &trib_lr_options::momentum, 1, "a momentum of 1");
    fails(options("cosine", 10), &trib_lr_options::min_lr, 0.2, "min_lr 0.2 is above the learning rate, 0.1");
    fails(options("onecycle", 10), &trib_lr_options::max_momentum, 1, "max_momentum is 1");
    trib_lr_options o = options("constant", 0, 10);
    o.warmup_epochs = 1, o.warmup_lr = 0.3;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "warmup_lr 0.3 is above the learning rate, 0.1");
    o.warmup_epochs = 1e300;
    o.warmup_lr = 0;
    EXPECT_FAILS(refused(o), TRIB_INVALID_ARGUMENT, "a warm-up of 1e+300 epochs");
    EXPECT_FAILS(refused(options("cosine", -1)), TRIB_INVALID_ARGUMENT, "-1 steps");
    EXPECT_FAILS(refused(options("paper", 0, INT64_MAX)), TRIB_INVALID_ARGUMENT, "0 to 2^53 are possible");
}

// ---- averaged weights ----

trib_average average(trib_average_kind kind, double decay = 0, std::int64_t start = 0)
{
    trib_average in = { kind, decay, start }, out = {};
    EXPECT_OK(trib_average_resolve(&in, &out));
    return out;
}

// tf.train.ExponentialMovingAverage(decay, num_updates)
TEST(Average, ExponentialForgetsItsFirstValues)
{
    const trib_average ema = average(TRIB_AVERAGE_EMA, 0.99);
    EXPECT_EQ(trib_average_decay(&ema, 0), 1.0 / 10);
    EXPECT_EQ(trib_average_decay(&ema, 1), 2.0 / 11);
    EXPECT_EQ(trib_average_decay(&ema, 889), 890.0 / 899);
    EXPECT_EQ(trib_average_decay(&ema, 890), 0.99);
    EXPECT_EQ(trib_average_decay(&ema, INT64_MAX), 0.99);
    EXPECT_EQ(average(TRIB_AVERAGE_EMA).decay, 0.9998);
}

TEST(Average, MeanIsTheMean)
{
    const trib_average mean = average(TRIB_AVERAGE_MEAN, 0, 3);
    double value = 100, sum = 0; // the starting point does not count
    for (int n = 0; n < 50; ++n) {
        const double weights = std::sin(n), decay = trib_average_decay(&mean, n);
        value = decay * value + (1 - decay) * weights;
        if (n >= 3) sum += weights;
        EXPECT_NEAR(value, n >= 3 ? sum / (n - 2) : weights, 1e-14) << n;
    }
}

TEST(Average, BeforeItsStartItEqualsTheWeights)
{
    const trib_average ema = average(TRIB_AVERAGE_EMA, 0.5, 10), none = average(TRIB_AVERAGE_NONE);
    EXPECT_EQ(trib_average_decay(&ema, 9), 0);
    EXPECT_EQ(trib_average_decay(&ema, 10), 0.1);
    EXPECT_EQ(trib_average_decay(&none, 1000), 0);
}

TEST(Average, ImpossibleValues)
{
    auto refuse = [](int kind, double decay, std::int64_t start) {
        trib_average in = { trib_average_kind(kind), decay, start }, out = {};
        trib_status status = trib_average_resolve(&in, &out);
        EXPECT_EQ(out.kind, TRIB_AVERAGE_NONE);
        return status;
    };
    for (double bad : { -0.5, 1.0, 2.0, std::nan("") })
        EXPECT_FAILS(refuse(TRIB_AVERAGE_EMA, bad, 0), TRIB_INVALID_ARGUMENT, "a decay of ");
    EXPECT_FAILS(refuse(TRIB_AVERAGE_MEAN, 0.9, 0), TRIB_INVALID_ARGUMENT, "only the exponential average has one");
    EXPECT_FAILS(refuse(TRIB_AVERAGE_EMA, 0, -1), TRIB_INVALID_ARGUMENT, "starts after -1 updates");
    EXPECT_FAILS(refuse(3, 0, 0), TRIB_INVALID_ARGUMENT, "of kind 3");
}

} // namespace

// SPDX-License-Identifier: Apache-2.0
// Several runs, and several lanes.
#include <cmath>
#include <memory>

#include "profile/flows.h"
#include "tributary/internal/fault.h"

using flows::Flow;
using flows::Profile;

namespace
{

// Two branches of which the second takes `length`.
Flow two(std::int64_t length, std::int64_t serial, std::int64_t begin = 100, int lane = 0)
{
    Flow f(2);
    f.window("module", TRIB_PROFILE_FORWARD, { "a", "b" });
    f.op({ "a", 0, begin, begin + 50, {}, 0, 40 });
    f.op({ "b", 1, begin, begin + length, {}, 1, 80 });
    f.op({ "join", 0, 0, 0, { 1 } });
    f.serial = { serial };
    f.lane = lane;
    return f;
}

struct Runs {
    std::vector<std::unique_ptr<Profile>> profiles;
    std::vector<const trib_profile *> list;
    void add(Flow f)
    {
        profiles.push_back(std::make_unique<Profile>());
        ASSERT_OK(analyse(f, *profiles.back()));
        list.push_back(profiles.back().get());
    }
};

struct Medians : trib_profile_medians {
    Medians() : trib_profile_medians() {}
    ~Medians() { trib_profile_medians_release(this); }
};

} // namespace

TEST(Medians, OfOddNumbers)
{
    Runs runs;
    runs.add(two(120, 130));
    runs.add(two(90, 135));
    runs.add(two(100, 200));
    Medians m;
    ASSERT_OK(trib_profile_medians_of(runs.list.data(), 3, &m));
    EXPECT_EQ(m.run_count, 3);
    ASSERT_EQ(m.window_count, 1);
    EXPECT_EQ(m.trace, 2);
    EXPECT_EQ(m.total.wall, 100);
    EXPECT_EQ(m.total.serial, 135);
    EXPECT_EQ(m.windows[0].busy, 150);
    EXPECT_EQ(m.windows[0].overlap, 50);
    EXPECT_EQ(m.windows[0].alone, 120);
    EXPECT_EQ(m.windows[0].idle[TRIB_IDLE_IMBALANCE], 50);
    EXPECT_EQ(m.windows[0].path_busy, 100);
    EXPECT_EQ(m.windows[0].bounds.best, 80);
    EXPECT_EQ(m.windows[0].binding, TRIB_BOUND_PATH);
    // Ratios of the runs as they were: 130 / 120, 135 / 90, 200 / 100.
    EXPECT_DOUBLE_EQ(m.total.gain.gain, 1.5);
    EXPECT_DOUBLE_EQ(m.total.gain.concurrency, 1.5);
    EXPECT_DOUBLE_EQ(m.total.gain.overlap, 0.5);
}

// Of an even number the lower one in the middle: a run that was.
TEST(Medians, OfEvenNumbers)
{
    Runs runs;
    for (const std::int64_t length : { 120, 90, 100, 100 }) runs.add(two(length, 130));
    Medians m;
    ASSERT_OK(trib_profile_medians_of(runs.list.data(), 4, &m));
    EXPECT_EQ(m.total.wall, 100);
    EXPECT_EQ(m.trace, 2); // the first of equals
    Medians one;
    ASSERT_OK(trib_profile_medians_of(runs.list.data(), 1, &one));
    EXPECT_EQ(one.total.wall, 120);
    EXPECT_EQ(one.trace, 0);
}

TEST(Medians, ARatioThatIsUnknownOnceIsUnknown)
{
    Runs runs;
    runs.add(two(120, 130));
    runs.add(two(110, 0));
    runs.add(two(100, 130));
    Medians m;
    ASSERT_OK(trib_profile_medians_of(runs.list.data(), 3, &m));
    EXPECT_TRUE(std::isnan(m.total.gain.gain));
    EXPECT_TRUE(std::isnan(m.windows[0].gain.bound));
    EXPECT_FALSE(std::isnan(m.windows[0].gain.stretch));
}

TEST(Medians, Refusals)
{
    Runs runs;
    runs.add(two(120, 130));
    Flow other(1);
    other.window("a").op({ "x", 0, 10, 20 }).window("b").op({ "y", 0, 20, 30 });
    runs.add(std::move(other));
    Medians m;
    EXPECT_FAILS(trib_profile_medians_of(runs.list.data(), 2, &m), TRIB_INVALID_ARGUMENT, "run 1 has 2 windows");
    EXPECT_FAILS(trib_profile_medians_of(runs.list.data(), 0, &m), TRIB_INVALID_ARGUMENT, "no run");
    for (std::int64_t k = 1;; ++k) {
        trib_fault_arm(k, false);
        const trib_status status = trib_profile_medians_of(runs.list.data(), 1, &m);
        if (trib_fault_disarm() < k) break;
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY);
        EXPECT_EQ(m.storage, nullptr);
    }
}

TEST(Alone, IsTheMiddleOfEachOp)
{
    Flow f = two(120, 0);
    const trib_profile_graph graph = *f.graph();
    const trib_op_time runs[4][3] = { { { 1, 10, 20 }, { 1, 30, 90 }, {} },
                                      { { 1, 10, 25 }, { 1, 30, 70 }, {} },
                                      { { 1, 10, 60 }, { 1, 30, 80 }, {} },
                                      { { 1, 10, 10 }, { 1, 90, 80 }, {} } };
    const trib_op_time *list[] = { runs[0], runs[1], runs[2], runs[3] };
    std::int64_t alone[3];
    ASSERT_OK(trib_profile_alone(&graph, list, 3, alone));
    EXPECT_EQ(alone[0], 15);
    EXPECT_EQ(alone[1], 50);
    EXPECT_EQ(alone[2], 0);
    ASSERT_OK(trib_profile_alone(&graph, list, 2, alone));
    EXPECT_EQ(alone[0], 10);
    EXPECT_FAILS(trib_profile_alone(&graph, list, 4, alone), TRIB_BAD_DATA, "b ends before it starts");
    const trib_op_time none[3] = {};
    list[3] = none;
    EXPECT_FAILS(trib_profile_alone(&graph, list, 4, alone), TRIB_BAD_DATA, "a was not timed alone");
    EXPECT_FAILS(trib_profile_alone(&graph, list, 0, alone), TRIB_INVALID_ARGUMENT, "no run");
    trib_fault_arm(1, false);
    EXPECT_FAILS(trib_profile_alone(&graph, list, 3, alone), TRIB_OUT_OF_MEMORY, "memory");
    trib_fault_disarm();
}

// Two lanes beside each other, and one of them again.
TEST(Lanes, ShareOneDevice)
{
    Flow a = two(100, 0, 100, 0), b = two(80, 0, 160, 1), c = two(60, 0, 210, 0);
    Runs runs;
    for (const Flow &f : { a, b, c }) runs.add(f);
    const trib_profile_graph *graphs[] = { a.graph(), b.graph(), c.graph() };
    trib_profile_device d;
    ASSERT_OK(trib_profile_device_of(runs.list.data(), graphs, 3, 0, 0, &d));
    // a: [100,150) [100,200); b: [160,210) [160,240); c: [210,260) [210,270)
    EXPECT_EQ(d.from, 100);
    EXPECT_EQ(d.to, 270);
    EXPECT_EQ(d.streams, 4);
    EXPECT_EQ(d.busy, 150 + 130 + 110);
    EXPECT_EQ(d.any, 170);
    EXPECT_EQ(d.overlap, 50 + 50 + 50); // 100..150, 160..210, 210..260
    ASSERT_OK(trib_profile_device_of(runs.list.data(), graphs, 3, 140, 170, &d));
    EXPECT_EQ(d.busy, 10 + 30 + 10 + 10);
    EXPECT_EQ(d.any, 30);
    EXPECT_EQ(d.overlap, 20);
    EXPECT_EQ(d.streams, 4);
    ASSERT_OK(trib_profile_device_of(runs.list.data(), graphs, 3, 0, 50, &d));
    EXPECT_EQ(d.any + d.busy + d.overlap + d.streams, 0);
}

// As a device's clock has it where one run follows another.
TEST(Lanes, NoiseIsTrimmed)
{
    Flow a = two(2000, 0, 100, 0), b = two(80, 0, 1100, 0);
    Runs runs;
    for (const Flow &f : { a, b }) runs.add(f);
    const trib_profile_graph *graphs[] = { a.graph(), b.graph() };
    trib_profile_device d;
    ASSERT_OK(trib_profile_device_of(runs.list.data(), graphs, 2, 100, 3000, &d));
    EXPECT_EQ(d.any, 2000); // b's op of stream 1 lies in a's as a whole, and becomes a point
    EXPECT_EQ(d.busy, 2000 + 50 + 50);
}

TEST(Lanes, ACoarseClockHasMoreNoise)
{
    for (std::int64_t step : { 600, 1000 }) {
        Flow a = two(5000, 0, 100, 0), b = two(80, 0, 3100, 0);
        a.clock_step = step;
        Runs runs;
        for (const Flow &f : { a, b }) runs.add(f);
        const trib_profile_graph *graphs[] = { a.graph(), b.graph() };
        trib_profile_device d;
        if (step == 1000)
            EXPECT_OK(trib_profile_device_of(runs.list.data(), graphs, 2, 0, 0, &d));
        else
            EXPECT_FAILS(trib_profile_device_of(runs.list.data(), graphs, 2, 0, 0, &d), TRIB_BAD_DATA,
                         "runs overlap by 2000 ns");
    }
}

TEST(Lanes, Refusals)
{
    Flow a = two(2000, 0, 100, 0), b = two(80, 0, 1099, 0);
    Runs runs;
    for (const Flow &f : { a, b }) runs.add(f);
    const trib_profile_graph *graphs[] = { a.graph(), b.graph() };
    trib_profile_device d;
    EXPECT_FAILS(trib_profile_device_of(runs.list.data(), graphs, 2, 0, 0, &d), TRIB_BAD_DATA,
                 "lane 0, stream 1, runs overlap by 1001 ns");
    EXPECT_FAILS(trib_profile_device_of(runs.list.data(), graphs, 0, 0, 0, &d), TRIB_INVALID_ARGUMENT, "no runs");
    EXPECT_FAILS(trib_profile_device_of(runs.list.data(), graphs, 1, 2, 1, &d), TRIB_INVALID_ARGUMENT, "no runs");
    Flow other(1);
    other.op({ "x", 0, 10, 20 });
    const trib_profile_graph *wrong[] = { other.graph() };
    EXPECT_FAILS(trib_profile_device_of(runs.list.data(), wrong, 1, 0, 0, &d), TRIB_INVALID_ARGUMENT,
                 "run 0 is not of its graph");
    for (std::int64_t k = 1;; ++k) {
        trib_fault_arm(k, false);
        const trib_status status = trib_profile_device_of(runs.list.data(), graphs, 1, 0, 0, &d);
        if (trib_fault_disarm() < k) break;
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY);
    }
}

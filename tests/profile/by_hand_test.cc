// SPDX-License-Identifier: Apache-2.0
// Small networks, all of whose numbers were worked out by hand.
#include <cmath>

#include "profile/flows.h"

using flows::Flow;
using flows::Profile;
using flows::text_of;
using flows::text_of_idle;
using Texts = std::vector<std::string>;

namespace
{

// A module of three branches between two layers:
//
//     ns       100        200  205 210 215  235  250 252   295        352  360   400
//     stream 0 | conv     |    | 1x1        |                         |join| head |
//     stream 1                     | reduce       |  | 3x3            |
//     stream 2                         | 5x5               |
Flow module()
{
    Flow f(3);
    f.window("conv");
    f.op({ "input", 0 });
    f.op({ "conv", 0, 100, 200, {}, -1, 90, 1000000, 50, 400 });
    f.window("module", TRIB_PROFILE_FORWARD, { "1x1", "3x3", "5x5" });
    f.op({ "1x1", 0, 205, 235, {}, 0, 28, 500000, 10, 20 });
    f.op({ "reduce", 1, 210, 250, { 1 }, 1, 30, 250000, 20, 40 });
    f.op({ "3x3", 1, 252, 352, {}, 1, 80, 750000, 30, 60 });
    f.op({ "5x5", 2, 215, 295, { 1 }, 2, 70, 500000, 40, 80 });
    f.op({ "join", 0, 0, 0, { 4, 5 } });
    f.window("head");
    f.op({ "head", 0, 360, 400, {}, -1, 40, 0, 0, 0 });
    f.serial = { 101, 260, 45 };
    return f;
}

const trib_profile_limits rates = { 1e9, 2e9, 4 };

} // namespace

TEST(ByHand, AModulesTimes)
{
    Flow f = module();
    Profile p;
    ASSERT_OK(analyse(f, p, rates));
    flows::expect_closed(p, { 100, 30, 40, 100, 80, 40 });
    ASSERT_EQ(p.window_count, 3);
    const trib_profile_window &w = p.windows[1];
    EXPECT_EQ(w.from, 200);
    EXPECT_EQ(w.to, 352);
    EXPECT_EQ(w.streams, 3);
    EXPECT_EQ(w.stream[0].busy, 30);
    EXPECT_EQ(w.stream[1].busy, 140);
    EXPECT_EQ(w.stream[2].busy, 80);
    EXPECT_EQ(w.at[0], 5);
    EXPECT_EQ(w.at[1], 64);
    EXPECT_EQ(w.at[2], 63);
    EXPECT_EQ(w.at[3], 20);
    EXPECT_EQ(w.any, 147);
    EXPECT_EQ(w.overlap, 83);
    EXPECT_EQ(w.sum, 250);
    EXPECT_EQ(w.alone, 208);
    EXPECT_EQ(p.windows[0].wall, 100);
    EXPECT_EQ(p.windows[0].streams, 1);
    EXPECT_EQ(p.windows[2].from, 352);
    EXPECT_EQ(p.windows[2].wall, 48);
    EXPECT_EQ(p.negative_gaps, 0);
    EXPECT_EQ(p.trimmed, 0);
}

TEST(ByHand, AModulesGainAndItsFactors)
{
    Flow f = module();
    Profile p;
    ASSERT_OK(analyse(f, p, rates));
    const trib_profile_gain g = trib_profile_gain_of(&p.windows[1]);
    EXPECT_DOUBLE_EQ(g.gain, 260.0 / 152);
    EXPECT_DOUBLE_EQ(g.serial_gaps, 260.0 / 208);
    EXPECT_DOUBLE_EQ(g.stretch, 208.0 / 250);
    EXPECT_DOUBLE_EQ(g.concurrency, 250.0 / 147);
    EXPECT_DOUBLE_EQ(g.device_busy, 147.0 / 152);
    EXPECT_DOUBLE_EQ(g.overlap, 83.0 / 147);
    EXPECT_DOUBLE_EQ(g.bound, 260.0 / 117);
    EXPECT_DOUBLE_EQ(g.branch_bound, 208.0 / 110);
}

TEST(ByHand, AModulesBounds)
{
    Flow f = module();
    Profile p;
    ASSERT_OK(analyse(f, p, rates));
    const trib_profile_bounds &b = p.windows[1].bounds;
    EXPECT_EQ(b.path, 110);   // reduce, 3x3
    EXPECT_EQ(b.streams, 70); // 208 / 3, rounded up
    EXPECT_EQ(b.device, 117); // 14 + 7.5 + 60 + 35, rounded up
    EXPECT_EQ(b.copies, 100); // 100 bytes at 1 byte a ns
    EXPECT_EQ(b.math, 100);   // 200 operations at 2 a ns
    EXPECT_EQ(b.best, 117);
    EXPECT_EQ(b.binding, TRIB_BOUND_DEVICE);
    EXPECT_EQ(p.windows[1].branch_work, 208);
    EXPECT_EQ(p.windows[1].branch_largest, 110);
    const trib_profile_bounds &run = p.total.bounds;
    EXPECT_EQ(run.path, 90 + 110 + 40);
    EXPECT_EQ(run.streams, 113); // 338 / 3
    EXPECT_EQ(run.device, 207);  // 90 + 116.5
    EXPECT_EQ(run.copies, 150);
    EXPECT_EQ(run.math, 300);
    EXPECT_EQ(run.best, 300);
    EXPECT_EQ(run.binding, TRIB_BOUND_ROOFLINE);
}

TEST(ByHand, AModulesCriticalPathAndSlack)
{
    Flow f = module();
    Profile p;
    ASSERT_OK(analyse(f, p, rates));
    const trib_profile_window &w = p.windows[1];
    EXPECT_EQ(text_of(w.path, *f.graph()), "reduce 10+40, 3x3 2+100, join 0+0");
    EXPECT_EQ(w.path.busy, 140);
    EXPECT_EQ(w.path.gaps, 12);
    EXPECT_EQ(w.path.host, 0);
    EXPECT_EQ(w.branches[1].path, 140);
    EXPECT_EQ(w.branches[1].gaps, 12);
    EXPECT_EQ(w.branches[0].path, 0);
    EXPECT_EQ(w.branches[2].busy, 80);
    EXPECT_EQ(w.branches[2].alone, 70);
    EXPECT_EQ(w.trunk.path + w.trunk.gaps + w.trunk.busy, 0);
    EXPECT_EQ(text_of(p.total.path, *f.graph()), "conv 0+100, reduce 10+40, 3x3 2+100, join 0+0, head 8+40");
    const std::int64_t slack[] = { 0, 0, 117, 0, 0, 57, 0, 0 };
    const bool critical[] = { false, true, false, true, true, false, true, true };
    for (int i = 0; i < p.op_count; ++i) {
        EXPECT_EQ(p.ops[i].slack, slack[i]) << f.ops[std::size_t(i)].name;
        EXPECT_EQ(p.ops[i].window_slack, slack[i]) << f.ops[std::size_t(i)].name;
        EXPECT_EQ(p.ops[i].critical, critical[i]) << f.ops[std::size_t(i)].name;
    }
    EXPECT_EQ(p.ops[6].from, 352);
    EXPECT_EQ(p.ops[6].predecessor, 4);
    EXPECT_EQ(p.ops[0].from, 100);
}

TEST(ByHand, AModulesIdleStreams)
{
    Flow f = module();
    Profile p;
    ASSERT_OK(analyse(f, p, rates));
    const trib_profile_graph &g = *f.graph();
    const trib_profile_window &w = p.windows[1];
    EXPECT_EQ(text_of_idle(w, g, 0),
              (Texts { "latency[200,204) 1x1", "contention[204,205) 1x1", "imbalance[235,352) -:3x3" }));
    EXPECT_EQ(text_of_idle(w, g, 1),
              (Texts { "latency[200,204) reduce", "contention[204,210) reduce", "latency[250,252) 3x3" }));
    EXPECT_EQ(text_of_idle(w, g, 2),
              (Texts { "latency[200,204) 5x5", "contention[204,215) 5x5", "imbalance[295,352) -:3x3" }));
    EXPECT_EQ(w.idle[TRIB_IDLE_LATENCY], 14);
    EXPECT_EQ(w.idle[TRIB_IDLE_CONTENTION], 18);
    EXPECT_EQ(w.idle[TRIB_IDLE_IMBALANCE], 174);
    EXPECT_EQ(w.pieces[2].branch, 1);
    EXPECT_EQ(p.total.streams, 3);
    EXPECT_EQ(p.total.busy, 390);
    EXPECT_EQ(p.total.idle[TRIB_IDLE_LATENCY], 18);
    EXPECT_EQ(p.total.idle[TRIB_IDLE_CONTENTION], 22);
    EXPECT_EQ(p.total.idle[TRIB_IDLE_IMBALANCE], 174);
    EXPECT_EQ(p.total.idle[TRIB_IDLE_NO_WORK], 296); // two streams while the trunk runs
    EXPECT_EQ(text_of_idle(p.total, g, 1).front(), "no work[100,200) -");
    EXPECT_EQ(p.windows[0].idle[TRIB_IDLE_NO_WORK], 0); // K = 1
    EXPECT_EQ(p.windows[0].stream[1].idle[TRIB_IDLE_NO_WORK], 100);
}

// Launched one by one by a host that is not fast enough.
TEST(ByHand, LaunchBound)
{
    Flow f(2);
    f.op({ "a", 0, 1000, 1010, {}, -1, 10, 0, 0, 0, 990 });
    f.op({ "b", 1, 1050, 1060, { 0 }, -1, 10, 0, 0, 0, 1040 });
    f.op({ "c", 0, 1020, 1030, {}, -1, 10, 0, 0, 0, 1018 });
    f.op({ "d", 0, 1063, 1070, { 1 }, -1, 7, 0, 0, 0, 1045 });
    Profile p;
    ASSERT_OK(analyse(f, p, { 0, 0, 3 }));
    flows::expect_closed(p);
    ASSERT_EQ(p.window_count, 1);
    const trib_profile_graph &g = *f.graph();
    EXPECT_EQ(text_of(p.total.path, g), "a 0+10, host:b 30, b 10+10, d 3+7");
    EXPECT_EQ(p.total.path.host, 30);
    EXPECT_EQ(text_of_idle(p.total, g, 0), (Texts { "launch[1010,1018) c", "latency[1018,1020) c",
                                                    "dependency[1030,1060) d:b", "latency[1060,1063) d" }));
    EXPECT_EQ(text_of_idle(p.total, g, 1),
              (Texts { "dependency[1000,1010) b:a", "launch[1010,1040) b", "latency[1040,1043) b",
                       "contention[1043,1050) b", "imbalance[1060,1070) -:d" }));
    EXPECT_EQ(p.ops[0].slack, 30); // b is issued late anyway
    EXPECT_EQ(p.ops[1].slack, 0);
    EXPECT_EQ(p.ops[2].slack, 30);
    EXPECT_EQ(p.ops[1].predecessor, -1);
    EXPECT_EQ(p.ops[1].ready, 1040);
}

// Time of a launch that lies behind a dependency is not the host's; nor is anything where it is unknown.
TEST(ByHand, DependencyComesBeforeLaunch)
{
    for (const std::int64_t issued : { std::int64_t { 1030 }, std::int64_t { 0 } }) {
        Flow f(2);
        f.op({ "a", 0, 1000, 1040 });
        f.op({ "b", 1, 1045, 1050, { 0 }, -1, 0, 0, 0, 0, issued });
        Profile p;
        ASSERT_OK(analyse(f, p));
        flows::expect_closed(p);
        EXPECT_EQ(text_of_idle(p.total, *f.graph(), 1),
                  (Texts { "dependency[1000,1040) b:a", "contention[1040,1045) b" }));
        EXPECT_EQ(text_of(p.total.path, *f.graph()), "a 0+40, b 5+5");
    }
}

// The branches wait for one op that makes the reductions of all, and the pool does not.
TEST(ByHand, ForkWaitsForTheMergedReductions)
{
    Flow f(3);
    f.window("in").op({ "conv", 0, 100, 110 });
    f.window("module", TRIB_PROFILE_FORWARD, { "3x3", "5x5", "pool" });
    f.op({ "merged", 0, 110, 150 });
    f.op({ "3x3", 0, 150, 200, {}, 0, 45 });
    f.op({ "5x5", 1, 152, 170, { 1 }, 1, 20 });
    f.op({ "pool", 2, 112, 122, { 0 }, 2, 10 });
    f.op({ "proj", 2, 124, 130, {}, 2, 5 });
    f.op({ "join", 0, 0, 0, { 3, 5 } });
    Profile p;
    ASSERT_OK(analyse(f, p, { 0, 0, 10 }));
    flows::expect_closed(p);
    const trib_profile_window &w = p.windows[1];
    EXPECT_EQ(text_of_idle(w, *f.graph(), 1),
              (Texts { "fork[110,150) 5x5:merged", "latency[150,152) 5x5", "imbalance[170,200) -:3x3" }));
    EXPECT_EQ(text_of_idle(w, *f.graph(), 2),
              (Texts { "latency[110,112) pool", "latency[122,124) proj", "imbalance[130,200) -:3x3" }));
    EXPECT_EQ(text_of(w.path, *f.graph()), "merged 0+40, 3x3 0+50"); // the first of those that end with the run
    EXPECT_EQ(w.trunk.path, 40);                                     // the merged op is of no single branch
    EXPECT_EQ(w.branches[0].path, 50);
    EXPECT_EQ(w.trunk.busy, 40);
}

// Intervals that touch do not overlap; a point takes no time, and may lie on the path.
TEST(ByHand, TouchingIntervalsAndPoints)
{
    Flow f(2);
    f.op({ "a", 0, 100, 150, {}, -1, 50 });
    f.op({ "b", 1, 150, 200, { 0 }, -1, 50 });
    f.op({ "nothing", 1, 200, 200, {}, -1, 0 });
    f.op({ "c", 0, 200, 230, { 2 }, -1, 30 });
    Profile p;
    ASSERT_OK(analyse(f, p));
    flows::expect_closed(p);
    EXPECT_EQ(p.total.overlap, 0);
    EXPECT_EQ(p.total.any, 130);
    EXPECT_EQ(p.total.at[1], 130);
    EXPECT_EQ(text_of(p.total.path, *f.graph()), "a 0+50, b 0+50, nothing 0+0, c 0+30");
    EXPECT_EQ(p.total.bounds.path, 130);
    EXPECT_EQ(p.total.bounds.binding, TRIB_BOUND_PATH);
}

// Of two that end at once: the op on the same stream, then the lower index.
TEST(ByHand, TiesOnThePath)
{
    Flow f(4);
    f.op({ "a", 1, 100, 150 });
    f.op({ "b", 2, 100, 150 });
    f.op({ "c", 3, 100, 150 });
    f.op({ "d", 0, 160, 170, { 2, 1 } });
    f.op({ "e", 3, 180, 190, { 0, 1 } });
    Profile p;
    ASSERT_OK(analyse(f, p));
    EXPECT_EQ(p.ops[3].predecessor, 1);
    EXPECT_EQ(p.ops[4].predecessor, 2);
    EXPECT_EQ(text_of(p.total.path, *f.graph()), "c 0+50, e 30+10");
}

// A gradient of weights that runs into the next module's time: each window has its part, also of the time alone.
TEST(ByHand, AnOpThatReachesOverAnEdge)
{
    Flow f(2);
    f.window("first", TRIB_PROFILE_BACKWARD, { "b" });
    f.op({ "data", 0, 100, 150, {}, 0, 40 });
    f.op({ "weight", 1, 120, 190, { 0 }, -1, 71, 0, 10, 7 }).ends_with(0);
    f.ops[1].waits.clear();
    f.window("second", TRIB_PROFILE_BACKWARD, { "b" });
    f.op({ "data2", 0, 150, 200, {}, 0, 45, 0, 5, 0 });
    f.window("update").op({ "update", 0, 205, 215, { 1 }, -1, 10 });
    Profile p;
    ASSERT_OK(analyse(f, p, { 1e9, 1e9, 0 }));
    flows::expect_closed(p, { 50, 70, 50, 10 });
    EXPECT_EQ(p.windows[0].to, 150);
    EXPECT_EQ(p.windows[0].streams, 2);
    EXPECT_EQ(p.windows[0].overlap, 30);
    EXPECT_EQ(p.windows[0].alone, 40 + 30); // 71 * 30 / 70, rounded down
    EXPECT_EQ(p.windows[1].alone, 45 + 41);
    EXPECT_EQ(p.windows[0].bounds.copies, 4); // 10 * 30 / 70
    EXPECT_EQ(p.windows[1].bounds.copies, 11);
    EXPECT_EQ(p.windows[1].overlap, 40);
    EXPECT_EQ(p.windows[1].trunk.busy, 40);
    EXPECT_EQ(p.windows[1].branches[0].busy, 50);
    EXPECT_EQ(p.total.alone, 166);
    EXPECT_EQ(p.ops[1].slack, 10);        // until data2 has ended
    EXPECT_EQ(p.ops[1].window_slack, 10); // and so has the window that it ends in
    EXPECT_EQ(p.total.bounds.path, 40 + 45 + 10);
    EXPECT_EQ(p.windows[1].bounds.path, 45);
}

// A window whose last op ended before it began is empty.
TEST(ByHand, WindowsNeverGoBack)
{
    Flow f(1);
    f.window("a").op({ "x", 0, 100, 150 }).op({ "y", 0, 150, 160 });
    f.window("empty").op({ "z", 0, 160, 170 }).ends_with(0);
    f.window("rest").op({ "last", 0, 170, 180 });
    Profile p;
    ASSERT_OK(analyse(f, p));
    flows::expect_closed(p);
    EXPECT_EQ(p.windows[1].wall, 0);
    EXPECT_EQ(p.windows[1].path.step_count, 0);
    EXPECT_EQ(p.windows[2].wall, 20);
    EXPECT_EQ(p.windows[2].trunk.busy, 20);
}

TEST(ByHand, WithoutTimesAloneThereIsOnlyTheRoofline)
{
    Flow f = module();
    f.alone_is_known = false;
    f.serial.clear();
    Profile p;
    ASSERT_OK(analyse(f, p, rates));
    flows::expect_closed(p);
    EXPECT_EQ(p.windows[1].alone, 0);
    EXPECT_EQ(p.windows[1].serial, 0);
    EXPECT_EQ(p.windows[1].bounds.binding, TRIB_BOUND_ROOFLINE);
    const trib_profile_gain g = trib_profile_gain_of(&p.windows[1]);
    EXPECT_TRUE(std::isnan(g.gain));
    EXPECT_TRUE(std::isnan(g.stretch));
    EXPECT_TRUE(std::isnan(g.branch_bound));
    EXPECT_DOUBLE_EQ(g.concurrency, 250.0 / 147);
    Profile nothing;
    ASSERT_OK(analyse(f, nothing));
    EXPECT_EQ(nothing.windows[1].bounds.best, 0);
    EXPECT_EQ(nothing.windows[1].bounds.binding, TRIB_BOUND_NONE);
}

// In sequence nothing overlaps, and what is between ops is all there is to gain.
TEST(ByHand, InSequence)
{
    Flow f(1);
    f.window("module", TRIB_PROFILE_FORWARD, { "a", "b" });
    f.op({ "a", 0, 100, 130, {}, 0, 30 }).op({ "b", 0, 134, 150, {}, 1, 16 }).op({ "join", 0 });
    f.serial = { 50 };
    Profile p;
    ASSERT_OK(analyse(f, p, { 0, 0, 10 }));
    flows::expect_closed(p);
    const trib_profile_gain g = trib_profile_gain_of(&p.total);
    EXPECT_DOUBLE_EQ(g.gain, 1);
    EXPECT_DOUBLE_EQ(g.concurrency, 1);
    EXPECT_DOUBLE_EQ(g.stretch, 1);
    EXPECT_DOUBLE_EQ(g.overlap, 0);
    EXPECT_DOUBLE_EQ(g.device_busy, 46.0 / 50);
    EXPECT_DOUBLE_EQ(g.branch_bound, 46.0 / 30);
    EXPECT_EQ(p.total.idle[TRIB_IDLE_LATENCY], 4);
    EXPECT_EQ(p.total.bounds.binding, TRIB_BOUND_PATH);
}

// SPDX-License-Identifier: Apache-2.0
#include "profile/trace_json.h"

#include <map>
#include <string>
#include <vector>

#include "profile/drawn.h"
#include "profile/read_trace.h"
#include "support/support.h"
#include "train/calls.h"
#include "tributary/internal/fault.h"

using trace::Event;
using trace::Trace;

namespace
{

trib_trace_part part_of(const drawn::Profile &p, const trib_trace_run *run, const char *name = "branches")
{
    return { name, &p.plan, &p.graph, run, 1 };
}

// The trace of one profile, checked for all that viewers drop or move.
Trace trace_of(const drawn::Profile &p, const char *name = "branches", trib_trace_counts *counts = nullptr)
{
    support::TemporaryFolder folder;
    const trib_trace_run run = { &p.profile, p.times.data() };
    const trib_trace_part part = part_of(p, &run, name);
    EXPECT_OK(trib_trace_write(folder.file("t.json").c_str(), &part, 1, counts));
    Trace t = trace::read(support::read_file(folder.file("t.json")));
    trace::expect_drawable(t);
    return t;
}

struct TwoBranches : drawn::Profile {
    TwoBranches() : Profile(drawn::two_branches(), drawn::two_branch_parts(), drawn::two_branch_buffers()) {}
};

using Names = std::vector<std::string>;

} // namespace

TEST(Trace, HasOpsOnTheTracksOfTheirStreams)
{
    TwoBranches p;
    trib_trace_counts counts;
    const Trace t = trace_of(p, "branches", &counts);
    EXPECT_EQ(t.processes.at(1000), "branches, lane 0");
    EXPECT_EQ(t.tracks.at({ 1000, 1 }), "modules");
    EXPECT_EQ(t.tracks.at({ 1000, 3 }), "stream 0: 1x1");
    EXPECT_EQ(t.tracks.at({ 1000, 4 }), "stream 1: 3x3");
    EXPECT_EQ(t.names(1000, 1), (Names { "in" }));
    EXPECT_EQ(t.names(1000, 3), (Names { "trunk", "conv", "First of the branches", "in/1x1", "trunk", "fc" }));
    EXPECT_EQ(t.names(1000, 4), (Names { "Second of the branches", "in/3x3_reduce", "in/3x3" }));
    EXPECT_EQ(counts.slices, 5);
    EXPECT_EQ(counts.bars, 4);
    EXPECT_EQ(counts.modules, 1);
    EXPECT_EQ(counts.instants, 0);
    EXPECT_EQ(counts.left_out, 0);
    const Event &reduce = t.slice("in/3x3_reduce");
    EXPECT_EQ(reduce.at, 1100); // from the first op on
    EXPECT_EQ(reduce.duration, 400);
    EXPECT_EQ(reduce.arguments.at("module"), "in");
    EXPECT_EQ(reduce.arguments.at("branch"), "3x3");
    EXPECT_EQ(reduce.arguments.at("critical path"), "no");
}

TEST(Trace, ArrowsPassThroughOpsThatRunNothing)
{
    TwoBranches p;
    trib_trace_counts counts;
    const Trace t = trace_of(p, "", &counts);
    using Arrow = std::pair<std::string, std::string>;
    EXPECT_EQ(t.arrows(), (std::vector<Arrow> { { "conv", "in/3x3_reduce" }, { "in/3x3", "fc" } }));
    EXPECT_EQ(counts.flows, 2);
    EXPECT_EQ(t.processes.at(1000), "lane 0");
}

TEST(Trace, CountsBusyStreamsAndMemory)
{
    TwoBranches p;
    const Trace t = trace_of(p);
    using Values = std::vector<std::pair<std::int64_t, std::int64_t>>;
    EXPECT_EQ(t.counter("streams", "busy"),
              (Values { { 0, 1 }, { 1100, 2 }, { 2000, 1 }, { 3400, 0 }, { 3500, 1 }, { 4000, 0 } }));
    // conv reads buffer 0 and writes 1, read until 3x3_reduce ends at 2500 and 1x1 at 3000; 3 lives from 1x1 to fc.
    EXPECT_EQ(t.counter("memory", "bytes"), (Values { { 0, 2100 },
                                                      { 1000, 6000 },
                                                      { 1100, 6300 },
                                                      { 2000, 4300 },
                                                      { 3400, 4000 },
                                                      { 3500, 4050 },
                                                      { 4000, 0 } }));
}

TEST(Trace, ShowsTheCriticalPathWithItsGaps)
{
    TwoBranches p;
    p.results[3].critical = true;
    p.steps = { { 1, 0, 1000, 2000, false, -1 }, { 3, 0, 2000, 2100, true, 1 },   { 3, 0, 2100, 2500, false, 1 },
                { 4, 0, 2500, 4400, false, 1 },  { 5, 0, 4400, 4400, false, -1 }, { 6, 100, 4500, 5000, false, -1 },
                { -1, 0, 5000, 5000, false, -1 } };
    p.set_path();
    trib_trace_counts counts;
    const Trace t = trace_of(p, "", &counts);
    EXPECT_EQ(t.names(1000, 2), (Names { "conv", "host", "in/3x3_reduce", "in/3x3", "gap", "fc" }));
    EXPECT_EQ(counts.path, 6);
}

TEST(Trace, AnOpThatTakesNoTimeIsAnInstant)
{
    TwoBranches p;
    p.results[3].to = p.results[3].from;
    trib_trace_counts counts;
    const Trace t = trace_of(p, "", &counts);
    EXPECT_EQ(counts.instants, 1);
    EXPECT_EQ(counts.slices, 4);
    EXPECT_EQ(t.instants, (Names { "in/3x3_reduce" }));
    using Arrow = std::pair<std::string, std::string>; // to the next op that has a slice
    EXPECT_EQ(t.arrows(), (std::vector<Arrow> { { "conv", "in/3x3" }, { "in/3x3", "fc" } }));
}

TEST(Trace, ArrowsKeepInsideSlicesWhereClocksAreWrong)
{
    TwoBranches p;
    p.results[3].from = 1990; // 10 ns before conv ends
    trib_trace_counts counts;
    EXPECT_EQ(trace_of(p, "", &counts).arrows().size(), 2u);
    EXPECT_EQ(counts.left_out, 0);
    p.results[3].from = 1000; // as early as conv
    EXPECT_EQ(trace_of(p, "", &counts).arrows().size(), 1u);
    EXPECT_EQ(counts.left_out, 1);
}

TEST(Trace, LanesAndPartsAreProcesses)
{
    support::TemporaryFolder folder;
    TwoBranches serial, first, second;
    second.profile.lane = 1;
    for (auto &r : second.results) r.from += 50, r.to += 50;
    second.profile.total.from += 50;
    const trib_trace_run one[] = { { &serial.profile, nullptr } };
    const trib_trace_run two[] = { { &second.profile, nullptr }, { &first.profile, nullptr } };
    const trib_trace_part parts[] = { { "serial", &serial.plan, &serial.graph, one, 1 },
                                      { "branches", &first.plan, &first.graph, two, 2 } };
    trib_trace_counts counts;
    ASSERT_OK(trib_trace_write(folder.file("t.json").c_str(), parts, 2, &counts));
    const Trace t = trace::read(support::read_file(folder.file("t.json")));
    trace::expect_drawable(t);
    EXPECT_EQ(t.processes,
              (std::map<int, std::string> {
                  { 1000, "serial, lane 0" }, { 1001, "branches, lane 1" }, { 1002, "branches, lane 0" } }));
    EXPECT_EQ(counts.slices, 15);
    EXPECT_EQ(t.slices_of(1001)[1].at, 50); // the bar around conv: this lane began 50 ns after the other of its part
    EXPECT_EQ(t.slices_of(1002)[1].at, 0);
}

TEST(Trace, EscapesNames)
{
    std::vector<drawn::Op> ops = drawn::two_branches();
    ops[1].name = "a \"quoted\" \\ name\n\x01";
    ops[2].name = "\xff\xfe caf\xc3\xa9 </script>";
    drawn::Profile p(ops, drawn::two_branch_parts(), drawn::two_branch_buffers());
    const Trace t = trace_of(p, "part \"\xf0\x28");
    EXPECT_EQ(t.slice("a \"quoted\" \\ name\n\x01").at, 0);
    EXPECT_EQ(t.slice("\xef\xbf\xbd\xef\xbf\xbd caf\xc3\xa9 </script>").at, 1000);
    EXPECT_EQ(t.processes.at(1000), "part \"\xef\xbf\xbd(, lane 0");
}

TEST(Trace, OfNothingIsStillATrace)
{
    support::TemporaryFolder folder;
    ASSERT_OK(trib_trace_write(folder.file("t.json").c_str(), nullptr, 0, nullptr));
    EXPECT_TRUE(trace::read(support::read_file(folder.file("t.json"))).processes.empty());
}

TEST(Trace, IsLargerThanItsBuffer)
{
    std::vector<drawn::Op> ops;
    for (int i = 0; i < 20000; ++i) ops.push_back({ "op" + std::to_string(i), i % 3, 0, -1, 10 * i, 10 * i + 25, {} });
    for (int i = 1; i < 20000; ++i) ops[std::size_t(i)].waits = { i - 1 };
    drawn::Profile p(ops, { { "", TRIB_PROFILE_TRUNK, 0, 200000, {} } });
    trib_trace_counts counts;
    support::TemporaryFolder folder;
    const trib_trace_run run = { &p.profile, nullptr };
    const trib_trace_part part = part_of(p, &run);
    ASSERT_OK(trib_trace_write(folder.file("t.json").c_str(), &part, 1, &counts));
    EXPECT_EQ(counts.slices, 20000);
    EXPECT_EQ(counts.left_out + counts.flows, 19999);
    EXPECT_GT(support::read_file(folder.file("t.json")).size(), 4000000u);
}

TEST(Trace, FailuresLeaveTheOldFile)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("t.json");
    support::write_file(path, "old");
    TwoBranches p;
    const trib_trace_run run = { &p.profile, p.times.data() };
    const trib_trace_part part = part_of(p, &run);
    for (calls::Trouble trouble : { calls::Trouble::no_space, calls::Trouble::broken }) {
        calls::arm(1, trouble, true);
        const trib_status s = trib_trace_write(path.c_str(), &part, 1, nullptr);
        calls::disarm();
        EXPECT_TRUE(trib_failed(&s));
        EXPECT_NE(std::string(s.message).find("t.json"), std::string::npos) << s.message;
        EXPECT_EQ(support::read_file(path), "old");
    }
    EXPECT_FAILS(trib_trace_write(folder.path().c_str(), &part, 1, nullptr), TRIB_INVALID_ARGUMENT,
                 "not a regular file");
}

TEST(Trace, IsReplacedAsAWholeOrNotAtAll)
{
    support::TemporaryFolder folder;
    const std::string path = folder.file("t.json");
    TwoBranches p;
    const trib_trace_run run = { &p.profile, p.times.data() };
    const trib_trace_part part = part_of(p, &run);
    for (int k = 1;; ++k) {
        support::write_file(path, "old");
        trib_fault_arm(k, false);
        const trib_status s = trib_trace_write(path.c_str(), &part, 1, nullptr);
        const std::int64_t seen = trib_fault_disarm();
        EXPECT_EQ(trib_failed(&s), seen >= k) << s.message;
        EXPECT_EQ(support::read_file(path) == "old", trib_failed(&s));
        if (seen < k) break;
        ASSERT_LT(k, 1000);
    }
    EXPECT_EQ(trace::read(support::read_file(path)).arrows().size(), 2u);
}

// SPDX-License-Identifier: Apache-2.0
// Clocks that are a little wrong, times that cannot be true, and arguments that make no sense.
#include <cmath>
#include <limits>
#include <random>

#include "profile/flows.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

using flows::Flow;
using flows::Profile;
using flows::text_of;

namespace
{

// a and c on stream 0, b on stream 1 waits for a.
Flow three(std::int64_t b_start, std::int64_t c_start)
{
    Flow f(2);
    f.op({ "a", 0, 10000, 20000, {}, -1, 9000, 0, 0, 0, 9000 });
    f.op({ "b", 1, b_start, 30000, { 0 }, -1, 9000, 0, 0, 0, 9000 });
    f.op({ "c", 0, c_start, 25000, {}, -1, 4000, 0, 0, 0, 9000 });
    return f;
}

void expect_contradiction(Flow &f, trib_contradiction_kind kind, int op, int other, std::int64_t amount,
                          const std::string &text)
{
    Profile p;
    trib_contradiction found;
    EXPECT_FAILS(analyse(f, p, {}, &found), TRIB_BAD_DATA, text);
    EXPECT_EQ(found.kind, kind);
    EXPECT_EQ(found.op, op);
    EXPECT_EQ(found.other, other);
    EXPECT_EQ(found.amount, amount);
    EXPECT_EQ(p.op_count, 0);
}

} // namespace

TEST(Noise, ASmallNegativeGapIsNoGap)
{
    Flow f = three(19000, 20000);
    Profile p;
    trib_contradiction found;
    ASSERT_OK(analyse(f, p, {}, &found));
    EXPECT_EQ(found.kind, TRIB_CONTRADICTION_NONE);
    flows::expect_closed(p);
    EXPECT_EQ(p.negative_gaps, 1);
    EXPECT_EQ(p.trimmed, 0);
    EXPECT_EQ(text_of(p.total.path, *f.graph()), "a 0+10000, b 0+10000"); // b counts from a's end
    EXPECT_EQ(p.total.sum, 10000 + 11000 + 5000);                         // but it is 11 us long
    EXPECT_EQ(p.total.stream[1].idle[TRIB_IDLE_DEPENDENCY], 9000);
}

TEST(Noise, ALargeOneContradictsThePlan)
{
    Flow f = three(18999, 20000);
    expect_contradiction(f, TRIB_CONTRADICTION_TOO_EARLY, 1, 0, 1001,
                         "timestamps contradict the plan: b starts 1001 ns before the end of a");
    f.clock_step = 501;
    Profile p;
    EXPECT_OK(analyse(f, p)); // two steps
    EXPECT_EQ(p.negative_gaps, 1);
}

// As CUPTI has it on an H100: by 129 ns.
TEST(Noise, OpsOfOneStreamThatOverlapALittleAreTrimmed)
{
    for (std::int64_t early : { 1, 129, 1000 }) {
        Flow f = three(20000, 20000 - early);
        Profile p;
        ASSERT_OK(analyse(f, p));
        flows::expect_closed(p);
        EXPECT_EQ(p.trimmed, 1);
        EXPECT_EQ(p.negative_gaps, 0);
        EXPECT_EQ(p.ops[2].from, 20000);
        EXPECT_EQ(p.total.stream[0].busy, 15000);
    }
}

TEST(Noise, OpsOfOneStreamThatOverlapMoreContradictThePlan)
{
    Flow f = three(20000, 18999);
    expect_contradiction(f, TRIB_CONTRADICTION_OVERLAP, 2, 0, 1001, "the op before it on its stream");
    f.clock_step = 501; // two steps
    Profile p;
    EXPECT_OK(analyse(f, p));
    EXPECT_EQ(p.trimmed, 1);
    f.clock_step = 500;
    EXPECT_FAILS(analyse(f, p), TRIB_BAD_DATA, "contradict");
}

// Shorter than the overlap: it becomes a point where the other ended.
TEST(Noise, ATrimmedOpMayBecomeAPoint)
{
    Flow f(1);
    f.op({ "a", 0, 100, 200 }).op({ "tiny", 0, 195, 198 }).op({ "b", 0, 200, 250 });
    f.clock_step = 10;
    Profile p;
    ASSERT_OK(analyse(f, p));
    flows::expect_closed(p);
    EXPECT_EQ(p.ops[1].from, 200);
    EXPECT_EQ(p.ops[1].to, 200);
    EXPECT_EQ(p.total.busy, 150);
}

// A point on the stream does not hide that the ops on both sides of it overlap.
TEST(Noise, OverlapAcrossAPoint)
{
    Flow f(1);
    f.op({ "a", 0, 1000, 3000 }).op({ "join", 0 }).op({ "b", 0, 1500, 3500 });
    expect_contradiction(f, TRIB_CONTRADICTION_OVERLAP, 2, 0, 1500, "a, the op before it on its stream");
}

TEST(Noise, TimesThatCannotBe)
{
    Flow f = three(20000, 20000);
    f.ops[2].end = 19000;
    expect_contradiction(f, TRIB_CONTRADICTION_REVERSED, 2, -1, 1000, "c ends 1000 ns before it starts");
    f = three(20000, 20000);
    f.ops[1].issued = 21001;
    expect_contradiction(f, TRIB_CONTRADICTION_NOT_ISSUED, 1, -1, 1001, "b starts 1001 ns before it was issued");
    f.ops[1].issued = 21000;
    Profile p;
    ASSERT_OK(analyse(f, p));
    flows::expect_closed(p);
    EXPECT_EQ(p.negative_gaps, 1);
    f.clock_step = 1000; // of a device, whose clock is not the host's
    f.ops[1].issued = 29316;
    ASSERT_OK(analyse(f, p));
    flows::expect_closed(p);
    f = three(20000, 20000);
    f.clock_step = 100;
    f.ops[1].start = 60000;
    f.ops[1].end = 70000;
    f.ops[1].issued = 85001;
    expect_contradiction(f, TRIB_CONTRADICTION_NOT_ISSUED, 1, -1, 25001, "b starts 25001 ns before it was issued");
    f = three(20000, 20000);
    std::vector<trib_profile_op> ops(f.graph()->ops, f.graph()->ops + 3);
    trib_profile_graph graph = *f.graph();
    graph.ops = ops.data();
    trib_profile_run run = f.run();
    std::vector<trib_op_time> times(run.times, run.times + 3);
    times[1] = { 5, 0, 0 };
    run.times = times.data();
    trib_contradiction found;
    trib_profile out;
    EXPECT_FAILS(trib_profile_analyse(&graph, &run, nullptr, &out, &found), TRIB_BAD_DATA, "b was not timed");
    EXPECT_EQ(found.kind, TRIB_CONTRADICTION_NOT_TIMED);
    EXPECT_EQ(found.op, 1);
}

// ---- arguments ----

TEST(Hostile, Rates)
{
    Flow f = three(20000, 20000);
    Profile p;
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double rate : { std::nan(""), infinity, -1.0, 0.5, 1e19 }) {
        EXPECT_FAILS(analyse(f, p, { rate, 0, 0 }), TRIB_INVALID_ARGUMENT, "copy rate");
        EXPECT_FAILS(analyse(f, p, { 0, rate, 0 }), TRIB_INVALID_ARGUMENT, "math rate");
    }
    EXPECT_FAILS(analyse(f, p, { 0, 0, -1 }), TRIB_INVALID_ARGUMENT, "start latency");
    EXPECT_FAILS(analyse(f, p, { 0, 0, INT64_MAX }), TRIB_INVALID_ARGUMENT, "start latency");
    f.clock_step = -1;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "clock step");
    f.clock_step = INT64_MAX;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "clock step");
}

TEST(Hostile, SumsThatOverflow)
{
    Profile p;
    Flow f = three(20000, 20000);
    f.ops[0].alone = f.ops[1].alone = INT64_MAX / 2;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "op 1 (b) alone");
    f.ops[0].alone = -1;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "op 0 (a) alone");
    f = three(20000, 20000);
    f.ops[2].bytes = INT64_MIN;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "bytes or operations of op 2 (c)");
    f = three(20000, 20000);
    f.ops[2].flops = INT64_MAX;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "bytes or operations of op 2 (c)");
    f.ops[2].flops = INT64_MAX / 4;
    EXPECT_FAILS(analyse(f, p, { 0, 1, 0 }), TRIB_INVALID_ARGUMENT, "bound of more than 2^62 ns");
    f = three(20000, 20000);
    f.serial = { -1 };
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "serial time of window 0");
}

TEST(Hostile, TimesThatOverflow)
{
    Profile p;
    for (const std::int64_t time : { INT64_MIN, INT64_MIN + 1, INT64_MAX }) {
        for (std::int64_t flows::Op::*field : { &flows::Op::start, &flows::Op::end, &flows::Op::issued }) {
            Flow f = three(20000, 20000);
            f.ops[1].*field = time;
            EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "a time of b is beyond");
        }
    }
    Flow f = three(20000, 20000);
    f.ops[0].start = -(INT64_C(1) << 61) + 1;
    f.ops[0].issued = 0;
    EXPECT_FAILS(analyse(f, p), TRIB_INVALID_ARGUMENT, "add up to more than 2^62 ns");
}

TEST(Hostile, Graphs)
{
    Flow f = three(20000, 20000);
    f.window("x", TRIB_PROFILE_FORWARD, { "1" }).ends_with(2);
    const trib_profile_graph good = *f.graph();
    const trib_profile_run run = f.run();
    trib_profile out;
    const auto refuses = [&](const std::string &text, void (*change)(trib_profile_graph &, trib_profile_op *)) {
        std::vector<trib_profile_op> ops(good.ops, good.ops + 3);
        trib_profile_graph graph = good;
        graph.ops = ops.data();
        change(graph, ops.data());
        EXPECT_FAILS(trib_profile_analyse(&graph, &run, nullptr, &out, nullptr), TRIB_INVALID_ARGUMENT, text);
    };
    static const int self[] = { 2 }, before[] = { -1 };
    refuses("no ops", [](trib_profile_graph &g, trib_profile_op *) { g.op_count = 0; });
    refuses("no ops", [](trib_profile_graph &g, trib_profile_op *) { g.ops = nullptr; });
    refuses("no streams", [](trib_profile_graph &g, trib_profile_op *) { g.stream_count = 0; });
    refuses("list of windows", [](trib_profile_graph &g, trib_profile_op *) { g.parts = nullptr; });
    refuses("on stream 2 of 2", [](trib_profile_graph &, trib_profile_op *o) { o[1].stream = 2; });
    refuses("on stream -1 of 2", [](trib_profile_graph &, trib_profile_op *o) { o[1].stream = -1; });
    refuses("in window 1 of 1", [](trib_profile_graph &, trib_profile_op *o) { o[1].window = 1; });
    refuses("in branch 1 of 1", [](trib_profile_graph &, trib_profile_op *o) { o[1].branch = 1; });
    refuses("in branch -2 of 1", [](trib_profile_graph &, trib_profile_op *o) { o[1].branch = -2; });
    refuses("millionths", [](trib_profile_graph &, trib_profile_op *o) { o[1].share = TRIB_WHOLE_DEVICE + 1; });
    refuses("waits for op 2", [](trib_profile_graph &, trib_profile_op *o) { o[2].waits = self, o[2].wait_count = 1; });
    refuses("waits for op -1",
            [](trib_profile_graph &, trib_profile_op *o) { o[2].waits = before, o[2].wait_count = 1; });
    refuses("no list of waits",
            [](trib_profile_graph &, trib_profile_op *o) { o[2].waits = nullptr, o[2].wait_count = 1; });
    trib_profile_run empty = run;
    empty.times = nullptr;
    EXPECT_FAILS(trib_profile_analyse(&good, &empty, nullptr, &out, nullptr), TRIB_INVALID_ARGUMENT, "no times");
    EXPECT_FAILS(trib_profile_analyse(nullptr, &run, nullptr, &out, nullptr), TRIB_INVALID_ARGUMENT, "missing");
}

// Whatever the numbers are: a failure with a message, or sums that close.
TEST(Hostile, AnyNumbers)
{
    std::mt19937_64 random(3);
    const auto pick = [&](std::initializer_list<std::int64_t> values) {
        const std::int64_t special[] = {
            0, 1, -1, INT64_MAX, INT64_MIN, INT64_C(1) << 61, -(INT64_C(1) << 61), 1 << 20
        };
        if (random() % 24 == 0) return special[random() % 8];
        return *(values.begin() + std::int64_t(random() % values.size()));
    };
    int closed = 0, refused = 0;
    for (int i = 0; i < support::by_form(3000, 100000); ++i) {
        Flow f(1 + int(random() % 3));
        const int streams = 1 + int(random() % 3);
        if (random() % 2) f.window("a", TRIB_PROFILE_FORWARD, { "x", "y" });
        for (int k = 0, count = int(random() % 6); k < count; ++k) {
            if (k == 3 && random() % 2) f.window("b", TRIB_PROFILE_BACKWARD, { "z" });
            flows::Op op = { "op", int(random() % unsigned(streams)), 0, 0 };
            op.start = pick({ 100 * k + 1, 100 * k + 50, 0 });
            op.end = op.start ? pick({ 100 * k + 60, 100 * k + 90, 100 * k + 130 }) : 0;
            if (k && random() % 2) op.waits = { int(pick({ k - 1, 0 })) };
            op.branch = int(pick({ -1, -1, 0, 1 }));
            op.alone = pick({ 40, 80 });
            op.share = int(pick({ 0, 1000000, 500000 }));
            op.bytes = pick({ 0, 1000 });
            op.flops = pick({ 0, 1000 });
            op.issued = pick({ 0, 1, 100 * k });
            f.op(op);
        }
        if (random() % 2) f.serial = { pick({ 10, 20 }), pick({ 10, 20 }) };
        f.clock_step = pick({ 0, 1, 100 });
        const trib_profile_limits limits = { random() % 40 ? 1e9 : std::nan(""), 1e9, pick({ 0, 10 }) };
        Profile p;
        const trib_status status = analyse(f, p, limits);
        if (trib_failed(&status)) {
            EXPECT_STRNE(status.message, "");
            ++refused;
        } else {
            flows::expect_closed(p);
            ++closed;
        }
    }
    EXPECT_GT(closed, 100);
    EXPECT_GT(refused, 100);
}

// Every allocation fails once: a clear failure, nothing left over (AddressSanitizer looks), and the result untouched.
TEST(Fault, EveryAllocation)
{
    Flow f = three(20000, 20000);
    f.window("x").ends_with(2);
    const trib_profile_graph *graph = f.graph();
    const trib_profile_run run = f.run();
    int failed = 0;
    for (std::int64_t k = 1;; ++k) {
        trib_profile out = {};
        trib_fault_arm(k, false);
        const trib_status status = trib_profile_analyse(graph, &run, nullptr, &out, nullptr);
        const bool reached = trib_fault_disarm() >= k;
        if (!reached) {
            EXPECT_OK(status);
            trib_profile_release(&out);
            break;
        }
        ++failed;
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << status.message;
        EXPECT_EQ(out.storage, nullptr);
    }
    EXPECT_GT(failed, 15);
}

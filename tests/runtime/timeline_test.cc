// SPDX-License-Identifier: Apache-2.0
// Times of ops: of every lane and chunk, in every schedule and way of launching, of sessions and trainers; and what
// becomes of them where something fails.
#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "runtime/trained.h"
#include "support/form.h"
#include "tributary/internal/fault.h"
extern "C" {
#include "runtime/trace/trace.h"
}

namespace
{

struct FreeTimeline {
    void operator()(trib_timeline *t) const { trib_timeline_destroy(t); }
};
using Timeline = std::unique_ptr<trib_timeline, FreeTimeline>;

Timeline timeline_of(int runs)
{
    trib_timeline *made = nullptr;
    EXPECT_OK(trib_timeline_create(runs, &made));
    return Timeline(made);
}

// Every op that computes has times, and they are the plan's.
void expect_complete(const trib_plan *plan, const trib_timeline_run &run)
{
    EXPECT_OK(trib_timeline_check(plan, &run));
    for (int i = 0; i < plan->op_count; ++i) {
        const trib_op_time &t = run.ops[i];
        EXPECT_GT(t.issued, 0) << plan->ops[i].name;
        if (plan->ops[i].implementation) {
            EXPECT_GE(t.start, t.issued) << plan->ops[i].name; // one clock for all
            EXPECT_GE(t.end, t.start) << plan->ops[i].name;
        } else {
            EXPECT_EQ(t.start, 0) << plan->ops[i].name;
            EXPECT_EQ(t.end, 0) << plan->ops[i].name;
        }
    }
}

class TimelineTest : public testing::Test
{
  protected:
    void SetUp() override
    {
        options.plan.schedule = TRIB_BRANCHES;
        options.plan.batch = 1;
        options.plan.threads = 1; // threads of OpenMP would look for work while others have none
        options.max_batch = 5;
        options.lanes = 2;
        options.timeline = timeline.get();
    }
    trib_status create()
    {
        nets::Parameters parameters(graph.get());
        trib_session *made = nullptr;
        trib_status status = trib_session_create(device.get(), graph.get(), parameters.data(), &options, &made);
        session.reset(made);
        return status;
    }
    trib_status run(int n)
    {
        std::vector<float> y(std::size_t(n) * 10);
        void *outputs[] = { y.data() };
        trib_status status = trib_session_run(session.get(), input.data(), n, outputs);
        last = y;
        return status;
    }
    void expect_runs(int count) const
    {
        ASSERT_EQ(trib_timeline_count(timeline.get()), count);
        std::int64_t before = 0;
        for (int i = 0; i < count; ++i) {
            const trib_timeline_run r = trib_timeline_at(timeline.get(), i);
            EXPECT_EQ(r.lane, r.chunk % trib_session_lanes(session.get()));
            if (i) {
                EXPECT_GT(r.chunk, before);
            }
            before = r.chunk;
            expect_complete(trib_session_plan(session.get()), r);
        }
    }

    Timeline timeline = timeline_of(20);
    nets::Device device = nets::cpu(2);
    nets::Graph graph = nets::inception(true);
    std::vector<float> input = nets::input_for(graph.get(), 5), last;
    trib_session_options options = trib_session_default_options();
    nets::Session session;
};

TEST_F(TimelineTest, EveryOpOfEveryChunkInEveryScheduleAndLaunch)
{
    for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED })
        for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH })
            for (int lanes : { 1, 2 })
                for (int batch : { 1, 2 }) {
                    SCOPED_TRACE(std::string(trib_schedule_name(schedule)) + (launch ? " graph" : " eager") +
                                 " lanes " + std::to_string(lanes) + " batch " + std::to_string(batch));
                    session.reset();
                    options.plan.schedule = schedule;
                    options.launch = launch;
                    options.lanes = lanes;
                    options.plan.batch = batch;
                    ASSERT_OK(create());
                    EXPECT_STREQ(trib_timeline_source(timeline.get()), "worker threads");
                    ASSERT_OK(run(5));
                    ASSERT_OK(run(1));
                    expect_runs((5 + batch - 1) / batch + 1);
                    EXPECT_EQ(trib_timeline_dropped(timeline.get()), 0);
                    EXPECT_EQ(trib_timeline_lost(timeline.get()), 0);
                }
}

// More than a lane has in flight, waited for in any order.
TEST_F(TimelineTest, RunsAppearAsTheyAreWaitedFor)
{
    options.in_flight = 4;
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        session.reset();
        options.launch = launch;
        ASSERT_OK(create());
        std::vector<float> y[4];
        std::int64_t jobs[4];
        for (int i = 0; i < 4; ++i) {
            y[i].resize(50);
            void *outputs[] = { y[i].data() };
            ASSERT_OK(trib_session_submit(session.get(), input.data(), 5, outputs, &jobs[i]));
        }
        ASSERT_OK(trib_session_wait(session.get(), jobs[1]));
        EXPECT_GE(trib_timeline_count(timeline.get()), 10);
        for (int i : { 3, 0, 2 }) ASSERT_OK(trib_session_wait(session.get(), jobs[i]));
        expect_runs(20);
    }
}

TEST_F(TimelineTest, RunsWithoutRoomAreCounted)
{
    timeline = timeline_of(3);
    options.timeline = timeline.get();
    ASSERT_OK(create());
    ASSERT_OK(run(5));
    expect_runs(3);
    EXPECT_EQ(trib_timeline_dropped(timeline.get()), 2);
    ASSERT_OK(run(1));
    expect_runs(3);
    EXPECT_EQ(trib_timeline_dropped(timeline.get()), 3);
    trib_timeline_clear(timeline.get());
    expect_runs(0);
    EXPECT_EQ(trib_timeline_dropped(timeline.get()), 0);
    ASSERT_OK(run(2));
    expect_runs(2);
    EXPECT_EQ(trib_timeline_at(timeline.get(), 0).chunk, 6); // counted on
}

TEST_F(TimelineTest, TrainingStepByStep)
{
    const trib_training t = training::training_of(training::one_loss, 1);
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH })
        for (bool one_stream : { false, true }) {
            training::Trained run(graph.get(), t, 2, TRIB_BRANCHES, launch, 2, 0, nullptr,
                                  [&](trib_trainer_options &o) {
                                      o.timeline = timeline.get();
                                      o.one_stream = one_stream;
                                  });
            ASSERT_OK(run.created);
            const trib_plan *plan = trib_trainer_plan(run.trainer.get());
            EXPECT_EQ(plan->stream_count > 1, !one_stream);
            for (int step = 0; step < 3; ++step) ASSERT_OK(run.step());
            ASSERT_EQ(trib_timeline_count(timeline.get()), 3);
            for (int i = 0; i < 3; ++i) {
                const trib_timeline_run r = trib_timeline_at(timeline.get(), i);
                EXPECT_EQ(r.lane, 0);
                EXPECT_EQ(r.chunk, i);
                expect_complete(plan, r);
            }
        }
}

// ---- all on one stream ----

TEST_F(TimelineTest, TheSameOpsOnOneStream)
{
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        options.launch = launch;
        options.one_stream = false;
        session.reset();
        ASSERT_OK(create());
        ASSERT_OK(run(5));
        const std::vector<float> expected = last;
        nets::Plan plan = nets::plan(graph.get(), device.get(), options.plan);

        session.reset();
        options.one_stream = true;
        ASSERT_OK(create());
        const trib_plan *alone = trib_session_plan(session.get());
        EXPECT_GT(plan->stream_count, 1);
        EXPECT_EQ(alone->stream_count, 1);
        EXPECT_EQ(alone->event_count, 0);
        EXPECT_OK(trib_plan_check_stream_order(alone));
        ASSERT_EQ(alone->op_count, plan->op_count);
        for (int i = 0; i < plan->op_count; ++i) EXPECT_STREQ(alone->ops[i].name, plan->ops[i].name);
        ASSERT_OK(run(5));
        EXPECT_EQ(last, expected);
        expect_runs(5);
    }
}

// ---- ownership ----

TEST_F(TimelineTest, ATimelineBelongsToOneSessionAtATime)
{
    ASSERT_OK(create());
    ASSERT_OK(run(5));
    nets::Parameters parameters(graph.get());
    trib_session *second = nullptr;
    EXPECT_FAILS(trib_session_create(device.get(), graph.get(), parameters.data(), &options, &second),
                 TRIB_INVALID_ARGUMENT, "trace sink timeline: the timeline belongs to another session");
    expect_runs(5); // and nothing is lost by the attempt
    ASSERT_OK(run(1));
    expect_runs(6);
    const trib_plan *plan = trib_session_plan(session.get());
    const std::size_t ops = std::size_t(plan->op_count);
    session.reset();
    ASSERT_EQ(trib_timeline_count(timeline.get()), 6); // still there
    EXPECT_GT(trib_timeline_at(timeline.get(), 5).ops[ops - 1].issued, 0);
    ASSERT_OK(create());
    expect_runs(0);
}

TEST_F(TimelineTest, SeveralSessionsAtOnce)
{
    auto work = [this] {
        Timeline own = timeline_of(10);
        trib_session_options o = options;
        o.timeline = own.get();
        for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
            o.launch = launch;
            nets::Session s = nets::session(graph.get(), device.get(), o);
            std::vector<float> y(50);
            void *outputs[] = { y.data() };
            EXPECT_OK(trib_session_run(s.get(), input.data(), 5, outputs));
            EXPECT_EQ(trib_timeline_count(own.get()), 5);
            for (int i = 0; i < trib_timeline_count(own.get()); ++i)
                expect_complete(trib_session_plan(s.get()), trib_timeline_at(own.get(), i));
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) threads.emplace_back(work);
    for (std::thread &t : threads) t.join();
}

TEST_F(TimelineTest, ImpossibleRequests)
{
    trib_timeline *out = nullptr;
    EXPECT_FAILS(trib_timeline_create(0, &out), TRIB_INVALID_ARGUMENT, "at least 1 run, not 0");
    EXPECT_FAILS(trib_timeline_create(1, nullptr), TRIB_INVALID_ARGUMENT, "");
    trib_timeline_destroy(nullptr);
    EXPECT_EQ(trib_timeline_source(timeline.get()), nullptr);
    EXPECT_EQ(trib_timeline_count(timeline.get()), 0);
    trib_fault_arm(1, false);
    EXPECT_FAILS(trib_timeline_create(1, &out), TRIB_OUT_OF_MEMORY, "no memory for a timeline");
    trib_fault_disarm();
    EXPECT_EQ(out, nullptr);
}

// ---- memory ----

// Fewer operations that can fail than runs come to it, in the quietest of several tries: items of queues return to
// their pools a little sooner or later.
TEST_F(TimelineTest, RunningAllocatesNothingForIt)
{
    options.lanes = 1;
    options.launch = TRIB_GRAPH;
    std::int64_t operations[2];
    for (bool with : { false, true }) {
        options.timeline = with ? timeline.get() : nullptr;
        session.reset();
        ASSERT_OK(create());
        for (int i = 0; i < 10; ++i) ASSERT_OK(run(1));
        operations[with] = INT64_MAX;
        for (int tries = 0; tries < 3; ++tries) {
            trib_timeline_clear(timeline.get());
            trib_fault_arm(0, false);
            for (int i = 0; i < 20; ++i) ASSERT_OK(run(1));
            operations[with] = std::min(operations[with], std::int64_t(trib_fault_disarm()));
        }
    }
    expect_runs(20);
    EXPECT_LT(operations[true] - operations[false], 20);
}

// Without one, and without a profiler, there is not even a list of sinks.
TEST_F(TimelineTest, ASessionWithoutOneAllocatesNothingForIt)
{
    nets::Plan plan = nets::plan(graph.get(), device.get(), options.plan);
    for (bool with : { false, true }) {
        const trib_trace_subject subject = { device.get(), plan.get(), 1, 3, with ? timeline.get() : nullptr };
        trib_trace *trace = nullptr;
        trib_fault_arm(0, false);
        trib_status status = trib_trace_create(&subject, { nullptr, 0 }, &trace);
        // Three blocks of the timeline, the list of sinks, the observation.
        EXPECT_EQ(trib_fault_disarm(), with ? 5 : 0);
        ASSERT_OK(status);
        EXPECT_EQ(trace != nullptr, with);
        trib_trace_destroy(trace);
    }
}

TEST_F(TimelineTest, EveryFailureLeavesItUsable)
{
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        options.launch = launch;
        bool reached = true;
        for (std::int64_t k = 1; reached; k += support::by_form(5, 1)) {
            session.reset();
            trib_fault_arm(k, false);
            trib_status status = create();
            if (!trib_failed(&status)) status = run(2);
            reached = trib_fault_disarm() >= k;
            EXPECT_EQ(trib_failed(&status), reached) << "operation " << k;
            if (!session) continue;
            EXPECT_LE(trib_timeline_count(timeline.get()), 2);
            for (int i = 0; i < trib_timeline_count(timeline.get()); ++i)
                expect_complete(trib_session_plan(session.get()), trib_timeline_at(timeline.get(), i));
            trib_timeline_clear(timeline.get());
            ASSERT_OK(run(2));
            expect_runs(2);
        }
    }
}

TEST_F(TimelineTest, EachOfItsAllocationsFails)
{
    nets::Plan plan = nets::plan(graph.get(), device.get(), options.plan);
    const trib_trace_subject subject = { device.get(), plan.get(), 2, 3, timeline.get() };
    trib_trace *trace = nullptr;
    for (std::int64_t k = 1; k <= 5; ++k) {
        trib_fault_arm(k, false);
        EXPECT_FAILS(trib_trace_create(&subject, { nullptr, 0 }, &trace), TRIB_OUT_OF_MEMORY, "no memory");
        EXPECT_EQ(trib_fault_disarm(), k <= 3 ? 3 : k);
        EXPECT_EQ(trace, nullptr);
    }
    ASSERT_OK(trib_trace_create(&subject, { nullptr, 0 }, &trace));
    trib_trace_destroy(trace);
}

// An op that fails on its worker: its chunk has no run, and neither have those in flight behind it.
TEST_F(TimelineTest, AFailedChunkHasNoRun)
{
    options.lanes = 1;
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        options.launch = launch;
        session.reset();
        ASSERT_OK(create());
        int failures = 0;
        for (std::int64_t k = 1;; ++k) {
            trib_timeline_clear(timeline.get());
            trib_fault_arm(k, false);
            trib_status status = run(5);
            trib_fault_disarm();
            if (!trib_failed(&status)) break;
            ++failures;
            EXPECT_LT(trib_timeline_count(timeline.get()), 5);
            EXPECT_EQ(trib_timeline_lost(timeline.get()), 0); // a failure is no loss
            trib_timeline_clear(timeline.get());
            ASSERT_OK(run(5));
            expect_runs(5);
        }
        EXPECT_GT(failures, 0);
    }
}

TEST_F(TimelineTest, AFailedStepHasNoRun)
{
    const trib_training t = training::training_of(training::one_loss, 1);
    for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
        training::Trained run(graph.get(), t, 2, TRIB_BRANCHES, launch, 1, 0, nullptr,
                              [&](trib_trainer_options &o) { o.timeline = timeline.get(); });
        ASSERT_OK(run.created);
        ASSERT_OK(run.step());
        int failures = 0;
        for (std::int64_t k = 1;; ++k) {
            trib_timeline_clear(timeline.get());
            trib_fault_arm(k, false);
            trib_status status = run.step();
            trib_fault_disarm();
            EXPECT_EQ(trib_timeline_count(timeline.get()), trib_failed(&status) ? 0 : 1);
            if (!trib_failed(&status)) break;
            ++failures;
            ASSERT_OK(run.step());
            ASSERT_EQ(trib_timeline_count(timeline.get()), 1);
            expect_complete(trib_trainer_plan(run.trainer.get()), trib_timeline_at(timeline.get(), 0));
        }
        EXPECT_GT(failures, 0);
        trib_timeline_clear(timeline.get());
    }
}

// ---- times that contradict the plan ----

class TimelineCheck : public testing::Test
{
  protected:
    void SetUp() override
    {
        trib_plan_options o = trib_plan_default_options();
        o.schedule = TRIB_BRANCHES;
        plan = nets::plan(graph.get(), device.get(), o);
        ASSERT_GT(plan->stream_count, 1);
        times.resize(std::size_t(plan->op_count));
        for (int i = 0; i < plan->op_count; ++i)
            if (plan->ops[i].implementation) times[std::size_t(i)] = { 1000, 100000 * (i + 1), 100000 * (i + 2) };
        run.ops = times.data();
        run.chunk = 7;
    }
    trib_op_time &at(int op) { return times[std::size_t(op)]; }
    std::string name(int op) const { return "op " + std::to_string(op) + " (" + plan->ops[op].name + ")"; }
    trib_status check() const { return trib_timeline_check(plan.get(), &run); }
    // The first op that computes, is on another stream than 0, and waits for an event.
    int branch_start() const
    {
        int i = 0;
        while (!plan->ops[i].stream || !plan->ops[i].wait_count || !plan->ops[i].implementation) ++i;
        return i;
    }
    // The op that records the event which `op` waits for first.
    int awaited(int op) const
    {
        int i = 0;
        while (plan->ops[i].record != plan->ops[op].waits[0]) ++i;
        while (!plan->ops[i].implementation) --i;
        return i;
    }

    nets::Device device = nets::cpu(2);
    nets::Graph graph = nets::inception(true);
    nets::Plan plan;
    std::vector<trib_op_time> times;
    trib_timeline_run run = {};
};

TEST_F(TimelineCheck, OneAfterTheOtherIsFine) { EXPECT_OK(check()); }

TEST_F(TimelineCheck, BeforeWhatItWaitsFor)
{
    const int op = branch_start(), first = awaited(op);
    at(op).start = at(first).end - 1000; // as far as clocks may differ
    EXPECT_OK(check());
    at(op).start -= 1;
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT,
                 "lane 0, chunk 7: the timestamps contradict the plan: " + name(op) + " on stream " +
                     std::to_string(plan->ops[op].stream) + " starts 1001 ns before " + name(first) +
                     " on stream 0 ends, which it waits for");
    run.clock_step = 501; // two steps are 1002 ns
    EXPECT_OK(check());
    at(op).start -= 2;
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT, "starts 1003 ns before");
}

// The join of a concat computes nothing: what it waits for is expected of the op behind it.
TEST_F(TimelineCheck, ThroughOpsThatAreNotTimed)
{
    int join = 0;
    while (plan->ops[join].implementation || !plan->ops[join].wait_count) ++join;
    int next = join + 1;
    while (!plan->ops[next].implementation) ++next;
    const int branch = awaited(join);
    ASSERT_NE(plan->ops[branch].stream, plan->ops[next].stream);
    at(branch).end = at(next).start + 1000;
    EXPECT_OK(check());
    at(branch).end = at(next).start + 2000;
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT, name(next) + " on stream 0 starts 2000 ns before " + name(branch));
    at(branch) = {};
    EXPECT_OK(check());
}

TEST_F(TimelineCheck, OverlapOnOneStream)
{
    int last = plan->op_count - 1;
    while (!plan->ops[last].implementation) --last;
    int before = last - 1;
    while (!plan->ops[before].implementation) --before;
    ASSERT_EQ(plan->ops[before].stream, plan->ops[last].stream);
    at(last).start -= 1001;
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT,
                 name(last) + " starts 1001 ns before " + name(before) + " ends, both on stream 0");
}

TEST_F(TimelineCheck, OpsThatContradictThemselves)
{
    const int op = branch_start();
    const trib_op_time good = at(op);
    at(op).end = good.start - 1;
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT, name(op) + " ends 1 ns before it starts");
    at(op) = { good.issued, 0, good.end };
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT, name(op) + " has no time of its start");
    at(op) = { good.issued, good.start, 0 };
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT, name(op) + " has no time of its end");
    at(op) = good;
    at(op).issued = good.start + 1001;
    EXPECT_FAILS(check(), TRIB_INVALID_ARGUMENT, name(op) + " starts 1001 ns before the host issued it");
    at(op) = { good.issued, good.start, good.start }; // no time at all is possible
    EXPECT_OK(check());
}

TEST_F(TimelineCheck, ImpossibleRequestsAndNoMemory)
{
    EXPECT_FAILS(trib_timeline_check(nullptr, &run), TRIB_INVALID_ARGUMENT, "are needed");
    EXPECT_FAILS(trib_timeline_check(plan.get(), nullptr), TRIB_INVALID_ARGUMENT, "are needed");
    trib_timeline_run empty = {};
    EXPECT_FAILS(trib_timeline_check(plan.get(), &empty), TRIB_INVALID_ARGUMENT, "are needed");
    trib_fault_arm(1, false);
    EXPECT_FAILS(check(), TRIB_OUT_OF_MEMORY, "no memory");
    EXPECT_EQ(trib_fault_disarm(), 1);
}

} // namespace

// SPDX-License-Identifier: Apache-2.0
// Drivers that tell times themselves, once a run is over (device/observe.h), as far as sessions go: a made-up one.
#include <string>
#include <vector>

#include "runtime/nets.h"
#include "tributary/internal/fault.h"
extern "C" {
#include "runtime/device/driver.h"
#include "runtime/trace/trace.h"
}

namespace
{

struct Observation {
    trib_observation base;
};

struct MadeUp {
    trib_device device = {};
    trib_driver driver = {};
    bool fails = false, loses = false, wants_nothing = false;
    int open = 0;
    std::int64_t issued = 0;
    std::vector<std::string> calls;
    trib_observation_options options = {};
    Observation observation = {};

    MadeUp()
    {
        device.driver = &driver;
        std::snprintf(device.info.spec, sizeof device.info.spec, "made-up:0");
    }
    void observes();
};

MadeUp *current;

trib_status open_observation(trib_device *device, const trib_observation_options *options, trib_observation **out)
{
    current->options = *options;
    if (current->fails) return TRIB_ERROR(TRIB_DEVICE_ERROR, "the clock stands still");
    if (current->wants_nothing || !options->times) return trib_success();
    ++current->open;
    current->observation.base.device = device;
    current->observation.base.clock_step = 32;
    std::snprintf(current->observation.base.source, sizeof current->observation.base.source, "an hourglass");
    *out = &current->observation.base;
    return trib_success();
}

void close_observation(trib_observation *observation)
{
    EXPECT_EQ(observation, &current->observation.base);
    --current->open;
}

trib_status begin(trib_observation *, trib_stream *stream, trib_observed_run *run, int op)
{
    EXPECT_EQ(stream, nullptr);
    current->calls.push_back("begin " + std::to_string(op) + (run ? "" : " recorded"));
    return trib_success();
}

trib_status end(trib_observation *, trib_stream *)
{
    current->calls.emplace_back("end");
    return trib_success();
}

trib_status collect(trib_observation *, trib_observed_run *run)
{
    current->calls.emplace_back(run->timed ? "collect" : "collect nothing");
    if (current->loses) return TRIB_ERROR(TRIB_DEVICE_ERROR, "3 records were dropped");
    run->observer->told(run, 1, current->issued, 2000, 3000);
    std::snprintf(current->observation.base.source, sizeof current->observation.base.source, "a sundial");
    return trib_success();
}

void drop(trib_observation *, trib_observed_run *) { current->calls.emplace_back("drop"); }

void MadeUp::observes()
{
    driver.observation_open = open_observation;
    driver.observation_close = close_observation;
    driver.observe_begin = begin;
    driver.observe_end = end;
    driver.observation_collect = collect;
    driver.observation_drop = drop;
}

class Observe : public testing::Test
{
  protected:
    void SetUp() override
    {
        current = &made_up;
        ASSERT_OK(trib_timeline_create(2, &timeline));
        subject = { &made_up.device, plan.get(), 1, 3, timeline };
    }
    void TearDown() override
    {
        trib_trace_destroy(trace);
        trib_timeline_destroy(timeline);
        EXPECT_EQ(made_up.open, 0);
    }
    trib_status create() { return trib_trace_create(&subject, { nullptr, 0 }, &trace); }
    void run(int turn, std::int64_t chunk, bool failed = false)
    {
        const trib_trace_run r = { 0, turn, chunk };
        trib_traced_run traced = {};
        trib_trace_begin_run(trace, &r, &traced);
        trib_trace_issue(trace, &traced, 1);
        EXPECT_OK(trib_trace_observe(trace, nullptr, &traced, 1));
        EXPECT_OK(trib_trace_observed(trace, nullptr));
        trib_trace_end_run(&traced, failed);
        trib_trace_end_run(&traced, failed); // it has ended
    }

    nets::Device cpu = nets::cpu(1);
    nets::Graph graph = nets::inception(true);
    nets::Plan plan = nets::plan(graph.get(), cpu.get(), trib_plan_default_options());
    MadeUp made_up;
    trib_timeline *timeline = nullptr;
    trib_trace *trace = nullptr;
    trib_trace_subject subject = {};
};

TEST_F(Observe, TimesAreToldWhenARunIsOver)
{
    made_up.observes();
    ASSERT_OK(create());
    EXPECT_EQ(made_up.options.op_count, plan->op_count);
    EXPECT_EQ(made_up.options.runs, 3);
    EXPECT_TRUE(made_up.options.times);
    EXPECT_STREQ(trib_timeline_source(timeline), "an hourglass");
    EXPECT_OK(trib_trace_observe(trace, nullptr, nullptr, 1));
    run(0, 0);
    EXPECT_EQ(made_up.calls, (std::vector<std::string> { "begin 1 recorded", "begin 1", "end", "collect" }));
    ASSERT_EQ(trib_timeline_count(timeline), 1);
    const trib_timeline_run r = trib_timeline_at(timeline, 0);
    EXPECT_EQ(r.clock_step, 32);
    EXPECT_EQ(r.ops[1].start, 2000);
    EXPECT_EQ(r.ops[1].end, 3000);
    EXPECT_GT(r.ops[1].issued, 3000);
    EXPECT_EQ(r.ops[0].issued, 0);
    EXPECT_STREQ(trib_timeline_source(timeline), "a sundial"); // it has changed its mind
    made_up.issued = 1500;                                     // it knows better when the host issued the op
    run(1, 1);
    EXPECT_EQ(trib_timeline_at(timeline, 1).ops[1].issued, 1500);
}

TEST_F(Observe, ADriverMayRefuseLaunches)
{
    made_up.observes();
    ASSERT_OK(create());
    EXPECT_FALSE(trib_trace_only_eager(trace));
    made_up.observation.base.only_eager = true;
    EXPECT_TRUE(trib_trace_only_eager(trace));
    EXPECT_FALSE(trib_trace_only_eager(nullptr));
}

TEST_F(Observe, AFullTimelineWantsNoTimes)
{
    made_up.observes();
    ASSERT_OK(create());
    for (int i = 0; i < 3; ++i) run(i, i);
    EXPECT_EQ(made_up.calls.back(), "collect nothing");
    EXPECT_EQ(trib_timeline_count(timeline), 2);
    EXPECT_EQ(trib_timeline_dropped(timeline), 1);
}

TEST_F(Observe, LostTimesAreNoFailure)
{
    made_up.observes();
    ASSERT_OK(create());
    made_up.loses = true;
    run(0, 0);
    run(1, 1);
    EXPECT_EQ(trib_timeline_count(timeline), 0);
    EXPECT_EQ(trib_timeline_lost(timeline), 2);
    EXPECT_FAILS(trib_timeline_loss(timeline), TRIB_DEVICE_ERROR, "3 records were dropped");
    made_up.loses = false;
    run(2, 2);
    EXPECT_EQ(trib_timeline_count(timeline), 1); // its room was free again
    trib_timeline_clear(timeline);
    EXPECT_EQ(trib_timeline_lost(timeline), 0);
    EXPECT_OK(trib_timeline_loss(timeline));
}

TEST_F(Observe, AFailedRunIsDropped)
{
    made_up.observes();
    ASSERT_OK(create());
    run(0, 0, true);
    EXPECT_EQ(made_up.calls, (std::vector<std::string> { "begin 1", "end", "drop" }));
    EXPECT_EQ(trib_timeline_count(timeline), 0);
    EXPECT_EQ(trib_timeline_lost(timeline), 0);
}

TEST_F(Observe, ADeviceThatCannotTellIsRefused)
{
    EXPECT_FAILS(create(), TRIB_UNSUPPORTED, "device made-up:0 cannot tell when ops run");
    made_up.observes();
    made_up.fails = true;
    EXPECT_FAILS(create(), TRIB_DEVICE_ERROR, "the clock stands still");
    made_up.fails = false;
    ASSERT_OK(create()); // the timeline is free for it
}

// Ranges need no times: a driver that has no threads is not asked for them.
TEST_F(Observe, ASinkOfRangesAsksNoDriver)
{
    made_up.observes();
    made_up.fails = true;
    subject.timeline = nullptr;
    static trib_trace_sink ranges; // a trace lives as long as the test
    static int state;
    ranges.name = "ranges";
    ranges.open = [](void *, const trib_trace_subject *, void **out) {
        *out = &state;
        return trib_success();
    };
    ranges.close = [](void *) {};
    ranges.begin_op = [](void *, const trib_trace_run *, int) { FAIL() << "no thread computes here"; };
    const trib_trace_sink *const list[] = { &ranges };
    ASSERT_OK(trib_trace_create(&subject, { list, 1 }, &trace));
    EXPECT_EQ(made_up.options.op_count, 0);
    run(0, 0);
    EXPECT_EQ(made_up.calls, std::vector<std::string>());
}

} // namespace

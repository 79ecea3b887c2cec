// SPDX-License-Identifier: Apache-2.0
// Timelines of a small network on a GPU: every op that computes has times, within those of the call, and they
// agree with the plan.
#include <chrono>
#include <cstdlib>

#include "conformance/conformance.h"
#include "runtime/nets.h"

using namespace conformance;

namespace
{

std::int64_t now()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

struct FreeTimeline {
    void operator()(trib_timeline *t) const { trib_timeline_destroy(t); }
};

class TimelineOfANetwork : public DeviceTest
{
  protected:
    void SetUp() override
    {
        DeviceTest::SetUp();
        if (info().host) GTEST_SKIP() << "a cpu has tests of its own";
        // The simulated CUDA has a clock of its own, unless it is told to follow the real one.
        if (support::kind_under_test() == std::string("cuda") && !std::getenv("FAKECUDA_CLOCK"))
            GTEST_SKIP() << "FAKECUDA_CLOCK=real is not set";
    }

    // Calls that wait for each batch; the first ones warm up.
    void run(trib_schedule schedule, trib_launch launch, trib_timeline *timeline)
    {
        nets::Graph graph = nets::little_googlenet(2);
        nets::Parameters parameters(graph.get());
        const std::vector<float> input = nets::input_for(graph.get(), 1);
        trib_session_options options = trib_session_default_options();
        options.plan.schedule = schedule;
        options.launch = launch;
        options.timeline = timeline;
        trib_session *made = nullptr;
        ASSERT_OK(trib_session_create(device(), graph.get(), parameters.data(), &options, &made));
        nets::Session session(made);
        const trib_plan *plan = trib_session_plan(made);
        std::vector<float> output(1000);
        for (int i = 0; i < 3; ++i) {
            const std::int64_t before = now();
            trib_timeline_clear(timeline);
            ASSERT_OK(trib_session_run(made, input.data(), 1, std::vector<void *> { output.data() }.data()));
            const std::int64_t after = now();
            ASSERT_EQ(trib_timeline_count(timeline), 1) << trib_timeline_loss(timeline).message;
            const trib_timeline_run run = trib_timeline_at(timeline, 0);
            EXPECT_OK(trib_timeline_check(plan, &run));
            expect_within(plan, run, before, after);
        }
        std::printf("%s\n", trib_timeline_source(timeline));
    }

    // The device's clock is brought to the host's: 100 us of error are more than was ever seen.
    void expect_within(const trib_plan *plan, const trib_timeline_run &run, std::int64_t before, std::int64_t after)
    {
        int timed = 0;
        for (int op = 0; op < plan->op_count; ++op) {
            const trib_op_time &t = run.ops[op];
            if (!t.start) continue;
            ++timed;
            EXPECT_GE(t.issued, before) << plan->ops[op].name;
            EXPECT_GE(t.start, before - 100000) << plan->ops[op].name;
            EXPECT_LE(t.end, after + 100000) << plan->ops[op].name;
        }
        EXPECT_GT(timed, plan->op_count / 2);
    }
};

TEST_P(TimelineOfANetwork, AgreesWithThePlan)
{
    for (trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED })
        for (trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
            trib_timeline *made = nullptr;
            ASSERT_OK(trib_timeline_create(2, &made));
            std::unique_ptr<trib_timeline, FreeTimeline> timeline(made);
            SCOPED_TRACE(trib_schedule_name(schedule) + std::string(launch == TRIB_GRAPH ? ", graph" : ", eager"));
            ASSERT_NO_FATAL_FAILURE(run(schedule, launch, made));
        }
}

INSTANTIATE_TEST_SUITE_P(Devices, TimelineOfANetwork, testing::ValuesIn(computing_devices()), test_name);

} // namespace

// SPDX-License-Identifier: Apache-2.0
// Sessions and trainers as they really ran here: times fit their plans, and all sums close, whatever the machine does.
#include <memory>

#include "profile/flows.h"
#include "runtime/nets.h"

namespace
{

struct Timeline {
    Timeline() { EXPECT_OK(trib_timeline_create(32, &timeline)); }
    ~Timeline() { trib_timeline_destroy(timeline); }
    trib_timeline *timeline = nullptr;
};

struct Analysed {
    trib_profile_graph graph = {};
    std::vector<std::unique_ptr<flows::Profile>> profiles;
    std::vector<const trib_profile *> list;
    ~Analysed() { trib_profile_graph_release(&graph); }
};

void analyse(const trib_plan *plan, const Timeline &t, Analysed *out)
{
    ASSERT_OK(trib_profile_graph_of_plan(plan, 0, &out->graph));
    ASSERT_GT(trib_timeline_count(t.timeline), 0);
    for (int i = 0; i < trib_timeline_count(t.timeline); ++i) {
        const trib_timeline_run r = trib_timeline_at(t.timeline, i);
        std::vector<std::int64_t> alone(std::size_t(plan->op_count)), durations;
        ASSERT_OK(trib_profile_alone(&out->graph, &r.ops, 1, alone.data()));
        const trib_profile_run run = { r.ops, r.clock_step, r.lane, r.chunk, alone.data(), nullptr };
        const trib_profile_limits limits = { 1e10, 1e11, 5000 };
        out->profiles.push_back(std::make_unique<flows::Profile>());
        ASSERT_OK(trib_profile_analyse(&out->graph, &run, &limits, out->profiles.back().get(), nullptr));
        flows::expect_closed(*out->profiles.back());
        EXPECT_EQ(out->profiles.back()->lane, r.lane);
        EXPECT_LE(out->profiles.back()->total.bounds.path, out->profiles.back()->total.wall); // alone = as it ran
        out->list.push_back(out->profiles.back().get());
    }
}

void expect_session(trib_schedule schedule, trib_launch launch, int lanes)
{
    const nets::Graph network = nets::little_googlenet();
    const nets::Device device = nets::cpu(2);
    const Timeline t;
    trib_session_options options = trib_session_default_options();
    options.plan.schedule = schedule;
    options.plan.batch = 1;
    options.plan.threads = 2 / lanes;
    options.max_batch = 4;
    options.lanes = lanes;
    options.launch = launch;
    options.timeline = t.timeline;
    const nets::Session session = nets::session(network.get(), device.get(), options);
    const std::vector<float> input = nets::input_for(network.get(), 4);
    std::vector<float> output(4 * 1000);
    void *outputs[] = { output.data() };
    ASSERT_OK(trib_session_run(session.get(), input.data(), 4, outputs));
    Analysed analysed;
    analyse(trib_session_plan(session.get()), t, &analysed);
    ASSERT_EQ(analysed.list.size(), 4u);
    std::int64_t busy = 0;
    for (const trib_profile *p : analysed.list) busy += p->total.busy;
    const std::vector<const trib_profile_graph *> graphs(analysed.list.size(), &analysed.graph);
    trib_profile_device d;
    ASSERT_OK(trib_profile_device_of(analysed.list.data(), graphs.data(), 4, 0, 0, &d));
    EXPECT_EQ(d.busy, busy);
    EXPECT_LE(d.any, d.to - d.from);
    EXPECT_LE(d.overlap, d.any);
    trib_profile_medians m;
    ASSERT_OK(trib_profile_medians_of(analysed.list.data(), 4, &m));
    EXPECT_EQ(m.total.wall, analysed.list[std::size_t(m.trace)]->total.wall);
    trib_profile_medians_release(&m);
}

} // namespace

TEST(Session, TimesFitThePlan)
{
    for (const trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED })
        for (const trib_launch launch : { TRIB_EAGER, TRIB_GRAPH }) {
            SCOPED_TRACE(trib_schedule_name(schedule));
            expect_session(schedule, launch, 1);
        }
}

TEST(Session, LanesBesideEachOther) { expect_session(TRIB_BRANCHES, TRIB_EAGER, 2); }

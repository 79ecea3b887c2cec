// SPDX-License-Identifier: Apache-2.0
// Traces and reports of real plans, inference and training: of a session that ran, and of times that are made up.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "profile/html.h"
#include "profile/read_trace.h"
#include "profile/trace_json.h"
#include "runtime/nets.h"
#include "runtime/trained.h"
#include "support/support.h"

namespace
{

// A plan's graph, times and numbers.
struct Profiled {
    Profiled(const trib_plan *p, std::vector<trib_op_time> t, int lane = 0) : plan(p), times(std::move(t))
    {
        EXPECT_OK(trib_profile_graph_of_plan(plan, 2, &graph));
        trib_profile_run run = {};
        run.times = times.data();
        run.lane = lane;
        const trib_profile_limits unknown = {};
        EXPECT_OK(trib_profile_analyse(&graph, &run, &unknown, &profile, nullptr));
    }
    ~Profiled()
    {
        trib_profile_release(&profile);
        trib_profile_graph_release(&graph);
    }
    Profiled(const Profiled &) = delete;
    Profiled &operator=(const Profiled &) = delete;

    int ops_that_run() const
    {
        return int(
            std::count_if(graph.ops, graph.ops + graph.op_count, [](const trib_profile_op &o) { return o.runs; }));
    }

    const trib_plan *plan;
    std::vector<trib_op_time> times;
    trib_profile_graph graph = {};
    trib_profile profile = {};
};

// Each op begins 20 ns after all that it waits for, and takes its own while.
std::vector<trib_op_time> made_up_times(const trib_plan *plan)
{
    trib_profile_graph g;
    EXPECT_OK(trib_profile_graph_of_plan(plan, 2, &g));
    std::vector<std::int64_t> stream(std::size_t(g.stream_count), 1000), end(std::size_t(g.op_count), 0);
    std::vector<trib_op_time> times;
    for (int i = 0; i < g.op_count; ++i) {
        std::int64_t &free = stream[std::size_t(g.ops[i].stream)], from = free;
        for (int k = 0; k < g.ops[i].wait_count; ++k) from = std::max(from, end[std::size_t(g.ops[i].waits[k])]);
        const std::int64_t begin = from + 20, to = begin + 100 * (1 + i % 7);
        times.push_back(g.ops[i].runs ? trib_op_time { 900, begin, to } : trib_op_time {});
        free = end[std::size_t(i)] = g.ops[i].runs ? to : from;
    }
    trib_profile_graph_release(&g);
    return times;
}

trace::Trace trace_of(const std::vector<const Profiled *> &all, trib_trace_counts *counts)
{
    support::TemporaryFolder folder;
    std::vector<trib_trace_run> runs;
    std::vector<trib_trace_part> parts;
    for (const Profiled *p : all) runs.push_back({ &p->profile, p->times.data() });
    for (std::size_t i = 0; i < all.size(); ++i)
        parts.push_back({ "branches", all[i]->plan, &all[i]->graph, &runs[i], 1 });
    EXPECT_OK(trib_trace_write(folder.file("t.json").c_str(), parts.data(), int(parts.size()), counts));
    trace::Trace t = trace::read(support::read_file(folder.file("t.json")));
    trace::expect_drawable(t);
    return t;
}

std::string page_of(const Profiled &p)
{
    support::TemporaryFolder folder;
    trib_html_schedule s = {};
    s.name = "branches";
    s.plan = p.plan;
    s.graph = &p.graph;
    s.profile = &p.profile;
    s.times = p.times.data();
    trib_html_report report = {};
    report.schedules = &s;
    report.schedule_count = 1;
    EXPECT_OK(trib_html_write(folder.file("r.html").c_str(), &report));
    return support::read_file(folder.file("r.html"));
}

// All ops and modules are in the trace and in the page.
void expect_all(const Profiled &p)
{
    trib_trace_counts counts;
    const trace::Trace t = trace_of({ &p }, &counts);
    const std::string page = page_of(p);
    EXPECT_EQ(counts.slices + counts.instants, p.ops_that_run());
    EXPECT_EQ(counts.left_out, 0);
    EXPECT_EQ(t.arrows().size(), std::size_t(counts.flows));
    int modules = 0;
    for (int i = 0; i < p.graph.part_count; ++i) {
        if (p.graph.parts[i].kind == TRIB_PROFILE_TRUNK) continue;
        ++modules;
        EXPECT_NE(page.find("{\"name\":\"" + std::string(p.graph.parts[i].name) + "\""), std::string::npos);
    }
    EXPECT_EQ(counts.modules, modules);
    EXPECT_GT(modules, 0);
    for (int i = 0; i < p.graph.op_count; ++i)
        EXPECT_NE(page.find("{\"name\":\"" + std::string(p.graph.ops[i].name) + "\""), std::string::npos);
}

trib_plan_options branches(int batch = 2)
{
    trib_plan_options o = trib_plan_default_options();
    o.batch = batch;
    o.schedule = TRIB_BRANCHES;
    return o;
}

} // namespace

TEST(Pictures, HaveAllOpsOfAPlan)
{
    const nets::Device device = nets::cpu(2);
    for (const nets::Graph &graph : { nets::little_googlenet(), nets::nested() }) {
        const nets::Plan plan = nets::plan(graph.get(), device.get(), branches());
        const Profiled p(plan.get(), made_up_times(plan.get()));
        expect_all(p);
        trib_trace_counts counts;
        trace_of({ &p }, &counts);
        EXPECT_GE(counts.flows, 3); // of the first fork, to each of its other branches
    }
}

TEST(Pictures, HaveForwardAndBackwardOfTraining)
{
    const nets::Device device = nets::cpu(2);
    const nets::Graph graph = nets::little_googlenet();
    const trib_loss loss = { "logits", 1 };
    const trib_training training = training::training_of(&loss, 1);
    const nets::Plan plan = nets::plan(graph.get(), device.get(), training::options_of(training, 2, TRIB_BRANCHES));
    const Profiled p(plan.get(), made_up_times(plan.get()));
    expect_all(p);
    const std::string page = page_of(p);
    EXPECT_NE(page.find("\"kind\":\"backward\""), std::string::npos);
    EXPECT_NE(page.find("\"training\":1"), std::string::npos);
}

TEST(Pictures, OfASessionThatRan)
{
    const nets::Device device = nets::cpu(2);
    const nets::Graph graph = nets::little_googlenet();
    trib_timeline *timeline = nullptr;
    ASSERT_OK(trib_timeline_create(8, &timeline));
    const std::unique_ptr<trib_timeline, decltype(&trib_timeline_destroy)> owned(timeline, trib_timeline_destroy);
    trib_session_options o = trib_session_default_options();
    o.plan = branches(1);
    o.max_batch = 2;
    o.lanes = 2;
    o.timeline = timeline;
    const nets::Session session = nets::session(graph.get(), device.get(), o);
    const std::vector<float> input = nets::input_for(graph.get(), 2);
    std::vector<float> output(1000);
    void *outputs[] = { output.data() };
    ASSERT_OK(trib_session_run(session.get(), input.data(), 2, outputs));
    const trib_plan *plan = trib_session_plan(session.get());
    ASSERT_EQ(trib_timeline_count(timeline), 2);
    std::vector<std::unique_ptr<Profiled>> lanes;
    for (int i = 0; i < 2; ++i) {
        const trib_timeline_run run = trib_timeline_at(timeline, i);
        lanes.push_back(
            std::make_unique<Profiled>(plan, std::vector<trib_op_time>(run.ops, run.ops + plan->op_count), run.lane));
        expect_all(*lanes.back());
    }
    trib_trace_counts counts;
    const trace::Trace t = trace_of({ lanes[0].get(), lanes[1].get() }, &counts);
    EXPECT_EQ(t.processes.size(), 2u);
}

// SPDX-License-Identifier: Apache-2.0
// Our networks in a report: modules and branches are those of the plan, though the report has none.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>

#include "nsys/exports.h"
#include "profile/nsys_network.h"
#include "profile/nsys_print.h"
#include "runtime/nets.h"
#include "support/support.h"
#include "tributary/internal/fault.h"

namespace
{

using exports::Export;
using exports::Stream;

struct Times {
    std::vector<trib_op_time> ops;
    std::int64_t end = 0;
};

// As a device would run the plan: each stream in order, an op when what it waits for has ended and the host has issued
// it, which takes 900 ns per op from `start` on, or for a launch of a graph 900 ns for all.
Times simulate(const trib_plan *plan, std::int64_t start, bool graph, unsigned seed)
{
    std::mt19937 random(seed);
    Times times;
    std::vector<std::int64_t> stream(std::size_t(plan->stream_count), start), event(std::size_t(plan->event_count), 0);
    std::int64_t issued = start;
    for (int i = 0; i < plan->op_count; ++i) {
        const trib_plan_op &op = plan->ops[i];
        std::int64_t ready = stream[std::size_t(op.stream)];
        for (int k = 0; k < op.wait_count; ++k) ready = std::max(ready, event[std::size_t(op.waits[k])]);
        trib_op_time t = {};
        if (op.implementation) {
            issued = graph ? start + 900 : issued + 900;
            t.issued = issued;
            t.start = std::max(ready, issued) + random() % 300;
            t.end = t.start + 500 + random() % 4000;
            ready = t.end;
        }
        times.ops.push_back(t);
        stream[std::size_t(op.stream)] = ready;
        if (op.record >= 0) event[std::size_t(op.record)] = ready;
        times.end = std::max(times.end, ready);
    }
    return times;
}

enum Way { eager, graph, cpu };

class NsysNetwork : public testing::TestWithParam<std::tuple<const char *, Way, trib_schedule>>
{
  protected:
    support::TemporaryFolder folder;
    std::string path = folder.file("report.sqlite");
    nets::Graph network = nets::googlenet(support::bvlc, 64, 10);
    nets::Device device = nets::cpu(1);
    nets::Plan plan;
    trib_nsys_report *report = nullptr;
    trib_nsys_networks found = {};

    Way way() const { return std::get<1>(GetParam()); }
    void SetUp() override
    {
        trib_plan_options options = trib_plan_default_options();
        options.schedule = std::get<2>(GetParam());
        trib_plan *made = nullptr;
        ASSERT_OK(trib_plan_create(network.get(), device.get(), &options, &made));
        plan.reset(made);
    }
    void TearDown() override
    {
        trib_nsys_networks_release(&found);
        trib_nsys_release(report);
    }

    // What the session's sink would push while it captures.
    void capture(Export &out, int thread, int graph)
    {
        std::int64_t t = 10'000'000 * (graph + 1);
        out.range(7, thread, t, t + 1'000'000, "googlenet-bvlc batch 1 capture", 1);
        for (int i = 0; i < plan->op_count; ++i) {
            const trib_plan_op &op = plan->ops[i];
            t += 1000;
            out.range(7, thread, t, t + 900, op.name, 1, op.desc.kind + 1, op.stream);
            if (!op.implementation) continue;
            out.node(7, thread, t + 100, node(graph, i) + 1'000'000);
            out.node(7, thread, 900'000'000 + t, node(graph, i), node(graph, i) + 1'000'000);
        }
    }
    static std::int64_t node(int graph, int op) { return 1000 * (graph + 1) + op; }

    // Chunk `chunk` on lane `lane`, all of whose streams are the report's 20 + 10 * lane and more, or in a graph any.
    Times run(Export &out, std::int64_t start, int chunk, int lane, unsigned seed)
    {
        const Times times = simulate(plan.get(), start, way() == graph, seed);
        std::mt19937 random(seed);
        out.range(7, 70 + lane, start - 1000, times.end, "googlenet-bvlc batch 1", 1, 0, chunk);
        if (way() == graph) {
            out.range(7, 70 + lane, start - 500, start + 1000, "googlenet-bvlc batch 1 launch", 1, 0, chunk);
            out.call(7, 70 + lane, start, start + 900, correlation);
        }
        for (int i = 0; i < plan->op_count; ++i) {
            const trib_plan_op &op = plan->ops[i];
            const trib_op_time &t = times.ops[std::size_t(i)];
            if (!op.implementation) continue;
            const Stream stream = { 7, 0, 1, way() == graph ? int(random() % 40) : 20 + 10 * lane + op.stream };
            const int kind = op.desc.kind + 1;
            if (way() == cpu) {
                out.range(7, 100 + 10 * lane + op.stream, t.start, t.end, op.name, 1, kind, chunk);
            } else if (way() == graph) {
                out.kernel(stream, t.start, t.end, correlation, "kernel", node(lane, i));
            } else {
                out.range(7, 70 + lane, t.issued - 850, t.issued + 20, op.name, 1, kind, chunk);
                out.call(7, 70 + lane, t.issued - 800, t.issued, ++correlation);
                out.kernel(stream, t.start, t.end, correlation, "kernel");
            }
        }
        ++correlation;
        return times;
    }
    std::int64_t correlation = 1;

    // Window by window of a run: the plan's own analysis, with as much as a report knows, agrees.
    void expect_as_the_plan(const trib_nsys_network &n, const trib_profile &run, const Times &times)
    {
        trib_profile_graph own = {};
        trib_profile wanted = {};
        ASSERT_OK(trib_profile_graph_of_plan(plan.get(), 1, &own));
        std::vector<trib_op_time> known = times.ops;
        if (way() == cpu)
            for (trib_op_time &t : known) t.issued = 0;
        const trib_profile_run input = { known.data(), 1, 0, 0, nullptr, nullptr };
        const trib_profile_limits limits = {};
        ASSERT_OK(trib_profile_analyse(&own, &input, &limits, &wanted, nullptr));
        int modules = 0;
        for (int w = 0; w < n.graph.part_count; ++w) {
            if (n.graph.parts[w].kind == TRIB_PROFILE_TRUNK) continue;
            const int v = trib_profile_part_find(&own, n.graph.parts[w].name, TRIB_PROFILE_FORWARD);
            ASSERT_GE(v, 0) << n.graph.parts[w].name;
            const trib_profile_window &a = run.windows[w], &b = wanted.windows[v];
            ++modules;
            EXPECT_EQ(a.wall, b.wall) << n.graph.parts[w].name;
            EXPECT_EQ(a.streams, b.streams);
            EXPECT_EQ(a.busy, b.busy);
            EXPECT_EQ(a.any, b.any);
            EXPECT_EQ(a.overlap, b.overlap);
            std::int64_t idle = 0;
            for (int c = 0; c < TRIB_IDLE_NO_WORK; ++c) idle += a.idle[c];
            EXPECT_EQ(a.busy + idle, a.streams * a.wall);
            if (std::get<2>(GetParam()) == TRIB_FUSED) continue; // has events within modules
            for (int c = 0; c < TRIB_IDLE_NO_WORK; ++c) EXPECT_EQ(a.idle[c], b.idle[c]) << c;
            EXPECT_EQ(a.path.busy, b.path.busy);
        }
        EXPECT_EQ(modules, 9);
        EXPECT_EQ(run.total.wall, wanted.total.wall);
        EXPECT_EQ(run.total.busy, wanted.total.busy);
        EXPECT_EQ(run.total.overlap, wanted.total.overlap);
        trib_profile_release(&wanted);
        trib_profile_graph_release(&own);
    }
    void read()
    {
        ASSERT_OK(trib_nsys_read(path.c_str(), nullptr, &report));
        ASSERT_OK(trib_nsys_networks_of(report, &found));
    }
};

TEST_P(NsysNetwork, ModulesAreThoseOfThePlan)
{
    std::vector<Times> times;
    {
        Export out(path, std::get<0>(GetParam()));
        out.domain(7, 1, "tributary");
        for (int lane = 0; lane < 2 && way() == graph; ++lane) capture(out, 70 + lane, lane);
        for (int session = 0; session < (way() == cpu ? 2 : 1); ++session) // whose numbers begin again
            for (int chunk = 0; chunk < 4; ++chunk)
                times.push_back(run(out, 2'000'000'000 + 400'000 * std::int64_t(times.size()), chunk, chunk % 2,
                                    unsigned(times.size())));
        if (way() == eager) out.copy({ 7, 0, 1, 99 }, 1, 2, 0);
    }
    read();
    ASSERT_EQ(found.count, 1);
    const trib_nsys_network &n = found.items[0];
    EXPECT_EQ(n.run_count, int(times.size()));
    EXPECT_EQ(n.contradicting, 0) << n.contradiction.message;
    EXPECT_EQ(n.in_graph, way() == graph);
    EXPECT_TRUE(n.streams_known);
    EXPECT_EQ(n.graph.stream_count, plan->stream_count);
    EXPECT_STREQ(trib_nsys_name_text(&report->names, n.name), way() == cpu ? "(no name)" : "googlenet-bvlc batch 1");
    for (int r = 0; r < n.run_count; ++r) expect_as_the_plan(n, n.runs[r], times[std::size_t(r)]);
}

std::string name_of(const testing::TestParamInfo<NsysNetwork::ParamType> &p)
{
    static const char *const ways[] = { "Eager", "Graph", "Cpu" };
    return std::string(ways[std::get<1>(p.param)]) + std::string(std::get<0>(p.param)).substr(0, 4) +
           trib_schedule_name(std::get<2>(p.param));
}

INSTANTIATE_TEST_SUITE_P(Branches, NsysNetwork,
                         testing::Combine(testing::Values(exports::v2022, exports::v2023, exports::v2024),
                                          testing::Values(eager, graph), testing::Values(TRIB_BRANCHES)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Others, NsysNetwork,
                         testing::Combine(testing::Values(exports::v2023), testing::Values(eager, graph, cpu),
                                          testing::Values(TRIB_SERIAL, TRIB_FUSED)),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Cpu, NsysNetwork,
                         testing::Combine(testing::Values(exports::v2023), testing::Values(cpu),
                                          testing::Values(TRIB_BRANCHES)),
                         name_of);

// ---- by hand ----

class NsysNetworkByHand : public testing::Test
{
  protected:
    support::TemporaryFolder folder;
    std::string path = folder.file("report.sqlite");
    std::unique_ptr<Export> out = std::make_unique<Export>(path, exports::v2023);
    trib_nsys_report *report = nullptr;
    trib_nsys_networks found = {};
    int correlation = 0;

    void layer(const std::string &name, int stream, int start, int end, int chunk = 0)
    {
        ++correlation;
        out->range(7, 70, 10 * correlation, 10 * correlation + 9, name, 1, 4, chunk);
        out->call(7, 70, 10 * correlation + 1, 10 * correlation + 2, correlation);
        out->kernel({ 7, 0, 1, stream }, start, end, correlation);
    }
    void begin() { out->domain(7, 1, "tributary"); }
    void read()
    {
        out.reset();
        ASSERT_OK(trib_nsys_read(path.c_str(), nullptr, &report));
        ASSERT_OK(trib_nsys_networks_of(report, &found));
    }
    std::string printed()
    {
        char *text = nullptr;
        std::size_t size = 0;
        FILE *file = open_memstream(&text, &size);
        trib_nsys_print_networks(report, &found, file);
        std::fclose(file);
        const std::string copy(text, size);
        std::free(text);
        return copy;
    }
    void TearDown() override
    {
        trib_nsys_networks_release(&found);
        trib_nsys_release(report);
    }
};

TEST_F(NsysNetworkByHand, TimesThatContradictModulesAreSaid)
{
    begin();
    out->range(7, 70, 0, 1000, "net batch 1", 1);
    layer("conv1", 1, 10'000, 20'000);
    layer("inception_3a/1x1", 1, 20'000, 30'000);
    layer("inception_3a/3x3", 2, 12'000, 40'000); // before conv1 has ended
    read();
    ASSERT_EQ(found.count, 1);
    EXPECT_EQ(found.items[0].run_count, 0);
    EXPECT_EQ(found.items[0].contradicting, 1);
    EXPECT_NE(std::string(found.items[0].contradiction.message).find("inception_3a/3x3"), std::string::npos)
        << found.items[0].contradiction.message;
    EXPECT_NE(printed().find("note: of 1 run nothing is shown, since modules do not follow each other there"),
              std::string::npos);
}

TEST_F(NsysNetworkByHand, AForeignReportHasNone)
{
    out->range(7, 70, 0, 1000, "inception_3a/1x1", 0, 4);
    out->call(7, 70, 1, 2, 5);
    out->kernel({}, 10, 20, 5);
    read();
    EXPECT_EQ(found.count, 0);
    EXPECT_EQ(printed(), "");
}

TEST_F(NsysNetworkByHand, OfManyRunsSomeAreAnalysed)
{
    begin();
    for (int i = 0; i < 1203; ++i) {
        out->range(7, 70, 10 * (correlation + 1) - 1, 10 * correlation + 28, "net batch 1", 1, 0, i);
        layer("conv1", 1, 100'000 + 100 * i, 100'050 + 100 * i, i);
        layer("conv2", 1, 100'050 + 100 * i, 100'090 + 100 * i, i);
    }
    read();
    ASSERT_EQ(found.count, 1);
    EXPECT_EQ(found.items[0].total, 1203);
    EXPECT_EQ(found.items[0].run_count, 401);
    EXPECT_EQ(found.items[0].medians.total.wall, 90);
    EXPECT_NE(printed().find("net batch 1, process 7: 1203 runs\n401 of them, evenly spread, are shown\n"),
              std::string::npos)
        << printed();
}

TEST_F(NsysNetworkByHand, OtherStreamsAreAnotherNetwork)
{
    begin();
    for (int i = 0; i < 3; ++i) {
        out->range(7, 70, 10 * (correlation + 1) - 1, 10 * correlation + 28, "net batch 1", 1, 0, i);
        layer("module/a", 1, 100'000 + 100 * i, 100'050 + 100 * i, i);
        layer("module/b", i == 2 ? 1 : 2, 100'050 + 100 * i, 100'090 + 100 * i, i);
    }
    read();
    ASSERT_EQ(found.count, 2);
    EXPECT_EQ(found.items[0].run_count, 2);
    EXPECT_EQ(found.items[0].graph.stream_count, 2);
    EXPECT_EQ(found.items[1].graph.stream_count, 1);
    EXPECT_NE(printed().find("module "), std::string::npos);
}

TEST_F(NsysNetworkByHand, WhateverFailsIsSaid)
{
    begin();
    out->range(7, 70, 0, 1000, "net batch 1", 1);
    layer("conv1", 1, 10'000, 20'000);
    layer("inception_3a/1x1", 1, 20'000, 30'000);
    layer("inception_3a/3x3", 2, 22'000, 40'000);
    read();
    bool more = true;
    for (std::int64_t k = 1; more; ++k) {
        trib_nsys_networks again = {};
        trib_fault_arm(k, false);
        const trib_status status = trib_nsys_networks_of(report, &again);
        more = trib_fault_disarm() >= k;
        EXPECT_EQ(status.code, more ? TRIB_OUT_OF_MEMORY : TRIB_OK) << k << ": " << status.message;
        trib_nsys_networks_release(&again);
    }
}

} // namespace

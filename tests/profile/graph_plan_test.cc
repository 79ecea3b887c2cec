// SPDX-License-Identifier: Apache-2.0
// A plan's ops in windows: modules are found in every schedule, forward and backward, and times of any run close.
#include <algorithm>
#include <cstring>
#include <random>

#include "graph/graph.h"
#include "profile/flows.h"
#include "runtime/nets.h"
#include "support/form.h"
#include "tributary/internal/fault.h"

namespace
{

struct Graph : trib_profile_graph {
    explicit Graph(const trib_plan *plan, int cores = 0) : trib_profile_graph()
    {
        EXPECT_OK(trib_profile_graph_of_plan(plan, cores, this));
    }
    ~Graph() { trib_profile_graph_release(this); }
    Graph(const Graph &) = delete;
    Graph &operator=(const Graph &) = delete;
    std::string name(int op) const { return op < op_count ? ops[op].name : "?"; }
};

nets::Plan inference(const trib_graph *graph, trib_schedule schedule, int threads = 2)
{
    nets::Device device = nets::cpu(threads);
    trib_plan_options options = trib_plan_default_options();
    options.schedule = schedule;
    options.threads = threads;
    return nets::plan(graph, device.get(), options);
}

nets::Plan training(const trib_graph *graph, trib_device *device, trib_plan_options options)
{
    static const trib_loss losses[] = { { "logits", 1 }, { "aux1", 0.3f }, { "aux2", 0.3f } };
    trib_training how = {};
    how.losses = losses;
    how.loss_count = 3;
    options.batch = 2;
    options.training = &how;
    return nets::plan(graph, device, options);
}

// A run as the plan orders it: each op after what it waits for, with durations and gaps by chance.
std::vector<trib_op_time> times_of(const trib_plan *plan, unsigned seed)
{
    std::minstd_rand random(seed);
    std::vector<trib_op_time> times(std::size_t(plan->op_count));
    std::vector<std::int64_t> free(std::size_t(plan->stream_count), 1000);
    std::vector<std::int64_t> events(std::size_t(plan->event_count), 0);
    for (int i = 0; i < plan->op_count; ++i) {
        const trib_plan_op &op = plan->ops[i];
        std::int64_t &now = free[std::size_t(op.stream)];
        for (int w = 0; w < op.wait_count; ++w) now = std::max(now, events[std::size_t(op.waits[w])]);
        if (op.implementation) {
            const std::int64_t start = now + std::int64_t(random() % 7);
            now = start + std::int64_t(random() % 90);
            times[std::size_t(i)] = { 900, start, now };
        }
        if (op.record >= 0) events[std::size_t(op.record)] = now;
    }
    return times;
}

void expect_windows(const trib_plan *plan, const Graph &g)
{
    for (int i = 0; i < plan->op_count; ++i) {
        SCOPED_TRACE(plan->ops[i].name);
        const trib_profile_op &op = g.ops[i];
        int fork = plan->ops[i].fork;
        while (fork >= 0 && plan->forks[fork].parent >= 0) fork = plan->forks[fork].parent;
        if (fork >= 0) {
            EXPECT_EQ(g.parts[op.window].fork, fork);
        }
        if (op.branch >= 0) {
            EXPECT_LT(op.branch, g.parts[op.window].branch_count);
            EXPECT_GE(plan->ops[i].fork, 0);
        }
        EXPECT_EQ(op.runs, plan->ops[i].implementation != nullptr);
        EXPECT_EQ(op.stream, plan->ops[i].stream);
    }
    for (int w = 0; w < g.part_count; ++w) {
        EXPECT_EQ(w % 2 == 0, g.parts[w].kind == TRIB_PROFILE_TRUNK) << w;
        if (w % 2) {
            EXPECT_EQ(trib_profile_part_find(&g, g.parts[w].name, g.parts[w].kind), w);
        }
    }
}

// Branches as the network states them; the plan says less of forks inside branches.
void expect_branches(const trib_graph *network, const trib_plan *plan, const Graph &g)
{
    for (int i = 0; i < plan->op_count; ++i) {
        const trib_plan_op &op = plan->ops[i];
        if (op.fork < 0 || op.part_count > 1) continue;
        int branch = op.branch;
        for (int fork = op.fork; network->forks[fork].parent >= 0; fork = network->forks[fork].parent)
            branch = network->forks[fork].parent_branch;
        EXPECT_EQ(g.ops[i].branch, branch) << op.name;
    }
}

void expect_runs(const trib_plan *plan, const Graph &g, unsigned seed)
{
    const std::vector<trib_op_time> times = times_of(plan, seed);
    const trib_profile_run run = { times.data(), 0, 0, 0, nullptr, nullptr };
    flows::Profile p;
    ASSERT_OK(trib_profile_analyse(&g, &run, nullptr, &p, nullptr));
    flows::expect_closed(p);
    EXPECT_EQ(p.negative_gaps + p.trimmed, 0);
    // At inference, what is in a module's window is the module's.
    for (int w = 1; w < p.window_count && !plan->training; w += 2)
        for (int i = 0; i < g.op_count; ++i)
            if (g.ops[i].window == w && g.ops[i].runs) {
                EXPECT_GE(p.ops[i].from, p.windows[w].from) << g.name(i);
                EXPECT_LE(p.ops[i].to, p.windows[w].to) << g.name(i);
            }
}

std::vector<std::string> names_of(const Graph &g)
{
    std::vector<std::string> names;
    for (int w = 1; w < g.part_count; w += 2)
        names.push_back(std::string(g.parts[w].name) + " " + trib_profile_kind_name(g.parts[w].kind));
    return names;
}

} // namespace

// As on a GPU, where the first branch has no op of its own.
TEST(GraphOfPlan, AMergedOpNamesTheBranchItBeginsWith)
{
    const nets::Graph network = nets::googlenet(support::bvlc);
    const nets::Plan plan = inference(network.get(), TRIB_BRANCHES);
    int merged = 0;
    for (int i = 0; i < plan->op_count; ++i) {
        trib_plan_op &op = plan->ops[i];
        if (std::strcmp(op.name, "inception_3a/1x1")) continue;
        op.name = "inception_3a/1x1+3x3_reduce";
        op.part_count = 2;
        ++merged;
    }
    ASSERT_EQ(merged, 1);
    const Graph g(plan.get());
    EXPECT_STREQ(g.parts[1].branches[0], "1x1");
    EXPECT_STREQ(g.parts[1].branches[1], "3x3");
}

TEST(GraphOfPlan, GoogLeNet)
{
    const nets::Graph network = nets::googlenet(support::bvlc);
    for (const trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED }) {
        SCOPED_TRACE(trib_schedule_name(schedule));
        const nets::Plan plan = inference(network.get(), schedule);
        const Graph g(plan.get());
        ASSERT_EQ(g.part_count, 19);
        expect_windows(plan.get(), g);
        expect_runs(plan.get(), g, 1);
        const trib_profile_part &module = g.parts[1];
        EXPECT_STREQ(module.name, "inception_3a");
        EXPECT_EQ(module.kind, TRIB_PROFILE_FORWARD);
        EXPECT_EQ(g.name(module.last), "inception_3a/output");
        ASSERT_EQ(module.branch_count, 4);
        EXPECT_STREQ(module.branches[0], "1x1");
        EXPECT_STREQ(module.branches[1], "3x3");
        EXPECT_STREQ(module.branches[2], "5x5");
        EXPECT_STREQ(module.branches[3], "pool_proj");
        EXPECT_EQ(g.name(g.parts[0].last), "pool2/3x3_s2");
        EXPECT_STREQ(g.parts[0].name, "conv1/7x7_s2 ... pool2/3x3_s2");
        EXPECT_STREQ(g.parts[2].name, ""); // 3b follows at once
        EXPECT_EQ(g.name(g.parts[2].last), "inception_3a/output");
        EXPECT_STREQ(g.parts[4].name, "pool3/3x3_s2");
    }
}

TEST(GraphOfPlan, BranchesWaitForWhatEventsStandFor)
{
    const nets::Graph network = nets::googlenet(support::bvlc);
    const nets::Plan plan = inference(network.get(), TRIB_BRANCHES);
    const Graph g(plan.get());
    int join = g.parts[1].last;
    std::vector<std::string> waits;
    for (int k = 0; k < g.ops[join].wait_count; ++k) waits.push_back(g.name(g.ops[join].waits[k]));
    std::sort(waits.begin(), waits.end());
    EXPECT_EQ(waits, (std::vector<std::string> { "inception_3a/3x3", "inception_3a/5x5", "inception_3a/pool_proj" }));
    EXPECT_FALSE(g.ops[join].runs);
    EXPECT_EQ(g.ops[join].branch, -1);
}

// Ops of a branch may use one of two threads: half of the device.
TEST(GraphOfPlan, Shares)
{
    const nets::Graph network = nets::googlenet(support::bvlc);
    const nets::Plan plan = inference(network.get(), TRIB_BRANCHES);
    const Graph g(plan.get()), on_four(plan.get(), 4);
    for (int i = 0; i < g.op_count; ++i) {
        const int threads = plan->ops[i].desc.threads;
        EXPECT_EQ(g.ops[i].share, threads * TRIB_WHOLE_DEVICE / 2) << g.name(i);
        EXPECT_EQ(on_four.ops[i].share, threads * TRIB_WHOLE_DEVICE / 4) << g.name(i);
    }
}

TEST(GraphOfPlan, ForksInsideBranches)
{
    const nets::Graph network = nets::nested();
    for (const trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED }) {
        const nets::Plan plan = inference(network.get(), schedule);
        const Graph g(plan.get());
        expect_windows(plan.get(), g);
        expect_branches(network.get(), plan.get(), g);
        expect_runs(plan.get(), g, 2);
        int outer = 0;
        for (int f = 0; f < plan->fork_count; ++f) outer += plan->forks[f].parent < 0;
        EXPECT_LT(outer, plan->fork_count);
        EXPECT_EQ(g.part_count, 2 * outer + 1);
        for (int w = 1; w < g.part_count; w += 2) {
            EXPECT_EQ(plan->ops[g.parts[w].last].desc.kind, TRIB_CONCAT) << g.parts[w].name;
        }
    }
}

namespace
{

// Aux classifiers are trunk, and gradients of weights may end after their window.
void expect_training(trib_device *device)
{
    const nets::Graph network = nets::googlenet(support::torchvision, 64, 10, true);
    std::vector<std::string> names;
    for (const trib_schedule schedule : { TRIB_SERIAL, TRIB_BRANCHES, TRIB_FUSED }) {
        SCOPED_TRACE(trib_schedule_name(schedule));
        trib_plan_options options = trib_plan_default_options();
        options.schedule = schedule;
        const nets::Plan plan = training(network.get(), device, options);
        const Graph g(plan.get());
        ASSERT_EQ(g.part_count, 37);
        expect_windows(plan.get(), g);
        for (unsigned seed = 0; seed < 5; ++seed) expect_runs(plan.get(), g, seed);
        if (names.empty()) names = names_of(g);
        EXPECT_EQ(names_of(g), names);
        EXPECT_EQ(names[8], "inception_5b forward");
        EXPECT_EQ(names[9], "inception_5b backward");
        EXPECT_EQ(names[17], "inception_3a backward");
        const int w = trib_profile_part_find(&g, "inception_5a", TRIB_PROFILE_BACKWARD);
        ASSERT_EQ(w, 21);
        EXPECT_EQ(g.name(g.parts[w].last), "inception_5a/pool/backward");
        EXPECT_EQ(g.name(g.parts[w - 1].last), "inception_5b/pool/backward");
        EXPECT_STREQ(g.parts[w].branches[1], "3x3");
        for (int i = 0; i < g.op_count; ++i)
            if (g.name(i) == "inception_5a/1x1+2/backward_data") {
                EXPECT_EQ(g.ops[i].window, w);
                EXPECT_EQ(g.ops[i].branch, -1);
            }
        const int next = trib_profile_part_find(&g, "inception_4b", TRIB_PROFILE_FORWARD);
        EXPECT_EQ(g.name(g.parts[next - 1].last), "inception_4a/output"); // and not loss1, which lies between
    }
}

} // namespace

TEST(GraphOfPlan, Training) { expect_training(nets::cpu(2).get()); }

// As planned for a card: with a stream for gradients of weights.
TEST(GraphOfPlan, TrainingOnACard)
{
    trib_device_options options = {};
    options.target = "h200";
    trib_device *device = nullptr;
    const trib_status status = trib_device_open("cuda", &options, &device);
    if (trib_failed(&status)) GTEST_SKIP() << status.message;
    expect_training(device);
    trib_device_close(device);
}

TEST(GraphOfPlan, AnyPlanOfAnySchedule)
{
    const int count = support::by_form(20, 400);
    nets::Device device = nets::cpu(2);
    const nets::Graph networks[] = { nets::little_googlenet(), nets::nested(), nets::inception(true) };
    for (int i = 0; i < count; ++i) {
        SCOPED_TRACE(i);
        const nets::Graph &network = networks[i % 3];
        const nets::Schedules schedules(network.get(), std::uint64_t(i));
        const nets::Plan plan = nets::plan(network.get(), device.get(), schedules.options());
        const Graph g(plan.get());
        expect_windows(plan.get(), g);
        expect_branches(network.get(), plan.get(), g);
        expect_runs(plan.get(), g, unsigned(i));
    }
}

TEST(GraphOfPlan, TrainingInAnySchedule)
{
    const int count = support::by_form(5, 60);
    const nets::Device device = nets::cpu(2);
    const nets::Graph network = nets::googlenet(support::torchvision, 64, 10, true);
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) {
        SCOPED_TRACE(i);
        const nets::Schedules schedules(network.get(), std::uint64_t(i));
        const nets::Plan plan = training(network.get(), device.get(), schedules.options());
        const Graph g(plan.get());
        expect_windows(plan.get(), g);
        expect_branches(network.get(), plan.get(), g);
        expect_runs(plan.get(), g, unsigned(i));
        if (names.empty()) names = names_of(g);
        EXPECT_EQ(names_of(g), names);
        for (int w = 1; w < g.part_count; w += 2)
            if (g.parts[w].kind == TRIB_PROFILE_FORWARD) {
                EXPECT_EQ(g.name(g.parts[w].last), std::string(g.parts[w].name) + "/output");
            } else {
                EXPECT_EQ(g.name(g.parts[w].last).rfind(g.parts[w].name, 0), 0u) << g.name(g.parts[w].last);
            }
    }
}

TEST(GraphOfPlan, Refusals)
{
    trib_profile_graph g;
    EXPECT_FAILS(trib_profile_graph_of_plan(nullptr, 0, &g), TRIB_INVALID_ARGUMENT, "no plan");
    trib_plan empty = {};
    EXPECT_FAILS(trib_profile_graph_of_plan(&empty, 0, &g), TRIB_INVALID_ARGUMENT, "without ops");
    const trib_profile_graph none = {};
    EXPECT_EQ(trib_profile_part_find(&none, "x", TRIB_PROFILE_FORWARD), -1);
}

TEST(GraphOfPlan, EveryAllocationFails)
{
    const nets::Graph network = nets::inception(false);
    const nets::Plan plan = inference(network.get(), TRIB_BRANCHES);
    int failed = 0;
    for (std::int64_t k = 1;; ++k) {
        trib_profile_graph g = {};
        trib_fault_arm(k, false);
        const trib_status status = trib_profile_graph_of_plan(plan.get(), 0, &g);
        if (trib_fault_disarm() < k) {
            EXPECT_OK(status);
            trib_profile_graph_release(&g);
            break;
        }
        ++failed;
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << status.message;
        EXPECT_EQ(g.storage, nullptr);
    }
    EXPECT_GT(failed, 10);
}

// SPDX-License-Identifier: Apache-2.0
// What later Inceptions are made of, in a small made-up network: asymmetric filters, convolutions without padding,
// branches that end in a stride, an average pool before a projection, and a fork inside a branch.
#include <cmath>
#include <string>

#include "runtime/nets.h"

namespace
{

struct Net {
    trib_graph_builder *b = trib_graph_begin("nested");

    int conv(const std::string &name, int x, int k, int r, int s, int stride = 1, bool padded = true) const
    {
        trib_conv2d c {};
        c.k = k, c.r = r, c.s = s, c.stride_h = c.stride_w = stride;
        if (padded) c.pad = { r / 2, s / 2, r / 2, s / 2 };
        return trib_add_relu(b, (name + "/relu").c_str(), trib_add_conv2d(b, name.c_str(), x, &c));
    }
    // 1x1; 1x7 and 7x1; 3x3 that forks into 1x3 and 3x1; average pool and 1x1
    int module(int x) const
    {
        trib_fork outer = trib_fork_open(b, "module", x);
        int ends[4], inner_ends[2];
        trib_fork_branch(&outer);
        ends[0] = conv("module/1x1", x, 16, 1, 1);
        trib_fork_branch(&outer);
        ends[1] = conv("module/7x1", conv("module/1x7", conv("module/7_reduce", x, 8, 1, 1), 8, 1, 7), 16, 7, 1);
        trib_fork_branch(&outer);
        int stem = conv("module/3x3", conv("module/3_reduce", x, 8, 1, 1), 16, 3, 3);
        trib_fork inner = trib_fork_open(b, "module/split", stem);
        trib_fork_branch(&inner);
        inner_ends[0] = conv("module/split/1x3", stem, 8, 1, 3);
        trib_fork_branch(&inner);
        inner_ends[1] = conv("module/split/3x1", stem, 8, 3, 1);
        ends[2] = trib_fork_join_concat(&inner, "module/split/output", inner_ends, 2);
        trib_fork_branch(&outer);
        trib_pool2d average {};
        average.r = average.s = 3, average.pad = { 1, 1, 1, 1 };
        ends[3] = conv("module/pool_proj", trib_add_avg_pool2d(b, "module/pool", x, &average), 16, 1, 1);
        return trib_fork_join_concat(&outer, "module/output", ends, 4);
    }
    // Half the size: both branches end in a stride, without padding.
    int reduction(int x) const
    {
        trib_fork fork = trib_fork_open(b, "reduction", x);
        int ends[2];
        trib_fork_branch(&fork);
        ends[0] = conv("reduction/3x3", conv("reduction/reduce", x, 8, 1, 1), 32, 3, 3, 2, false);
        trib_fork_branch(&fork);
        trib_pool2d pool {};
        pool.r = pool.s = 3, pool.stride_h = pool.stride_w = 2;
        ends[1] = trib_add_max_pool2d(b, "reduction/pool", x, &pool);
        return trib_fork_join_concat(&fork, "reduction/output", ends, 2);
    }
    nets::Graph finish() const
    {
        int x = conv("stem", trib_add_input(b, "input", 3, 29, 27), 16, 3, 3, 2, false);
        x = reduction(module(x));
        trib_pool2d whole {};
        trib_linear classes { 7, false };
        x = trib_add_linear(b, "classes", trib_add_avg_pool2d(b, "mean", x, &whole), &classes);
        trib_graph_mark_output(b, "logits", x);
        trib_graph *graph = nullptr;
        EXPECT_OK(trib_graph_finish(b, &graph));
        return nets::Graph(graph);
    }
};

std::vector<float> logits(const trib_graph *graph, trib_device *device, trib_schedule schedule, bool reference)
{
    trib_session_options o = trib_session_default_options();
    o.max_batch = o.plan.batch = 2;
    o.lanes = 1;
    o.plan.schedule = schedule;
    o.plan.reference = reference;
    nets::Session session = nets::session(graph, device, o);
    std::vector<float> x = nets::input_for(graph, 2), y(2 * 7, NAN);
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(session.get(), x.data(), 2, outputs));
    return y;
}

TEST(Nested, ShapesAreThoseOfTheFormulas)
{
    nets::Graph graph = Net().finish();
    auto layer = [&](const char *name) {
        return trib_graph_layer(graph.get(), trib_graph_find_layer(graph.get(), name));
    };
    EXPECT_EQ(layer("stem")->h, 14);
    EXPECT_EQ(layer("stem")->w, 13);
    EXPECT_EQ(layer("module/7x1")->h, 14);
    EXPECT_EQ(layer("module/output")->c, 64);
    EXPECT_EQ(layer("reduction/output")->c, 96);
    EXPECT_EQ(layer("reduction/output")->h, 6);
    EXPECT_EQ(layer("module/split/3x1")->fork, 1);
    EXPECT_EQ(trib_graph_fork(graph.get(), 1)->parent, 0);
    EXPECT_EQ(trib_graph_fork(graph.get(), 1)->parent_branch, 2);
}

TEST(Nested, EveryScheduleComputesWhatTheReferenceDoes)
{
    nets::Graph graph = Net().finish();
    nets::Device device = nets::cpu();
    const std::vector<float> wanted = logits(graph.get(), device.get(), TRIB_SERIAL, true);
    const std::vector<float> serial = logits(graph.get(), device.get(), TRIB_SERIAL, false);
    double largest = 0;
    for (float value : wanted) largest = std::max(largest, std::fabs(double(value)));
    ASSERT_GT(largest, 0);
    for (std::size_t i = 0; i < wanted.size(); ++i) ASSERT_LE(std::fabs(double(serial[i]) - wanted[i]), 1e-5 * largest);
    for (trib_schedule schedule : { TRIB_BRANCHES, TRIB_FUSED })
        EXPECT_EQ(logits(graph.get(), device.get(), schedule, false), serial) << trib_schedule_name(schedule);
}

} // namespace

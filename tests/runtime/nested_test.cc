// SPDX-License-Identifier: Apache-2.0
// What later Inceptions are made of, in a small made-up network (nets::nested).
#include <cmath>

#include "runtime/nets.h"

namespace
{

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
    nets::Graph graph = nets::nested();
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
    nets::Graph graph = nets::nested();
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

// SPDX-License-Identifier: Apache-2.0
// A network like the later Inceptions on the simulated CUDA device: its average pool is never materialised either.
#include <cmath>
#include <string>

#include "runtime/nets.h"

namespace
{

constexpr int images = 2, classes = 7;

nets::Device device_of(const char *spec)
{
    trib_device *device = nullptr;
    EXPECT_OK(trib_device_open(spec, nullptr, &device));
    return nets::Device(device);
}

std::vector<float> logits(const trib_graph *graph, trib_device *device, const trib_plan_options &plan)
{
    trib_session_options o = trib_session_default_options();
    o.plan = plan;
    o.max_batch = o.plan.batch = images;
    o.lanes = 1;
    nets::Session session = nets::session(graph, device, o);
    std::vector<float> x = nets::input_for(graph, images), y(images * classes, NAN);
    void *outputs[] = { y.data() };
    EXPECT_OK(trib_session_run(session.get(), x.data(), images, outputs));
    return y;
}

const trib_plan_op *find(const trib_plan *plan, const std::string &name)
{
    for (int i = 0; i < plan->op_count; ++i)
        if (name == plan->ops[i].name) return &plan->ops[i];
    return nullptr;
}

TEST(NestedOnCuda, ThePoolBranchIsOneOp)
{
    nets::Graph graph = nets::nested();
    nets::Device device = device_of("cuda");
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision) {
        trib_plan_options o = trib_plan_default_options();
        o.forced_passes = 1u << TRIB_PASS_FUSE_POOL_PROJECTION; // its images are small
        o.schedule = TRIB_FUSED;
        o.precision = trib_precision(precision);
        nets::Plan plan = nets::plan(graph.get(), device.get(), o);
        ASSERT_TRUE(plan);
        const trib_plan_op *op = find(plan.get(), "module/pool+module/pool_proj");
        ASSERT_TRUE(op) << trib_precision_name(o.precision);
        EXPECT_EQ(op->desc.before.kind, TRIB_AVG_POOL2D);
        EXPECT_STREQ(op->implementation, "tributary:avg_pool2d_conv1x1");
        o.schedule = TRIB_BRANCHES; // the figure's ops
        plan = nets::plan(graph.get(), device.get(), o);
        EXPECT_TRUE(find(plan.get(), "module/pool") && find(plan.get(), "module/pool_proj"));
    }
}

TEST(NestedOnCuda, EveryScheduleComputesWhatTheReferenceDoes)
{
    const double tolerances[TRIB_PRECISION_COUNT] = { 1e-5, 2e-3, 5e-3, 3e-2 };
    nets::Graph graph = nets::nested();
    nets::Device cpu = nets::cpu(), cuda = device_of("cuda");
    trib_plan_options o = trib_plan_default_options();
    o.forced_passes = 1u << TRIB_PASS_FUSE_POOL_PROJECTION;
    o.reference = true;
    const std::vector<float> wanted = logits(graph.get(), cpu.get(), o);
    double largest = 0;
    for (float value : wanted) largest = std::max(largest, std::fabs(double(value)));
    ASSERT_GT(largest, 0);
    o.reference = false;
    for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision) {
        SCOPED_TRACE(trib_precision_name(o.precision = trib_precision(precision)));
        o.schedule = TRIB_SERIAL;
        const std::vector<float> serial = logits(graph.get(), cuda.get(), o);
        for (std::size_t i = 0; i < wanted.size(); ++i)
            ASSERT_LE(std::fabs(double(serial[i]) - wanted[i]), tolerances[precision] * largest);
        o.schedule = TRIB_BRANCHES;
        EXPECT_EQ(logits(graph.get(), cuda.get(), o), serial);
        o.schedule = TRIB_FUSED; // slices where there were tensors: other plans of a library, with other sums
        const std::vector<float> fused = logits(graph.get(), cuda.get(), o);
        for (std::size_t i = 0; i < wanted.size(); ++i)
            EXPECT_LE(std::fabs(double(fused[i]) - wanted[i]), tolerances[precision] * largest);
    }
}

} // namespace

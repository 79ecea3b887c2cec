// SPDX-License-Identifier: Apache-2.0
// The stream-order checker accepts every plan of GoogLeNet: on the card, and for one that is only described.
#include "runtime/nets.h"
#include "support/support.h"

namespace
{

class Plans : public testing::TestWithParam<const trib_network *>
{
};

const trib_normalise pixels = { false, { 1, 1, 1 }, { 0, 0, 0 } };

void check_all(const trib_graph *graph, trib_device *device, int *plans)
{
    for (int batch : { 1, 4, 256 })
        for (int precision = 0; precision < TRIB_PRECISION_COUNT; ++precision)
            for (int schedule = 0; schedule < TRIB_SCHEDULE_COUNT; ++schedule)
                for (bool bytes : { false, true })
                    for (int top_k : { 0, 5 }) {
                        trib_plan_options o = trib_plan_default_options();
                        o.batch = batch;
                        o.precision = trib_precision(precision);
                        o.schedule = trib_schedule(schedule);
                        o.top_k = top_k;
                        o.input_layout = TRIB_NHWC;
                        o.normalise = bytes ? &pixels : nullptr;
                        nets::Plan plan = nets::plan(graph, device, o);
                        ASSERT_TRUE(plan);
                        EXPECT_OK(trib_plan_check_stream_order(plan.get()));
                        EXPECT_EQ(plan->output_count, top_k ? 2 : 1);
                        EXPECT_EQ(plan->inputs[0].dtype, bytes ? TRIB_U8 : TRIB_F32);
                        ++*plans;
                    }
}

TEST_P(Plans, AllOfThemAreFreeOfRaces)
{
    nets::Graph graph = nets::googlenet(GetParam());
    int plans = 0;
    for (const char *target : { static_cast<const char *>(nullptr), "h200" }) {
        trib_device_options options = {};
        options.target = target;
        trib_device *device = nullptr;
        ASSERT_OK(trib_device_open("cuda", &options, &device));
        nets::Device owner(device);
        check_all(graph.get(), device, &plans);
    }
    EXPECT_EQ(plans, 288);
}

INSTANTIATE_TEST_SUITE_P(Network, Plans, testing::Values(support::bvlc, support::torchvision),
                         [](const auto &info) { return std::string(trib_network_name(info.param)); });

} // namespace

// SPDX-License-Identifier: Apache-2.0
// Networks with any number of classes train in 16 bits: in gradients of logits, pixels begin where cuDNN can read them.
#include <cstring>

#include "cuda/network.h"

namespace
{

const trib_loss losses[] = { { "logits", 1 }, { "aux1", 0.3f }, { "aux2", 0.3f } };

nets::Plan plan_of(trib_device *device, const trib_graph *graph, trib_precision precision)
{
    trib_training training = {};
    training.losses = losses;
    training.loss_count = 3;
    trib_plan_options o = trib_plan_default_options();
    o.batch = 32;
    o.precision = precision;
    o.training = &training;
    return nets::plan(graph, device, o);
}

// Ops that read or write a gradient of logits: channels from one pixel to the next. Returns the gradients of weights.
int expect_pitch(const trib_plan *plan, int classes, int pitch)
{
    int weights = 0;
    for (int i = 0; i < plan->op_count; ++i) {
        const trib_op_desc &d = plan->ops[i].desc;
        const bool weight = d.kind == TRIB_LINEAR_BACKWARD_WEIGHT && d.inputs[1].c == classes;
        const bool data = d.kind == TRIB_LINEAR_BACKWARD_DATA && d.inputs[0].c == classes;
        const bool loss = d.kind == TRIB_CROSS_ENTROPY;
        const bool bias = d.kind == TRIB_BIAS_BACKWARD && d.inputs[0].c == classes;
        if (!weight && !data && !loss && !bias) continue;
        const trib_view &dy = weight ? d.inputs[1] : loss ? d.outputs[0] : d.inputs[0];
        EXPECT_EQ(dy.c_total, pitch) << plan->ops[i].name;
        EXPECT_TRUE(!weight || !std::strncmp(plan->ops[i].implementation, "cudnn:", 6)) << plan->ops[i].name;
        weights += weight;
    }
    return weights;
}

class Classes : public testing::TestWithParam<const trib_network *>
{
};

TEST_P(Classes, AnyNumberTrainsInAnyPrecision)
{
    nets::Device device = network::open();
    for (int classes : { 1, 37, 100 })
        for (int p = 0; p < TRIB_PRECISION_COUNT; ++p) {
            const trib_precision precision = trib_precision(p);
            SCOPED_TRACE(std::to_string(classes) + " classes, " + trib_precision_name(precision));
            nets::Graph graph = nets::googlenet(GetParam(), 224, classes, true);
            nets::Plan plan = plan_of(device.get(), graph.get(), precision);
            ASSERT_TRUE(plan);
            const bool wide = trib_precision_dtype(precision) == TRIB_F32;
            EXPECT_EQ(expect_pitch(plan.get(), classes, wide ? classes : (classes + 7) / 8 * 8), 3);
        }
}

INSTANTIATE_TEST_SUITE_P(Network, Classes, testing::Values(support::bvlc, support::torchvision),
                         [](const auto &info) { return std::string(trib_network_name(info.param)); });

} // namespace

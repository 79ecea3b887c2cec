// SPDX-License-Identifier: Apache-2.0
// Gradients of weights beside gradients of data, on a card: which ops are on which stream, and how far apart they get.
// That bits are those of one stream is shown by network_training_test.cc, in any order of execution.
#include <cstdio>
#include <map>
#include <set>
#include <string>

#include "cuda/network.h"
#include "runtime/mutants.h"
#include "support/form.h"

extern "C" {
#include "plan/order.h"
#include "plan/roofline.h"
#include "tributary/internal/fault.h"
}

namespace
{

class WeightGradients : public testing::Test
{
  protected:
    nets::Plan plan(const trib_graph *graph, trib_schedule schedule, std::vector<trib_fork_schedule> forks = {},
                    std::vector<const char *> frozen = {})
    {
        static const trib_loss loss = { "logits", 1 };
        trib_training training = {};
        training.losses = &loss;
        training.loss_count = 1;
        training.frozen = frozen.data();
        training.frozen_count = int(frozen.size());
        trib_plan_options o = trib_plan_default_options();
        o.batch = 2;
        o.schedule = schedule;
        o.fork_schedules = forks.data();
        o.fork_schedule_count = int(forks.size());
        o.training = &training;
        return nets::plan(graph, device_.get(), o);
    }

    static bool is_one(const trib_plan_op &op)
    {
        return trib_kind_row_of(op.desc.kind)->work == TRIB_WORK_BACKWARD_WEIGHT || op.desc.kind == TRIB_BIAS_BACKWARD;
    }
    // Computed again, and read by gradients of weights only.
    static bool serves_one(const trib_plan *p, int index)
    {
        const trib_plan_op &op = p->ops[index];
        if (std::string(op.name).find("/again") == std::string::npos) return false;
        for (int i = index + 1; i < p->op_count; ++i)
            for (int k = 0; k < p->ops[i].desc.input_count; ++k)
                if (p->ops[i].desc.inputs[k].buffer == op.desc.outputs[0].buffer && !is_one(p->ops[i]) &&
                    !serves_one(p, i))
                    return false;
        return true;
    }

    nets::Device device_ = network::open();
};

const trib_network *const networks[] = { support::bvlc, support::torchvision };

TEST_F(WeightGradients, HaveAStreamAndBranchesKeepTheirs)
{
    for (const trib_network *variant : networks)
        for (trib_schedule schedule : { TRIB_BRANCHES, TRIB_FUSED }) {
            nets::Graph graph = nets::googlenet(variant, 224, 10, false);
            nets::Plan p = plan(graph.get(), schedule);
            ASSERT_TRUE(p);
            EXPECT_EQ(p->stream_count, 5);
            int own = 0, again = 0;
            std::map<int, std::set<int>> streams; // by fork, of the backward ops of data
            std::map<std::pair<int, int>, int> forward;
            for (int i = 0; i < p->op_count; ++i) {
                const trib_plan_op &op = p->ops[i];
                if (!op.implementation) continue;
                SCOPED_TRACE(op.name);
                const bool serves = serves_one(p.get(), i);
                EXPECT_EQ(op.stream == 4, is_one(op) || serves);
                own += is_one(op), again += serves;
                if (op.stream == 4 || op.fork < 0) continue;
                EXPECT_EQ(forward.emplace(std::make_pair(op.fork, op.branch), op.stream).first->second, op.stream);
                if (std::string(op.name).find("/backward") != std::string::npos) streams[op.fork].insert(op.stream);
            }
            EXPECT_GE(own, 3 + 9 * 4);
            EXPECT_EQ(again > 0, variant == support::torchvision || again == 9); // batch norms; pools of branches
            ASSERT_EQ(streams.size(), 9u);
            for (const auto &fork : streams) EXPECT_EQ(fork.second.size(), 4u) << p->forks[fork.first].name;
        }
}

TEST_F(WeightGradients, StayWhereTheScheduleIsSerial)
{
    nets::Graph graph = nets::googlenet(support::bvlc, 224, 10, false);
    nets::Plan serial = plan(graph.get(), TRIB_SERIAL);
    ASSERT_TRUE(serial);
    EXPECT_EQ(serial->stream_count, 1);
    nets::Plan one = plan(graph.get(), TRIB_SERIAL, { { "inception_4b", TRIB_BRANCHES, nullptr } });
    ASSERT_TRUE(one);
    for (int i = 0; i < one->op_count; ++i) {
        const trib_plan_op &op = one->ops[i];
        const bool inside = op.fork >= 0 && std::string(one->forks[op.fork].name) == "inception_4b";
        EXPECT_EQ(op.stream == 4, inside && (is_one(op) || serves_one(one.get(), i))) << op.name;
    }
}

// When a module's branches begin, those of all modules but the last before it have ended, and of that one all but what
// the trunk has: the merged 1x1 convolutions'.
TEST_F(WeightGradients, DoNotFallFarBehind)
{
    nets::Graph graph = nets::googlenet(support::torchvision, 224, 10, false);
    nets::Plan p = plan(graph.get(), TRIB_BRANCHES);
    ASSERT_TRUE(p);
    trib_order order = {};
    ASSERT_OK(trib_order_of(p->ops, std::size_t(p->op_count), p->stream_count, p->event_count, &order));
    int open = 0, closed = 0;
    for (int i = 0; i < p->op_count; ++i)
        for (int j = 0; j < i; ++j) {
            const trib_plan_op &op = p->ops[i], &earlier = p->ops[j];
            if (!is_one(earlier) || op.stream == 4 || op.fork < 0 || earlier.fork < 0 || op.fork == earlier.fork)
                continue;
            EXPECT_TRUE(trib_before(&order, std::size_t(j), std::size_t(i))) << earlier.name << ", " << op.name;
            ++closed;
        }
    for (int i = 0; i < p->op_count; ++i)
        for (int j = 0; j < i; ++j)
            open += is_one(p->ops[j]) && p->ops[i].stream != 4 && !trib_before(&order, std::size_t(j), std::size_t(i));
    EXPECT_GT(closed, 1000);
    EXPECT_GT(open, 300); // side by side
    trib_order_release(&order);
}

TEST_F(WeightGradients, TakeLittleMemory)
{
    for (const trib_network *variant : networks) {
        nets::Graph graph = nets::googlenet(variant, 224, 10, false);
        nets::Plan serial = plan(graph.get(), TRIB_SERIAL), branches = plan(graph.get(), TRIB_BRANCHES);
        ASSERT_TRUE(serial && branches);
        std::printf("%s: arena %.1f MB, serial %.1f MB\n", trib_network_name(variant),
                    double(branches->arena_bytes) * 1e-6, double(serial->arena_bytes) * 1e-6);
        EXPECT_LT(double(branches->arena_bytes), 1.15 * double(serial->arena_bytes));
    }
}

TEST_F(WeightGradients, NeedEveryRecordAndWait)
{
    for (const trib_network *variant : networks) {
        nets::Graph graph = nets::googlenet(variant, 224, 10, false);
        nets::Plan p = plan(graph.get(), TRIB_BRANCHES);
        ASSERT_TRUE(p);
        ASSERT_OK(trib_plan_check_stream_order(p.get()));
        mutants::Tally t = mutants::delete_each_record_and_wait(p.get(), 4);
        std::printf("%s: %d mutants, %d change the order, %d caught\n", trib_network_name(variant), t.mutants,
                    t.changed, t.caught);
        EXPECT_GT(t.mutants, 200);
        EXPECT_EQ(t.changed, t.mutants);
        EXPECT_GT(t.caught, t.mutants * 9 / 10);
    }
}

TEST_F(WeightGradients, EveryAllocationOfAPlanCanFail)
{
    nets::Graph graph = nets::inception(true, 8);
    static const trib_loss loss = { "logits", 1 };
    trib_training training = {};
    training.losses = &loss;
    training.loss_count = 1;
    trib_plan_options o = trib_plan_default_options();
    o.batch = 2;
    o.schedule = TRIB_BRANCHES;
    o.training = &training;
    const std::int64_t step = support::by_form(29, 7, 1);
    std::int64_t failed = 0;
    for (std::int64_t k = 1;; k += step) {
        trib_plan *made = nullptr;
        trib_fault_arm(k, false);
        const trib_status status = trib_plan_create(graph.get(), device_.get(), &o, &made);
        const bool reached = trib_fault_disarm() >= k;
        trib_plan_destroy(made);
        if (!reached) break;
        if (!trib_failed(&status)) continue; // cuDNN's list is one candidate shorter
        EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << k << ": " << status.message;
        ++failed;
    }
    EXPECT_GT(failed, 300 / step);
}

// Frozen layers have none, and nothing is computed for them.
TEST_F(WeightGradients, OfFrozenLayersAreNotThere)
{
    nets::Graph graph = nets::googlenet(support::torchvision, 224, 10, false);
    nets::Plan p = plan(graph.get(), TRIB_BRANCHES, {}, { "conv", "inception" });
    ASSERT_TRUE(p);
    int own = 0;
    for (int i = 0; i < p->op_count; ++i) own += p->ops[i].stream == p->stream_count - 1;
    EXPECT_EQ(own, 2); // weight and bias of the classifier
}

} // namespace

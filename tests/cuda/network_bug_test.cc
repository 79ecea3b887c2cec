// SPDX-License-Identifier: Apache-2.0
// Bugs planted into how a whole network runs are caught: by the stream-order checker, and by what the simulation shows.
#include <cstring>

#include "cuda/network.h"
#include "cuda/watch.h"
#include "fakecuda/fakecuda.h"

extern "C" {
#include "session/lane.h"
#include "session/parameters.h"
}

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

Way branches(trib_launch launch = TRIB_EAGER)
{
    Way way;
    way.schedule = TRIB_BRANCHES;
    way.launch = launch;
    return way;
}

class Bugs : public testing::Test
{
  protected:
    void SetUp() override
    {
        wanted = net.result(branches());
        device = network::open();
        trib_session *made = nullptr;
        ASSERT_OK(net.create(device.get(), branches(), &made));
        session.reset(made);
        plan = const_cast<trib_plan *>(trib_session_plan(made)); // to plant bugs in
    }
    // The first op that waits for another stream, after the first fork.
    trib_plan_op &waiting_op()
    {
        for (int i = 0; i < plan->op_count; ++i)
            if (plan->ops[i].implementation && plan->ops[i].wait_count > 0 && plan->ops[i].stream > 0 && i > 8)
                return plan->ops[i];
        ADD_FAILURE() << "no op waits";
        return plan->ops[0];
    }
    // Whether some order gives another result.
    bool some_order_is_wrong()
    {
        for (std::uint64_t seed = 1; seed <= 300; ++seed) {
            Bytes bytes;
            fakecuda::reseed(seed);
            trib_status status = net.run(session.get(), 1, &bytes);
            if (trib_failed(&status) || bytes != wanted || !fakecuda::violations().empty()) return true;
        }
        return false;
    }

    Net net;
    Bytes wanted;
    nets::Device device;
    nets::Session session;
    trib_plan *plan = nullptr;
};

TEST_F(Bugs, NoneIsSeenWhereNoneIs) { EXPECT_FALSE(some_order_is_wrong()); }

TEST_F(Bugs, AMissingWait)
{
    trib_plan_op &op = waiting_op();
    const int waits = op.wait_count;
    op.wait_count = 0;
    EXPECT_FAILS(trib_plan_check_stream_order(plan), TRIB_INTERNAL, op.name);
    EXPECT_TRUE(some_order_is_wrong());
    op.wait_count = waits;
    EXPECT_OK(trib_plan_check_stream_order(plan));
}

// Two buffers that are in use at the same time get the same memory: one of them is used again too early.
TEST_F(Bugs, MemoryThatIsUsedAgainTooEarly)
{
    trib_plan_op &reader = waiting_op();
    trib_plan_buffer &buffer = plan->buffers[reader.desc.outputs[0].buffer];
    const std::int64_t offset = buffer.offset;
    buffer.offset = plan->buffers[reader.desc.inputs[0].buffer].offset; // what it reads while it writes
    EXPECT_FAILS(trib_plan_check_stream_order(plan), TRIB_INTERNAL, reader.name);
    EXPECT_TRUE(some_order_is_wrong());
    buffer.offset = offset;
    EXPECT_OK(trib_plan_check_stream_order(plan));
}

// The arena itself is freed while the network runs in it.
TEST_F(Bugs, AnArenaThatIsFreedEarly)
{
    watch::expect_violations();
    trib_stream *made = nullptr;
    ASSERT_OK(trib_stream_create(device.get(), nullptr, &made));
    bool seen = false;
    for (std::uint64_t seed = 1; seed <= 50 && !seen; ++seed) {
        void *arena = nullptr;
        float one = 1;
        fakecuda::reseed(seed);
        ASSERT_OK(trib_device_alloc(device.get(), made, 4096, &arena));
        ASSERT_OK(trib_copy_to_device(made, arena, &one, sizeof one));
        trib_stream *other = nullptr;
        ASSERT_OK(trib_stream_create(device.get(), nullptr, &other));
        trib_status status = trib_fill_zero(other, arena, 4096); // waits for nothing
        trib_device_free(device.get(), made, arena);
        if (!trib_failed(&status)) status = trib_stream_synchronize(other);
        if (!trib_failed(&status)) status = trib_stream_synchronize(made);
        seen = trib_failed(&status) || !fakecuda::violations().empty();
        trib_stream_destroy(other);
    }
    EXPECT_TRUE(seen);
    trib_stream_destroy(made);
}

std::vector<trib_op_handle *> prepare(trib_device *device, const trib_plan &plan, const trib_tensor *parameters)
{
    std::vector<trib_op_handle *> ops(std::size_t(plan.op_count), nullptr);
    for (int i = 0; i < plan.op_count; ++i) {
        const trib_plan_op &op = plan.ops[i];
        trib_folded folded = {};
        if (!op.implementation) continue;
        EXPECT_OK(trib_fold_parameters(&op, parameters, &folded));
        trib_op_parameters p = { folded.weight, folded.bias };
        EXPECT_OK(trib_op_create(device, &op.desc, op.implementation, &p, &ops[std::size_t(i)]));
        trib_folded_release(&folded);
    }
    return ops;
}

// An op of a branch that nothing joins: the capture is refused, and says which stream is left over.
TEST(CaptureBugs, AnUnjoinedBranch)
{
    Net net;
    nets::Device device = network::open();
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), branches(), &made));
    nets::Session session(made);
    trib_plan *plan = const_cast<trib_plan *>(trib_session_plan(made));
    int joins = 0;
    for (int i = 0; i < plan->op_count; ++i)
        if (!plan->ops[i].implementation && plan->ops[i].wait_count > 0) { // a join
            plan->ops[i].wait_count = 0;
            ++joins;
        }
    ASSERT_GT(joins, 0);
    std::vector<trib_op_handle *> ops = prepare(device.get(), *plan, net.parameters());
    trib_lane lane = {};
    lane.device = device.get();
    lane.plan = plan;
    lane.ops = ops.data();
    EXPECT_FAILS(trib_lane_open(&lane, TRIB_GRAPH), TRIB_INVALID_ARGUMENT, "was not joined back");
    trib_lane_close(&lane);
    for (trib_op_handle *op : ops) trib_op_destroy(op);
}

} // namespace

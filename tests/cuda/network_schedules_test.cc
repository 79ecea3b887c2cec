// SPDX-License-Identifier: Apache-2.0
// A schedule per fork on the device that fuses: one module serial, the next on four streams, a third fused.
#include <set>
#include <string>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"
#include "runtime/mutants.h"
#include "support/form.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

constexpr const char *modules[] = { "inception_a", "inception_b", "inception_c" };

// All 27 ways to give three modules a schedule each.
Way mixed(int number)
{
    Way way;
    for (const char *module : modules) {
        way.forks.push_back({ module, trib_schedule(number % TRIB_SCHEDULE_COUNT), nullptr });
        number /= TRIB_SCHEDULE_COUNT;
    }
    return way;
}

TEST(MixedSchedules, GiveTheBitsOfSerialInAnyOrder)
{
    const std::uint64_t seeds = support::by_form<std::uint64_t>(3, 10, 10);
    const Net net(3);
    Bytes wanted[2];
    for (int pixels = 0; pixels < 2; ++pixels) {
        Way way;
        way.pixels = pixels;
        wanted[pixels] = net.result(way, 0);
    }
    nets::Device device = network::open();
    for (int number = 0; number < 27; ++number) {
        Way way = mixed(number);
        way.pixels = number % 2;
        way.launch = number / 2 % 2 ? TRIB_GRAPH : TRIB_EAGER;
        trib_session *made = nullptr;
        ASSERT_OK(net.create(device.get(), way, &made));
        nets::Session session(made);
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            Bytes bytes;
            fakecuda::reseed(seed);
            ASSERT_OK(net.run(made, 0, 1, &bytes));
            ASSERT_EQ(bytes, wanted[number % 2]) << "schedules " << number << ", seed " << seed;
        }
    }
}

// Stages of what is merged, too: a layer that is part of another's op has no op of its own.
TEST(MixedSchedules, StagesGiveTheBitsOfSerialInAnyOrder)
{
    const Net net(3);
    const Bytes wanted = net.result(Way(), 0);
    nets::Device device = network::open();
    for (std::uint64_t seed = 1; seed <= support::by_form<std::uint64_t>(6, 60); ++seed) {
        std::vector<std::string> stages;
        for (std::uint64_t i = 0; i < 3; ++i)
            stages.push_back(nets::any_stages({ 1, 2, 2, 2 }, 3 * seed + i, seed % 2));
        Way way;
        for (int i = 0; i < 3; ++i)
            way.forks.push_back({ modules[i], i == 0 ? TRIB_BRANCHES : TRIB_FUSED, stages[std::size_t(i)].c_str() });
        way.launch = seed % 2 ? TRIB_GRAPH : TRIB_EAGER;
        trib_session *made = nullptr;
        ASSERT_OK(net.create(device.get(), way, &made));
        nets::Session session(made);
        for (std::uint64_t order = 1; order <= 3; ++order) {
            Bytes bytes;
            fakecuda::reseed(order);
            ASSERT_OK(net.run(made, 0, 1, &bytes));
            ASSERT_EQ(bytes, wanted) << stages[0] << " " << stages[1] << " " << stages[2];
        }
    }
}

// Convolutions are merged, and pools fused into them, only in fused forks.
TEST(MixedSchedules, FuseWhereTheForkSaysSo)
{
    const Net net(3);
    nets::Device device = network::open();
    for (int number = 0; number < 27; ++number) {
        const Way way = mixed(number);
        nets::Plan plan = nets::plan(net.graph(), device.get(), net.options(way).plan);
        ASSERT_TRUE(plan);
        std::set<int> merged, pooled, streams[3];
        for (int i = 0; i < plan->op_count; ++i) {
            const trib_plan_op &op = plan->ops[i];
            if (op.fork < 0) continue;
            if (op.part_count > 1) merged.insert(op.fork);
            if (op.desc.before.kind == TRIB_MAX_POOL2D) pooled.insert(op.fork);
            streams[op.fork].insert(op.stream);
        }
        for (int f = 0; f < 3; ++f) {
            const trib_schedule schedule = plan->forks[f].schedule;
            EXPECT_EQ(schedule, way.forks[std::size_t(f)].schedule);
            EXPECT_EQ(merged.count(f), std::size_t(schedule == TRIB_FUSED)) << number;
            EXPECT_EQ(pooled.count(f), std::size_t(schedule == TRIB_FUSED)) << number;
            const std::size_t wanted[] = { 1, 4, 3 };
            EXPECT_EQ(streams[f].size(), wanted[schedule]) << number;
        }
    }
}

TEST(MixedSchedules, OfGoogLeNetNeedEveryRecordAndWait)
{
    nets::Graph graph = nets::googlenet(support::torchvision);
    nets::Device device = network::open();
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        nets::Schedules schedules(graph.get(), seed);
        nets::Plan plan = nets::plan(graph.get(), device.get(), schedules.options());
        ASSERT_TRUE(plan);
        ASSERT_OK(trib_plan_check_stream_order(plan.get()));
        if (seed % 20) continue;
        mutants::Tally t = mutants::delete_each_record_and_wait(plan.get());
        EXPECT_GT(t.mutants, 0);
        EXPECT_EQ(t.changed, t.mutants) << seed;
        EXPECT_EQ(t.caught, t.mutants) << seed;
    }
}

} // namespace

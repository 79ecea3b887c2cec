// SPDX-License-Identifier: Apache-2.0
// Whatever order the device runs its work in, as far as streams, events and graphs leave it free: the result is that of
// one op after the other, bit for bit.
#include <cstdio>
#include <set>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"
#include "support/form.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

class Orders : public testing::TestWithParam<Way>
{
};

// 10,000 in all; in short 1,200.
TEST_P(Orders, GiveWhatSerialGives)
{
    const std::uint64_t seeds = support::by_form(15, 150, 1250), first = GetParam().pixels ? 10001 : 1;
    Net net;
    const Bytes wanted[] = { net.result(GetParam(), 0), net.result(GetParam(), 1) };
    ASSERT_NE(wanted[0], wanted[1]);
    nets::Device device = network::open();
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), GetParam(), &made));
    nets::Session session(made);
    std::set<std::uint64_t> orders;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        Bytes bytes;
        fakecuda::reseed(seed);
        ASSERT_OK(net.run(made, seed % 2, 1, &bytes));
        orders.insert(fakecuda::order());
        ASSERT_EQ(bytes, wanted[seed % 2]) << "seed " << seed;
    }
    std::printf("%llu seeds, %zu different orders\n", static_cast<unsigned long long>(seeds), orders.size());
    EXPECT_GT(orders.size(), support::by_form(2u, 30u, 60u)); // a fused graph has 64: 8 of each module
}

// Batches in flight: chunks of two images on lanes of their own, the last chunk often a short one. The same as one op
// after the other on a single lane.
class Lanes : public testing::TestWithParam<Way>
{
};

void compare(const Net &net, trib_session *session, trib_session *oracle, std::uint64_t seed)
{
    const int first = int(seed * 3 % 8), n = 8 - int(seed % 8);
    Bytes wanted, bytes;
    ASSERT_OK(net.run(oracle, first, n, &wanted));
    fakecuda::reseed(seed);
    ASSERT_OK(net.run(session, first, n, &bytes));
    ASSERT_EQ(bytes, wanted) << n << " images, seed " << seed;
}

TEST_P(Lanes, GiveWhatOneLaneGives)
{
    const std::uint64_t seeds = support::by_form(2, 8, 100);
    Net net;
    nets::Device device = network::open();
    Way way = GetParam();
    way.max_batch = 8;
    way.chunk = 2;
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), network::serial(way), &made));
    nets::Session oracle(made);
    for (int lanes : { 2, 3 }) {
        way.lanes = lanes;
        ASSERT_OK(net.create(device.get(), way, &made));
        nets::Session session(made);
        ASSERT_EQ(trib_session_lanes(made), lanes);
        for (std::uint64_t seed = 1; seed <= seeds && !HasFatalFailure(); ++seed)
            compare(net, made, oracle.get(), seed);
    }
}

// Two batches at once, which are waited for in either order.
TEST_P(Lanes, KeepBatchesInFlightApart)
{
    const std::uint64_t seeds = support::by_form(2, 8, 50);
    Net net;
    nets::Device device = network::open();
    Way way = GetParam();
    way.max_batch = way.chunk = 2;
    way.lanes = way.in_flight = 2;
    const Bytes wanted[] = { net.result(way, 0), net.result(way, 1) };
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), way, &made));
    nets::Session session(made);
    ASSERT_EQ(trib_session_lanes(made), 2);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        std::int64_t jobs[2];
        network::Outputs outputs[] = { { trib_session_plan(made), 1 }, { trib_session_plan(made), 1 } };
        fakecuda::reseed(seed);
        for (int i = 0; i < 2; ++i) {
            const int image = int((seed + std::uint64_t(i)) % 2); // not what was in this lane before
            ASSERT_OK(trib_session_submit(made, net.image(image, way.pixels), 1, outputs[i].rows.data(), &jobs[i]));
        }
        for (int i = 0; i < 2; ++i) {
            const std::size_t job = (seed / 2 + std::uint64_t(i)) % 2;
            ASSERT_OK(trib_session_wait(made, jobs[job]));
            ASSERT_EQ(outputs[job].bytes, wanted[(seed + job) % 2]) << "seed " << seed;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Network, Lanes, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

INSTANTIATE_TEST_SUITE_P(Network, Orders, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

} // namespace

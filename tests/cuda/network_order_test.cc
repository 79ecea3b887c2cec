// SPDX-License-Identifier: Apache-2.0
// Whatever order the device runs its work in, as far as streams, events and graphs leave it free: the result is that of
// one op after the other, bit for bit.
#include <cstdio>
#include <set>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

class Orders : public testing::TestWithParam<Way>
{
};

// 10,000 in all.
TEST_P(Orders, GiveWhatSerialGives)
{
    const std::uint64_t seeds = support::sanitized ? 50 : 1250;
    Net net;
    Way serial = GetParam();
    serial.schedule = TRIB_SERIAL;
    serial.launch = TRIB_EAGER;
    const Bytes wanted = net.result(serial);
    ASSERT_FALSE(wanted.empty());
    nets::Device device = network::open();
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), GetParam(), &made));
    nets::Session session(made);
    std::set<std::uint64_t> orders;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Bytes bytes;
        fakecuda::reseed(seed);
        ASSERT_OK(net.run(made, 1, &bytes));
        orders.insert(fakecuda::order());
        ASSERT_EQ(bytes, wanted) << "seed " << seed;
    }
    std::printf("%llu seeds, %zu different orders\n", static_cast<unsigned long long>(seeds), orders.size());
    EXPECT_GT(orders.size(), support::sanitized ? 20u : 60u); // a fused graph has 64: 8 of each module
}

// Batches in flight: chunks of two images on lanes of their own, the last chunk often a short one. The same as one op
// after the other on a single lane.
class Lanes : public testing::TestWithParam<Way>
{
};

TEST_P(Lanes, GiveWhatOneLaneGives)
{
    const int most = 8;
    const std::uint64_t seeds = support::sanitized ? 8 : 96;
    Net net(most);
    nets::Device device = network::open();
    Way way = GetParam(), serial = way;
    way.chunk = serial.chunk = 2;
    serial.schedule = TRIB_SERIAL;
    serial.launch = TRIB_EAGER;
    serial.lanes = 1;
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), serial, &made));
    nets::Session oracle(made);
    std::vector<Bytes> wanted(std::size_t(most) + 1);
    for (int n = 1; n <= most; ++n) ASSERT_OK(net.run(made, n, &wanted[std::size_t(n)]));
    for (int lanes : { 2, 3 }) {
        way.lanes = lanes;
        ASSERT_OK(net.create(device.get(), way, &made));
        nets::Session session(made);
        ASSERT_EQ(trib_session_lanes(made), lanes);
        for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
            int n = most - int(seed % std::uint64_t(most));
            Bytes bytes;
            fakecuda::reseed(seed);
            ASSERT_OK(net.run(made, n, &bytes));
            ASSERT_EQ(bytes, wanted[std::size_t(n)]) << lanes << " lanes, " << n << " images, seed " << seed;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Network, Lanes, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

INSTANTIATE_TEST_SUITE_P(Network, Orders, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

} // namespace

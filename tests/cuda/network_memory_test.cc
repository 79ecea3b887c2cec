// SPDX-License-Identifier: Apache-2.0
// A network in less and less device memory: it works, then it is refused in words, and never works again further down.
#include <cstring>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"

using network::Bytes;
using network::Net;
using network::Way;

namespace
{

class Memory : public testing::TestWithParam<Way>
{
  protected:
    // Everything once, with at most `limit` bytes (0: no limit of ours) on a card of `card` bytes.
    trib_status run(std::int64_t limit, std::size_t card, Bytes *bytes)
    {
        fakecuda::Options machine;
        if (card) machine.memory = card;
        fakecuda::reset(machine);
        trib_device_options options = {};
        options.memory_limit = limit;
        trib_device *device = nullptr;
        TRIB_TRY(trib_device_open("cuda", &options, &device));
        nets::Device owner(device);
        trib_session *made = nullptr;
        trib_status status = net.create(device, GetParam(), &made);
        if (!trib_failed(&status)) status = net.run(made, 1, bytes);
        trib_session_destroy(made);
        peak = trib_device_memory(device).peak_bytes;
        EXPECT_EQ(trib_device_memory(device).current_bytes, 0) << status.message;
        return status;
    }
    // Lowers what `run_with(percent)` may use from 110 % of the peak to nothing.
    template <typename Run>
    void lower(Run run_with)
    {
        Bytes wanted;
        ASSERT_OK(run(0, 0, &wanted));
        const std::int64_t needed = peak;
        ASSERT_GT(needed, 0);
        bool worked_before = true;
        int worked = 0, layers = 0;
        for (int percent = 110; percent >= 1; --percent) {
            Bytes bytes;
            trib_status status = run_with(needed * percent / 100, &bytes);
            const bool works = !trib_failed(&status);
            EXPECT_TRUE(worked_before || !works) << percent << " % is enough, but more was not";
            EXPECT_TRUE(!works || bytes == wanted) << percent << " %";
            if (!works) {
                EXPECT_EQ(status.code, TRIB_OUT_OF_MEMORY) << status.message;
                EXPECT_NE(std::strstr(status.message, "bytes asked for"), nullptr) << status.message;
            }
            layers += std::strstr(status.message, "layer ") != nullptr;
            worked_before = works;
            worked += works;
            EXPECT_EQ(fakecuda::leaks(), "") << percent;
            if (HasFailure()) return;
        }
        EXPECT_GE(worked, 11) << "the peak itself is enough";
        EXPECT_FALSE(worked_before);
        EXPECT_GT(layers, 10) << "an op whose parameters find no room is named";
    }

    Net net;
    std::int64_t peak = 0;
};

TEST_P(Memory, LowersItsLimitToNothing)
{
    lower([this](std::int64_t bytes, Bytes *out) { return run(bytes, 0, out); });
}

// The card's own memory: given out in larger pieces, so that a little more than the peak is needed.
TEST_P(Memory, RunsOnEverSmallerCards)
{
    Bytes wanted;
    ASSERT_OK(run(0, 0, &wanted));
    const std::int64_t needed = peak;
    bool worked_before = true, ever = false;
    for (int percent = 400; percent >= 1; percent -= percent > 120 ? 20 : 1) {
        Bytes bytes;
        trib_status status = run(0, std::size_t(needed * percent / 100), &bytes);
        const bool works = !trib_failed(&status);
        EXPECT_TRUE(worked_before || !works) << percent << " % is enough, but more was not";
        EXPECT_TRUE(!works || bytes == wanted) << percent << " %";
        EXPECT_TRUE(works || status.code == TRIB_OUT_OF_MEMORY) << status.message;
        worked_before = works;
        ever = ever || works;
        EXPECT_EQ(fakecuda::leaks(), "") << percent;
        if (HasFailure()) return;
    }
    EXPECT_TRUE(ever);
    EXPECT_FALSE(worked_before);
}

INSTANTIATE_TEST_SUITE_P(Network, Memory, testing::Values(network::parallel_ways()[0], network::parallel_ways()[7]),
                         [](const auto &info) { return network::name_of(info.param); });

} // namespace

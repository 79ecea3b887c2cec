// SPDX-License-Identifier: Apache-2.0
// How much work a session gives the device before it waits: a few chunks for each lane, however many a batch has.
#include <cuda_runtime_api.h>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"

extern "C" {
#include "session/lane.h"
}

using network::Net;
using network::Way;

namespace
{

class Flight : public testing::TestWithParam<Way>
{
  protected:
    void SetUp() override
    {
        fakecuda::Options options;
        options.eagerness = 0; // what is not waited for is not done
        fakecuda::reset(options);
    }
};

TEST_P(Flight, HoldsAFewChunksOfALane)
{
    const int chunks = 8;
    Net net;
    nets::Device device = network::open();
    Way way = GetParam();
    way.max_batch = chunks;
    way.chunk = way.lanes = 1;
    trib_session *made = nullptr;
    ASSERT_OK(net.create(device.get(), way, &made));
    nets::Session session(made);
    const auto submit = [&](int images, network::Outputs &outputs, std::int64_t *job) {
        ASSERT_OK(trib_session_submit(made, net.image(0, way.pixels), images, outputs.rows.data(), job));
    };
    std::int64_t job = 0;
    network::Outputs one(trib_session_plan(made), 1), all(trib_session_plan(made), chunks);
    submit(1, one, &job);
    const std::size_t of_a_chunk = fakecuda::pending();
    ASSERT_GT(of_a_chunk, 10u);
    ASSERT_OK(trib_session_wait(made, job));
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess); // what comes after the results was not waited for
    ASSERT_EQ(fakecuda::pending(), 0u);
    submit(chunks, all, &job);
    EXPECT_LE(fakecuda::pending(), TRIB_CHUNKS_IN_FLIGHT * of_a_chunk);
    EXPECT_GT(fakecuda::pending(), 0u) << "the last chunks are not waited for";
    ASSERT_OK(trib_session_wait(made, job));
}

INSTANTIATE_TEST_SUITE_P(Network, Flight, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

} // namespace

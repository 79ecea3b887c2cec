// SPDX-License-Identifier: Apache-2.0
// Copies beside computing: with two batches in flight one is copied while the other is computed, no more than a few are
// on their way, and whatever order the device takes, each batch gets its own results.
#include <algorithm>
#include <memory>

#include "cuda/network.h"
#include "fakecuda/fakecuda.h"
#include "support/form.h"

using fakecuda::Ran;
using network::Batch;
using network::Bytes;
using network::Net;
using network::Way;

namespace
{

bool overlap(const Ran &a, const Ran &b) { return a.begin < b.end && b.begin < a.end; }

// What ran of one kind, by the time it began.
std::vector<Ran> of_kind(const std::vector<Ran> &ledger, const std::string &kind)
{
    std::vector<Ran> found;
    for (const Ran &ran : ledger)
        if (ran.kind == kind) found.push_back(ran);
    std::stable_sort(found.begin(), found.end(), [](const Ran &a, const Ran &b) { return a.begin < b.begin; });
    return found;
}

class Copies : public testing::TestWithParam<Way>
{
  protected:
    void open(int in_flight)
    {
        Way way = GetParam();
        way.max_batch = images;
        way.in_flight = in_flight;
        session_.reset();
        batches_.clear();
        trib_session *made = nullptr;
        ASSERT_OK(net_.create(device_.get(), way, &made));
        session_.reset(made);
        ASSERT_EQ(trib_session_lanes(made), 1);
        for (int i = 0; i < 4; ++i)
            batches_.push_back(std::make_unique<Batch>(device_.get(), trib_session_plan(made), images));
    }

    std::int64_t submit(int batch)
    {
        std::int64_t job = -1;
        const Batch &b = *batches_[std::size_t(batch)];
        EXPECT_OK(trib_session_submit(session_.get(), b.input(), images, b.rows(), &job));
        return job;
    }

    // This many batches, submitted without waiting.
    std::vector<Ran> ledger_of(int batches, std::uint64_t seed)
    {
        fakecuda::reseed(seed);
        fakecuda::start_ledger();
        std::vector<std::int64_t> jobs;
        for (int i = 0; i < batches; ++i) jobs.push_back(submit(i));
        for (std::int64_t job : jobs) EXPECT_OK(trib_session_wait(session_.get(), job));
        return fakecuda::stop_ledger();
    }

    static constexpr int images = 2;
    Net net_ { 1 };
    nets::Device device_ = network::open();
    nets::Session session_;
    std::vector<std::unique_ptr<Batch>> batches_;
};

TEST_P(Copies, RunBesideComputing)
{
    ASSERT_NO_FATAL_FAILURE(open(2));
    const std::vector<Ran> ledger = ledger_of(3, 1);
    const std::vector<Ran> loads = of_kind(ledger, "memcpy to device"), kernels = of_kind(ledger, "kernel"),
                           fetches = of_kind(ledger, "memcpy to host");
    ASSERT_EQ(loads.size(), 3u) << "a copy was staged";
    ASSERT_EQ(fetches.size(), 6u) << "two outputs of each batch";
    ASSERT_EQ(of_kind(ledger, "host").size(), 0u) << "a copy was staged";
    ASSERT_EQ(kernels.size() % 3, 0u);
    const std::size_t each = kernels.size() / 3;
    // each direction has a stream that nothing else has
    for (const Ran &kernel : kernels) {
        EXPECT_NE(kernel.stream, loads[0].stream);
        EXPECT_NE(kernel.stream, fetches[0].stream);
    }
    EXPECT_NE(loads[0].stream, fetches[0].stream);
    for (const Ran &load : loads) EXPECT_EQ(load.stream, loads[0].stream);
    for (const Ran &fetch : fetches) EXPECT_EQ(fetch.stream, fetches[0].stream);
    // batch 1 comes in while batch 0 is computed, and batch 0 goes out while batch 1 is
    auto beside = [&](const Ran &copy, std::size_t batch) {
        return std::any_of(kernels.begin() + std::ptrdiff_t(batch * each),
                           kernels.begin() + std::ptrdiff_t((batch + 1) * each),
                           [&](const Ran &kernel) { return overlap(copy, kernel); });
    };
    EXPECT_TRUE(beside(loads[1], 0));
    EXPECT_TRUE(beside(fetches[0], 1));
    EXPECT_TRUE(beside(loads[2], 1));
    // but no batch is computed before it is there, goes out before it is computed, or comes in where another still is
    auto computed = [&](std::size_t batch) { return kernels[(batch + 1) * each - 1].end; };
    for (std::size_t batch = 0; batch < 3; ++batch) {
        EXPECT_GE(kernels[batch * each].begin, loads[batch].end);
        EXPECT_GE(fetches[2 * batch].begin, computed(batch));
    }
    EXPECT_GE(loads[2].begin, computed(0));
}

// The device is free to take either first.
TEST_P(Copies, AreNotOrderedWithAnotherBatch)
{
    ASSERT_NO_FATAL_FAILURE(open(2));
    bool before = false, behind = false;
    for (std::uint64_t seed = 1; seed <= 200 && !(before && behind); ++seed) {
        const std::vector<Ran> ledger = ledger_of(2, seed);
        std::vector<std::size_t> loads, kernels;
        for (std::size_t i = 0; i < ledger.size(); ++i) {
            if (ledger[i].kind == "memcpy to device") loads.push_back(i);
            if (ledger[i].kind == "kernel") kernels.push_back(i);
        }
        ASSERT_EQ(loads.size(), 2u);
        const std::size_t computed = kernels[kernels.size() / 2 - 1]; // batch 0
        before |= loads[1] < computed;
        behind |= loads[1] > computed;
    }
    EXPECT_TRUE(before && behind);
}

// With memory for one batch there is nothing to copy into meanwhile: the test above would see it.
TEST_P(Copies, WaitWhereThereIsRoomForOneBatch)
{
    ASSERT_NO_FATAL_FAILURE(open(1));
    const std::vector<Ran> ledger = ledger_of(2, 1), kernels = of_kind(ledger, "kernel");
    EXPECT_GE(of_kind(ledger, "memcpy to device")[1].begin, kernels[kernels.size() / 2 - 1].end);
}

// 1,000 orders in all, in short 120: four batches, two in flight, in memory that is copied directly or in ordinary
// memory.
TEST_P(Copies, GiveEachBatchItsOwnResults)
{
    const std::uint64_t seeds = support::by_form(4, 15, 125), first = 1 + 1000 * GetParam().pixels;
    std::vector<Bytes> wanted;
    ASSERT_NO_FATAL_FAILURE(open(1));
    for (int image = 0; image < 8; ++image) {
        Bytes bytes;
        ASSERT_OK(net_.run(session_.get(), image, images, &bytes));
        wanted.push_back(bytes);
    }
    ASSERT_NO_FATAL_FAILURE(open(2));
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        std::int64_t jobs[4];
        fakecuda::reseed(seed);
        auto image_of = [&](int batch) { return int((seed + std::uint64_t(batch) * 3) % 8); };
        auto check = [&](int batch) {
            ASSERT_OK(trib_session_wait(session_.get(), jobs[batch]));
            ASSERT_EQ(batches_[std::size_t(batch)]->outputs(), wanted[std::size_t(image_of(batch))])
                << "batch " << batch << ", seed " << seed;
        };
        for (int i = 0; i < 4; ++i) {
            batches_[std::size_t(i)]->load(net_, image_of(i));
            jobs[i] = submit(i);
            if (i == 0) continue;
            ASSERT_NO_FATAL_FAILURE(check(i - 1));
        }
        ASSERT_NO_FATAL_FAILURE(check(3));
    }
}

// However many batches are handed over, a few are on their way: the others would only take the host's memory.
TEST_P(Copies, OnlyAFewBatchesAreOnTheirWay)
{
    ASSERT_NO_FATAL_FAILURE(open(2));
    const std::int64_t before = fakecuda::counts().executed;
    EXPECT_OK(trib_session_wait(session_.get(), submit(0)));
    ASSERT_EQ(cudaDeviceSynchronize(), cudaSuccess);
    const std::size_t each = std::size_t(fakecuda::counts().executed - before);
    std::int64_t job = 0;
    for (int i = 0; i < 40; ++i) {
        job = submit(i % 4);
        EXPECT_LE(fakecuda::pending(), 4 * each) << "after batch " << i; // three, and their waits for others
    }
    EXPECT_OK(trib_session_wait(session_.get(), job));
}

// What was brought before is computed, and nothing is copied.
TEST_P(Copies, AreLeftOutOnRequest)
{
    ASSERT_NO_FATAL_FAILURE(open(2));
    std::int64_t job = 0;
    for (int i = 0; i < 2; ++i) {
        batches_[std::size_t(i)]->load(net_, 2 * i);
        submit(i);
    }
    fakecuda::start_ledger();
    for (int i = 0; i < 5; ++i) ASSERT_OK(trib_session_submit_resident(session_.get(), images, &job));
    ASSERT_OK(trib_session_wait(session_.get(), job));
    const std::vector<Ran> ledger = fakecuda::stop_ledger();
    EXPECT_GE(of_kind(ledger, "kernel").size(), 5 * of_kind(ledger_of(1, 1), "kernel").size());
    EXPECT_LE(of_kind(ledger, "memcpy to device").size(), 2u) << "those of the batches before";
    EXPECT_FAILS(trib_session_submit_resident(session_.get(), images + 1, &job), TRIB_INVALID_ARGUMENT, "1 to 2");
    Bytes bytes; // a batch that is copied follows them in order
    ASSERT_OK(net_.run(session_.get(), 2, images, &bytes));
    EXPECT_EQ(bytes, batches_[1]->outputs());
}

INSTANTIATE_TEST_SUITE_P(Network, Copies, testing::ValuesIn(network::parallel_ways()),
                         [](const auto &info) { return network::name_of(info.param); });

} // namespace

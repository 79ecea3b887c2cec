// SPDX-License-Identifier: Apache-2.0
// The simulated CUDA itself: its promises, and that it finds the bugs it is meant to find.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>
#include <thread>

#include "cuda/watch.h"
#include "fakecuda/fakecuda.h"

namespace
{

#define ASSERT_CUDA(call) ASSERT_EQ(call, cudaSuccess) << cudaGetErrorName(cudaPeekAtLastError())
#define EXPECT_CUDA(call) EXPECT_EQ(call, cudaSuccess) << cudaGetErrorName(cudaPeekAtLastError())

// Two streams, an event and a pool.
class Fake : public testing::Test
{
  protected:
    void SetUp() override
    {
        cudaMemPoolProps properties = {};
        properties.allocType = cudaMemAllocationTypePinned;
        properties.location.type = cudaMemLocationTypeDevice;
        ASSERT_CUDA(cudaMemPoolCreate(&pool, &properties));
        for (cudaStream_t *stream : { &s, &t }) ASSERT_CUDA(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking));
        for (cudaEvent_t *event : { &fork, &join }) ASSERT_CUDA(cudaEventCreateWithFlags(event, cudaEventDefault));
    }
    void TearDown() override
    {
        for (cudaStream_t stream : { s, t }) cudaStreamSynchronize(stream);
        for (cudaStream_t stream : { s, t }) cudaStreamDestroy(stream);
        for (cudaEvent_t event : { fork, join }) cudaEventDestroy(event);
        cudaMemPoolDestroy(pool);
    }
    int *alloc(cudaStream_t stream, std::size_t count = 1)
    {
        void *memory = nullptr;
        EXPECT_CUDA(cudaMallocFromPoolAsync(&memory, count * sizeof(int), pool, stream));
        return static_cast<int *>(memory);
    }
    // cell = cell * factor + term
    static cudaError_t step(cudaStream_t stream, int *cell, int factor, int term)
    {
        auto kernel = [cell, factor, term] {
            *cell = *cell * factor + term;
            return cudaSuccess;
        };
        return fakecuda::launch(stream, "step", kernel, { { cell, sizeof(int) } });
    }
    void order(cudaStream_t first, cudaStream_t second, cudaEvent_t event)
    {
        EXPECT_CUDA(cudaEventRecord(event, first));
        EXPECT_CUDA(cudaStreamWaitEvent(second, event, 0));
    }
    static fakecuda::Options seeded(std::uint64_t seed)
    {
        fakecuda::Options options;
        options.seed = seed;
        return options;
    }

    cudaMemPool_t pool = nullptr;
    cudaStream_t s = nullptr, t = nullptr;
    cudaEvent_t fork = nullptr, join = nullptr;
};

TEST_F(Fake, WorkRunsInTheOrderOfItsStreamAndNotBeforeItMust)
{
    int *cell = alloc(s);
    ASSERT_CUDA(cudaMemsetAsync(cell, 0, sizeof *cell, s));
    for (int i = 1; i <= 8; ++i) ASSERT_CUDA(step(s, cell, 10, i));
    EXPECT_GT(fakecuda::pending(), 0u);
    ASSERT_CUDA(cudaStreamSynchronize(s));
    EXPECT_EQ(*cell, 12345678);
    ASSERT_CUDA(cudaFreeAsync(cell, s));
}

// Without the wait both results occur, under different seeds; with it, only the right one.
TEST_F(Fake, AMissingWaitIsSeenUnderSomeSeed)
{
    TearDown();
    for (bool waits : { true, false }) {
        int right = 0, rounds = 40;
        for (int seed = 1; seed <= rounds; ++seed) {
            fakecuda::reset(seeded(std::uint64_t(seed)));
            SetUp();
            int *cell = alloc(s);
            ASSERT_CUDA(cudaMemsetAsync(cell, 0, sizeof *cell, s));
            order(s, t, fork);
            ASSERT_CUDA(step(s, cell, 1, 3));
            if (waits) order(s, t, join);
            ASSERT_CUDA(step(t, cell, 10, 0));
            order(t, s, fork);
            ASSERT_CUDA(cudaStreamSynchronize(s));
            right += *cell == 30;
            ASSERT_CUDA(cudaFreeAsync(cell, s));
            TearDown();
        }
        if (waits) {
            EXPECT_EQ(right, rounds);
        }
        if (!waits) {
            EXPECT_GT(right, 0);
        }
        if (!waits) {
            EXPECT_LT(right, rounds);
        }
    }
    fakecuda::reset();
    SetUp();
}

TEST_F(Fake, TheSeedDecidesTheOrder)
{
    auto order = [this](std::uint64_t seed) {
        fakecuda::reseed(seed);
        for (int i = 0; i < 5; ++i)
            for (cudaStream_t stream : { s, t })
                EXPECT_CUDA(fakecuda::launch(stream, "work", [] { return cudaSuccess; }));
        for (cudaStream_t stream : { s, t }) EXPECT_CUDA(cudaStreamSynchronize(stream));
        return fakecuda::order();
    };
    std::set<std::uint64_t> orders;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        std::uint64_t first = order(seed);
        EXPECT_EQ(order(seed), first);
        orders.insert(first);
    }
    EXPECT_GT(orders.size(), 20u);
}

TEST_F(Fake, ABufferFreedTooEarlyIsCaught)
{
    watch::expect_violations();
    TearDown();
    int caught = 0;
    for (int seed = 1; seed <= 40; ++seed) {
        fakecuda::reset(seeded(std::uint64_t(seed)));
        SetUp();
        int *cell = alloc(s);
        ASSERT_CUDA(cudaMemsetAsync(cell, 0, sizeof *cell, s));
        order(s, t, fork);
        ASSERT_CUDA(step(t, cell, 1, 3));
        ASSERT_CUDA(cudaFreeAsync(cell, s)); // does not wait for t
        cudaStreamSynchronize(s);
        cudaStreamSynchronize(t);
        caught += !fakecuda::violations().empty();
        TearDown();
    }
    EXPECT_GT(caught, 0);
    EXPECT_LT(caught, 40) << "some orders hide it";
    fakecuda::reset();
    SetUp();
}

// The buffer is allocated again as soon as its stream has freed it: work that still uses it disturbs the new owner.
TEST_F(Fake, AFreedBufferIsUsedAgainOnlyWhereThatIsOrdered)
{
    int *first = alloc(s);
    ASSERT_CUDA(cudaMemsetAsync(first, 0, sizeof *first, s));
    ASSERT_CUDA(cudaStreamSynchronize(s));
    ASSERT_CUDA(fakecuda::launch(s, "slow", [] { return cudaSuccess; }));
    ASSERT_CUDA(cudaFreeAsync(first, s));
    int *same_stream = alloc(s);
    EXPECT_EQ(same_stream, first);
    ASSERT_CUDA(cudaFreeAsync(same_stream, s));
    std::size_t before = fakecuda::pending();
    int *unordered = alloc(t);
    if (before > 2) {
        EXPECT_NE(unordered, first);
    }
    order(s, t, fork);
    int *ordered = alloc(t);
    EXPECT_TRUE(ordered == first || unordered == first);
    ASSERT_CUDA(cudaFreeAsync(unordered, t));
    ASSERT_CUDA(cudaFreeAsync(ordered, t));
}

TEST_F(Fake, UnwrittenAndFreedMemoryIsPoisoned)
{
    int *cell = alloc(s);
    float seen = 0;
    auto look = [cell, &seen] {
        std::memcpy(&seen, cell, sizeof seen);
        return cudaSuccess;
    };
    ASSERT_CUDA(fakecuda::launch(s, "look", look, { { cell, sizeof(int) } }));
    ASSERT_CUDA(cudaStreamSynchronize(s));
    EXPECT_TRUE(std::isnan(seen));
    ASSERT_CUDA(cudaFreeAsync(cell, s));
}

TEST_F(Fake, WhatACorrectProgramNeverDoesIsRecorded)
{
    watch::expect_violations();
    int *cell = alloc(s, 4);
    int host[8] = {};
    EXPECT_EQ(cudaMemsetAsync(cell, 0, 5 * sizeof(int), s), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMemsetAsync(cell - 1, 0, 4, s), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMemcpyAsync(cell, host, 8 * sizeof(int), cudaMemcpyHostToDevice, s), cudaErrorInvalidValue);
    EXPECT_EQ(cudaMemcpyAsync(host, cell, 4, cudaMemcpyHostToDevice, s), cudaErrorInvalidMemcpyDirection);
    EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaErrorInvalidResourceHandle);
    ASSERT_CUDA(cudaFreeAsync(cell, s));
    EXPECT_EQ(cudaFreeAsync(cell, s), cudaErrorInvalidValue);
    ASSERT_CUDA(cudaLaunchHostFunc(
        s, [](void *) { cudaStreamQuery(nullptr); }, nullptr));
    ASSERT_CUDA(cudaStreamSynchronize(s));
    EXPECT_EQ(fakecuda::violations().size(), 7u);
    EXPECT_EQ(cudaGetLastError(), cudaErrorNotPermitted);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
}

TEST_F(Fake, AResetOfTheDeviceFindsWhatIsLeft)
{
    watch::expect_violations();
    EXPECT_CUDA(cudaDeviceReset());
    ASSERT_EQ(fakecuda::violations().size(), 1u);
    EXPECT_EQ(fakecuda::violations()[0], "cudaDeviceReset while there are still 2 streams, 2 events, 1 pools");
    EXPECT_EQ(fakecuda::counts().device_resets, 1);
}

TEST_F(Fake, PageableCopiesWorkAndAreCounted)
{
    watch::expect_violations();
    int *cell = alloc(s);
    int out = 5, in = 0;
    ASSERT_CUDA(cudaMemcpyAsync(cell, &out, sizeof out, cudaMemcpyHostToDevice, s));
    ASSERT_CUDA(cudaMemcpyAsync(&in, cell, sizeof in, cudaMemcpyDeviceToHost, s));
    EXPECT_EQ(in, 5) << "CUDA waits for these";
    EXPECT_EQ(fakecuda::counts().pageable_copies, 2);
    ASSERT_CUDA(cudaFreeAsync(cell, s));
}

TEST_F(Fake, LeaksAreNamed)
{
    void *pinned = nullptr;
    int *cell = alloc(s);
    ASSERT_CUDA(cudaHostAlloc(&pinned, 100, cudaHostAllocDefault));
    EXPECT_EQ(fakecuda::leaks(), "2 streams, 2 events, 1 pools, 1 device allocations, 1 pinned allocations");
    ASSERT_CUDA(cudaFreeAsync(cell, s));
    ASSERT_CUDA(cudaFreeHost(pinned));
    EXPECT_EQ(fakecuda::leaks(), "2 streams, 2 events, 1 pools");
}

TEST_F(Fake, MemoryIsBoundedAndTrimmingHelps)
{
    TearDown();
    fakecuda::Options options;
    options.memory = 1 << 20;
    fakecuda::reset(options);
    SetUp();
    void *small[4], *large = nullptr;
    for (void *&part : small) ASSERT_CUDA(cudaMallocFromPoolAsync(&part, 200 << 10, pool, s));
    EXPECT_EQ(cudaMallocFromPoolAsync(&large, 900 << 10, pool, s), cudaErrorMemoryAllocation);
    for (void *part : small) ASSERT_CUDA(cudaFreeAsync(part, s));
    ASSERT_CUDA(cudaStreamSynchronize(s));
    EXPECT_EQ(cudaMallocFromPoolAsync(&large, 900 << 10, pool, s), cudaErrorMemoryAllocation) << "kept by the pool";
    ASSERT_CUDA(cudaMemPoolTrimTo(pool, 0));
    ASSERT_CUDA(cudaMallocFromPoolAsync(&large, 900 << 10, pool, s));
    ASSERT_CUDA(cudaFreeAsync(large, s));
}

// ---- capture and graphs ----

TEST_F(Fake, AGraphRunsItsNodesAsTheyWereOrdered)
{
    int *a = alloc(s), *b = alloc(s);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    ASSERT_CUDA(cudaMemsetAsync(a, 0, sizeof *a, s));
    ASSERT_CUDA(cudaMemsetAsync(b, 0, sizeof *b, s));
    ASSERT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
    ASSERT_CUDA(step(s, a, 1, 1));
    order(s, t, fork);
    ASSERT_CUDA(step(t, b, 10, 7));
    ASSERT_CUDA(step(s, a, 2, 0));
    order(t, s, join);
    ASSERT_CUDA(step(s, b, 1, 1));
    ASSERT_CUDA(cudaStreamEndCapture(s, &graph));
    ASSERT_CUDA(cudaGraphInstantiate(&exec, graph, 0));
    ASSERT_CUDA(cudaGraphDestroy(graph));
    for (int i = 0; i < 3; ++i) ASSERT_CUDA(cudaGraphLaunch(exec, i % 2 ? t : s)); // one after another all the same
    ASSERT_CUDA(cudaGraphExecDestroy(exec));
    ASSERT_CUDA(cudaStreamSynchronize(t));
    ASSERT_CUDA(cudaStreamSynchronize(s));
    EXPECT_EQ(*a, 14);
    EXPECT_EQ(*b, 888);
    ASSERT_CUDA(cudaFreeAsync(a, s));
    ASSERT_CUDA(cudaFreeAsync(b, s));
}

TEST_F(Fake, AnUnjoinedStreamFailsTheCapture)
{
    int *cell = alloc(s);
    cudaGraph_t graph = nullptr;
    ASSERT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
    order(s, t, fork);
    ASSERT_CUDA(step(t, cell, 1, 1));
    EXPECT_EQ(cudaStreamEndCapture(s, &graph), cudaErrorStreamCaptureUnjoined);
    EXPECT_EQ(graph, nullptr);
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusActive;
    ASSERT_CUDA(cudaStreamIsCapturing(t, &status));
    EXPECT_EQ(status, cudaStreamCaptureStatusNone);
    ASSERT_CUDA(cudaFreeAsync(cell, s));
}

// Calls that CUDA forbids while capturing end the capture, and every later use of it fails.
TEST_F(Fake, ForbiddenCallsInvalidateTheCapture)
{
    const std::vector<std::pair<cudaError_t, std::function<cudaError_t()>>> forbidden = {
        { cudaErrorStreamCaptureUnsupported, [this] { return cudaStreamSynchronize(s); } },
        { cudaErrorStreamCaptureUnsupported, [this] { return cudaStreamQuery(s); } },
        { cudaErrorStreamCaptureUnsupported, [] { return cudaDeviceSynchronize(); } },
        { cudaErrorStreamCaptureIsolation, [this] { return cudaStreamWaitEvent(s, join, 0); } },
        { cudaErrorStreamCaptureUnmatched,
          [this] {
              cudaGraph_t graph = nullptr;
              order(s, t, fork);
              return cudaStreamEndCapture(t, &graph);
          } },
        { cudaErrorCapturedEvent,
          [this] {
              EXPECT_CUDA(cudaEventRecord(fork, s));
              return cudaEventSynchronize(fork);
          } },
    };
    ASSERT_CUDA(cudaEventRecord(join, t));
    for (const auto &entry : forbidden) {
        cudaGraph_t graph = nullptr;
        ASSERT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
        EXPECT_EQ(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed), cudaErrorIllegalState);
        EXPECT_EQ(entry.second(), entry.first);
        EXPECT_EQ(fakecuda::launch(s, "late", [] { return cudaSuccess; }), cudaErrorStreamCaptureInvalidated);
        EXPECT_EQ(cudaStreamEndCapture(s, &graph), cudaErrorStreamCaptureInvalidated);
        EXPECT_EQ(graph, nullptr);
    }
}

TEST_F(Fake, UnsafeCallsDependOnTheCapturesMode)
{
    void *pinned = nullptr;
    cudaGraph_t graph = nullptr;
    ASSERT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
    EXPECT_EQ(cudaHostAlloc(&pinned, 64, cudaHostAllocDefault), cudaErrorStreamCaptureUnsupported);
    EXPECT_EQ(cudaStreamEndCapture(s, &graph), cudaErrorStreamCaptureInvalidated);
    ASSERT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
    std::thread([&] {
        EXPECT_CUDA(cudaHostAlloc(&pinned, 64, cudaHostAllocDefault));
        EXPECT_EQ(cudaStreamEndCapture(s, &graph), cudaErrorStreamCaptureWrongThread);
    }).join();
    ASSERT_CUDA(cudaStreamEndCapture(s, &graph));
    ASSERT_CUDA(cudaGraphDestroy(graph));
    ASSERT_CUDA(cudaFreeHost(pinned));
}

TEST_F(Fake, AGraphIsUpdatedWhenItsShapeIsTheSame)
{
    int *cell = alloc(s);
    ASSERT_CUDA(cudaMemsetAsync(cell, 0, sizeof *cell, s));
    auto capture = [&](int value, bool longer) {
        cudaGraph_t graph = nullptr;
        EXPECT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
        EXPECT_CUDA(step(s, cell, 10, value));
        if (longer) {
            EXPECT_CUDA(step(s, cell, 10, value));
        }
        EXPECT_CUDA(cudaStreamEndCapture(s, &graph));
        return graph;
    };
    cudaGraph_t one = capture(1, false), two = capture(2, false), longer = capture(3, true);
    cudaGraphExec_t exec = nullptr;
    cudaGraphExecUpdateResultInfo result = {};
    ASSERT_CUDA(cudaGraphInstantiate(&exec, one, 0));
    ASSERT_CUDA(cudaGraphLaunch(exec, s));
    ASSERT_CUDA(cudaGraphExecUpdate(exec, two, &result));
    ASSERT_CUDA(cudaGraphLaunch(exec, s));
    EXPECT_EQ(cudaGraphExecUpdate(exec, longer, &result), cudaErrorGraphExecUpdateFailure);
    EXPECT_EQ(result.result, cudaGraphExecUpdateErrorTopologyChanged);
    ASSERT_CUDA(cudaStreamSynchronize(s));
    EXPECT_EQ(*cell, 12);
    for (cudaGraph_t graph : { one, two, longer }) ASSERT_CUDA(cudaGraphDestroy(graph));
    ASSERT_CUDA(cudaGraphExecDestroy(exec));
    ASSERT_CUDA(cudaFreeAsync(cell, s));
}

// A copy keeps its direction; how much it copies, and where, may change.
TEST_F(Fake, AGraphWhoseCopiesTurnIsNotUpdated)
{
    int *cell = alloc(s, 2), *other = alloc(s, 2);
    void *pinned = nullptr;
    ASSERT_CUDA(cudaHostAlloc(&pinned, 64, cudaHostAllocDefault));
    auto capture = [&](void *target, const void *source, std::size_t bytes, cudaMemcpyKind kind) {
        cudaGraph_t graph = nullptr;
        EXPECT_CUDA(cudaStreamBeginCapture(s, cudaStreamCaptureModeRelaxed));
        EXPECT_CUDA(cudaMemcpyAsync(target, source, bytes, kind, s));
        EXPECT_CUDA(cudaStreamEndCapture(s, &graph));
        return graph;
    };
    cudaGraph_t in = capture(cell, pinned, 4, cudaMemcpyHostToDevice),
                elsewhere = capture(other, pinned, 8, cudaMemcpyHostToDevice),
                out = capture(pinned, cell, 4, cudaMemcpyDeviceToHost),
                within = capture(cell, other, 4, cudaMemcpyDeviceToDevice);
    cudaGraphExec_t exec = nullptr;
    cudaGraphExecUpdateResultInfo result = {};
    ASSERT_CUDA(cudaGraphInstantiate(&exec, in, 0));
    ASSERT_CUDA(cudaGraphExecUpdate(exec, elsewhere, &result));
    for (cudaGraph_t changed : { out, within }) {
        EXPECT_EQ(cudaGraphExecUpdate(exec, changed, &result), cudaErrorGraphExecUpdateFailure);
        EXPECT_EQ(result.result, cudaGraphExecUpdateErrorParametersChanged);
    }
    for (cudaGraph_t graph : { in, elsewhere, out, within }) ASSERT_CUDA(cudaGraphDestroy(graph));
    ASSERT_CUDA(cudaGraphExecDestroy(exec));
    ASSERT_CUDA(cudaFreeHost(pinned));
    ASSERT_CUDA(cudaFreeAsync(cell, s));
    ASSERT_CUDA(cudaFreeAsync(other, s));
}

// ---- failures ----

TEST_F(Fake, AFaultOfAKernelIsReportedByEveryLaterCall)
{
    int *cell = alloc(s);
    bool ran = false;
    ASSERT_CUDA(fakecuda::launch(s, "faulty", [] { return cudaErrorIllegalAddress; }));
    ASSERT_CUDA(fakecuda::launch(s, "late", [&ran] {
        ran = true;
        return cudaSuccess;
    }));
    EXPECT_EQ(cudaStreamSynchronize(s), cudaErrorIllegalAddress);
    EXPECT_EQ(cudaStreamSynchronize(t), cudaErrorIllegalAddress);
    EXPECT_EQ(cudaEventRecord(fork, t), cudaErrorIllegalAddress);
    EXPECT_FALSE(ran);
    cudaFreeAsync(cell, s);
}

TEST_F(Fake, TheCallNamedFails)
{
    fakecuda::fail_function("cudaEventRecord", 2, cudaErrorNotSupported);
    EXPECT_CUDA(cudaEventRecord(fork, s));
    EXPECT_CUDA(cudaStreamSynchronize(s));
    EXPECT_EQ(cudaEventRecord(fork, s), cudaErrorNotSupported);
    EXPECT_CUDA(cudaEventRecord(fork, s));
    EXPECT_EQ(fakecuda::stop_failing(), 3);
    EXPECT_EQ(fakecuda::failed_function(), "cudaEventRecord");
}

} // namespace

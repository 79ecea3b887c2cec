// SPDX-License-Identifier: Apache-2.0
// Threads of the host that run kernels side by side, each with fibers of its own: results are right, ThreadSanitizer
// has nothing to object to, and a thread that ends takes its fibers along.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "launch.cuh"

namespace
{

constexpr int width = 64;

__global__ void rotate(int *y, int by)
{
    TRIB_SHARED(int, array, width);
    array[threadIdx.x] = int(threadIdx.x);
    __syncthreads();
    store(y + threadIdx.x, int(array[(int(threadIdx.x) + by) % width]));
}

__global__ void some_threads_end(int last)
{
    if (int(threadIdx.x) >= last) return;
    __syncthreads();
}

void run_some(int first, int *wrong)
{
    std::vector<int> y(width);
    for (int by = first; by < first + 10; ++by) {
        const trib_status rotated = launch("rotate", rotate, dim3 { 1, 1, 1 }, width, 0, nullptr, y.data(), by);
        *wrong += trib_failed(&rotated);
        for (int i = 0; i < width; ++i) *wrong += y[std::size_t(i)] != (i + by) % width;
        const trib_status refused = launch("refused", some_threads_end, dim3 { 1, 1, 1 }, width, 0, nullptr, by);
        *wrong += std::string(refused.message).find("has ended") == std::string::npos;
    }
}

TEST(HostThreads, RunKernelsSideBySide)
{
    for (int round = 0; round < 3; ++round) {
        int wrong[4] = {};
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) threads.emplace_back(run_some, 10 * t + 1, &wrong[t]);
        for (std::thread &thread : threads) thread.join();
        for (int w : wrong) EXPECT_EQ(w, 0);
    }
}

} // namespace

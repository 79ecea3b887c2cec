/* SPDX-License-Identifier: Apache-2.0
 * Kernels that compute nothing: an empty one, and one that reads a block of memory to replace the content of the L2
 * cache (written lines would be evicted while the next kernel is timed). */
#include <launch.cuh>
#include <platform.cuh>

#include "gpu.h"

static constexpr int threads = 256, blocks_per_multiprocessor = 8;

__global__ void empty() {}

__global__ void __launch_bounds__(threads) read_all(const unsigned char *block, int64_t chunks, unsigned *sum)
{
    unsigned all = 0;
    for (int64_t i = int64_t(blockIdx.x) * threads + threadIdx.x; i < chunks; i += int64_t(gridDim.x) * threads) {
        const uint4 chunk = load<uint4>(block + 16 * i);
        all |= chunk.x | chunk.y | chunk.z | chunk.w;
    }
    if (all) store(sum, all); /* never true for zeros, but the compiler does not know */
}

trib_status bench_launch_empty(void *stream) { return launch("empty", empty, dim3 { 1, 1, 1 }, 32, 0, stream); }

trib_status bench_launch_read(const void *zeros, int64_t bytes, unsigned *sum, void *stream)
{
    const int64_t chunks = bytes / 16, needed = (chunks + threads - 1) / threads;
    const int64_t most = int64_t(multiprocessor_count()) * blocks_per_multiprocessor;
    return launch("read_all", read_all, dim3 { unsigned(needed < most ? needed : most), 1, 1 }, threads, 0, stream,
                  static_cast<const unsigned char *>(zeros), chunks, sum);
}

/* SPDX-License-Identifier: Apache-2.0
 * Flat arrays of float32: a thread has 4 neighbours. */
#ifndef TRIBUTARY_FLAT_CUH
#define TRIBUTARY_FLAT_CUH

#include "dispatch.cuh"

static constexpr int flat_threads = 256, flat_width = 4;

/* four(at) and one(at) cover this thread's elements: those that are not four, or not aligned, one by one. */
template <class Four, class One>
__device__ __forceinline__ void own_elements(int64_t count, bool aligned, Four four, One one)
{
    const int64_t first = (int64_t(blockIdx.x) * flat_threads + threadIdx.x) * flat_width;
    if (aligned && first + flat_width <= count)
        four(first);
    else
        for (int64_t at = first; at < min(count, first + flat_width); ++at) one(at);
}

static inline dim3 flat_grid(int64_t count) { return { unsigned(ceil_div(count, flat_threads * flat_width)), 1, 1 }; }

static inline bool flat_aligned(const void *p)
{
    return reinterpret_cast<uintptr_t>(p) % (flat_width * sizeof(float)) == 0;
}

#endif

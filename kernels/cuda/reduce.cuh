/* SPDX-License-Identifier: Apache-2.0
 * Sums and maxima over the 256 threads of a block, in an order that is always the same. */
#ifndef TRIBUTARY_REDUCE_CUH
#define TRIBUTARY_REDUCE_CUH

#include <platform.cuh>

static constexpr int threads = 256, warps = threads / 32;

struct Sum {
    template <class V>
    __device__ V operator()(V a, V b) const
    {
        return a + b;
    }
};
struct Largest {
    __device__ float operator()(float a, float b) const { return fmaxf(a, b); } /* ignores NaN: the sum shows it */
    __device__ unsigned long long operator()(unsigned long long a, unsigned long long b) const { return a < b ? b : a; }
};

/* Reduces the values of all threads; every thread gets the result. `parts` is shared, one per warp. */
template <class V, class F>
__device__ __forceinline__ V reduce(V value, SharedArray<V> parts, F combine)
{
    for (int other = 16; other > 0; other /= 2) value = combine(value, __shfl_xor_sync(0xFFFFFFFFu, value, other));
    __syncthreads(); /* `parts` is free again */
    if (threadIdx.x % 32 == 0) parts[int(threadIdx.x) / 32] = value;
    __syncthreads();
    V result = shared_load<V>(parts, 0);
    for (int i = 1; i < warps; ++i) result = combine(result, shared_load<V>(parts, i));
    return result;
}

#endif

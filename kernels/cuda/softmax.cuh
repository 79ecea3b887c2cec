/* SPDX-License-Identifier: Apache-2.0
 * One block per row of logits: sums and maxima over its 256 threads, which take channels 256 apart. */
#ifndef TRIBUTARY_SOFTMAX_CUH
#define TRIBUTARY_SOFTMAX_CUH

#include "dispatch.cuh"

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

template <class T>
__device__ __forceinline__ float channel(const T *row, int c)
{
    return to_float(load_chunk<T, 1>(row + c).v[0]);
}

/* The maximum of a row, and the sum of its exponentials relative to that. */
struct Normaliser {
    float largest, sum;
};

template <class T>
__device__ __forceinline__ Normaliser normaliser(const T *row, int count, SharedArray<float> parts)
{
    float largest = -INFINITY, sum = 0;
    for (int c = int(threadIdx.x); c < count; c += threads) largest = fmaxf(largest, channel(row, c));
    largest = reduce(largest, parts, Largest());
    for (int c = int(threadIdx.x); c < count; c += threads) sum += expf(channel(row, c) - largest);
    return { largest, reduce(sum, parts, Sum()) };
}

#endif

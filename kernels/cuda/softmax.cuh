/* SPDX-License-Identifier: Apache-2.0
 * One block per row of logits: sums and maxima over its 256 threads, which take channels 256 apart. */
#ifndef TRIBUTARY_SOFTMAX_CUH
#define TRIBUTARY_SOFTMAX_CUH

#include "dispatch.cuh"
#include "reduce.cuh"

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

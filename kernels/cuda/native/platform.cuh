/* SPDX-License-Identifier: Apache-2.0
 * The interface that kernels use: memory accesses of a stated width, shared arrays, and CUDA's own names. Tests
 * compile the same kernels against a twin of this folder that runs them on the CPU (tests/emulation). */
#ifndef TRIBUTARY_NATIVE_PLATFORM_CUH
#define TRIBUTARY_NATIVE_PLATFORM_CUH

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* One access of sizeof(V) bytes (uint4: 16) to global memory; `p` is aligned to it. */
template <class V>
__device__ __forceinline__ V load(const void *p)
{
    return __ldg(static_cast<const V *>(p));
}

/* The same of memory that this kernel writes as well: what a thread reads is what it alone writes, later. */
template <class V>
__device__ __forceinline__ V load_own(const void *p)
{
    return *static_cast<const V *>(p);
}

template <class V>
__device__ __forceinline__ void store(void *p, V value)
{
    *static_cast<V *>(p) = value;
}

/* Each rounded by itself: the compiler makes no fused multiply-add of the two. */
__device__ __forceinline__ double double_multiply(double a, double b) { return __dmul_rn(a, b); }
__device__ __forceinline__ double double_add(double a, double b) { return __dadd_rn(a, b); }
__device__ __forceinline__ float float_multiply(float a, float b) { return __fmul_rn(a, b); }
__device__ __forceinline__ float float_add(float a, float b) { return __fadd_rn(a, b); }

/* Two values rounded to T, in one register, the first in the low half. */
template <class T>
__device__ unsigned round_pair(float low, float high);

template <>
__device__ __forceinline__ unsigned round_pair<__half>(float low, float high)
{
    __half2 pair = __floats2half2_rn(low, high);
    unsigned bits;
    memcpy(&bits, &pair, sizeof bits);
    return bits;
}

template <>
__device__ __forceinline__ unsigned round_pair<__nv_bfloat16>(float low, float high)
{
    __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    unsigned bits;
    memcpy(&bits, &pair, sizeof bits);
    return bits;
}

template <class T>
using SharedArray = T *;

/* A static array of a block's shared memory; `name` is a SharedArray<T>. */
#define TRIB_SHARED(T, name, count)                     \
    __shared__ __align__(16) T name##_storage[(count)]; \
    SharedArray<T> name = name##_storage

/* The memory whose size is set at launch. */
template <class T>
__device__ __forceinline__ SharedArray<T> dynamic_shared()
{
    extern __shared__ __align__(16) unsigned char dynamic_shared_storage[];
    return reinterpret_cast<T *>(dynamic_shared_storage);
}

/* The same memory as an array of another type. */
template <class U, class T>
__device__ __forceinline__ SharedArray<U> shared_cast(T *array)
{
    return reinterpret_cast<U *>(array);
}

/* One access of sizeof(V) bytes at array[index]. */
template <class V, class T>
__device__ __forceinline__ V shared_load(const T *array, int index)
{
    return *reinterpret_cast<const V *>(array + index);
}

template <class V, class T>
__device__ __forceinline__ void shared_store(T *array, int index, V value)
{
    *reinterpret_cast<V *>(array + index) = value;
}

#endif

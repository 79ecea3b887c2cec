// SPDX-License-Identifier: Apache-2.0
// The twin of kernels/cuda/native/platform.cuh, and the part of CUDA's own names that kernels use, on the CPU.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "block.h"
#include "global.h"
#include "tributary/dtype.h"
#include "warp.h"

#define __global__ static
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __grid_constant__

using dim3 = emulation::Index3;

struct alignas(8) uint2 {
    unsigned x, y;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) int4 {
    int x, y, z, w;
};

struct __half {
    std::uint16_t bits;
};
struct __nv_bfloat16 {
    std::uint16_t bits;
};
inline float __half2float(__half value) { return trib_f16_to_f32(value.bits); }
inline __half __float2half_rn(float value) { return { trib_f32_to_f16(value) }; }
inline float __bfloat162float(__nv_bfloat16 value) { return trib_bf16_to_f32(value.bits); }
inline __nv_bfloat16 __float2bfloat16_rn(float value) { return { trib_f32_to_bf16(value) }; }

template <class T>
unsigned round_pair(float low, float high);
template <>
inline unsigned round_pair<__half>(float low, float high)
{
    return trib_f32_to_f16(low) | unsigned(trib_f32_to_f16(high)) << 16;
}
template <>
inline unsigned round_pair<__nv_bfloat16>(float low, float high)
{
    return trib_f32_to_bf16(low) | unsigned(trib_f32_to_bf16(high)) << 16;
}

inline double double_multiply(double a, double b) { return a * b; }
inline double double_add(double a, double b) { return a + b; }
inline float float_multiply(float a, float b) { return a * b; }
inline float float_add(float a, float b) { return a + b; }
using std::sqrt;

inline unsigned __float_as_uint(float value)
{
    unsigned bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}
inline float __uint_as_float(unsigned bits)
{
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}
inline float rsqrtf(float value) { return 1 / std::sqrt(value); }
inline float __fdividef(float a, float b) { return a / b; }
template <class T>
T min(T a, T b)
{
    return b < a ? b : a;
}
template <class T>
T max(T a, T b)
{
    return a < b ? b : a;
}

inline void __syncthreads(const char *file = __builtin_FILE(), int line = __builtin_LINE())
{
    emulation::running("__syncthreads").block->barrier({ "__syncthreads", file, line });
}

template <class V>
V load(const void *p)
{
    emulation::check_global(p, sizeof(V), false);
    V value;
    std::memcpy(&value, p, sizeof value);
    return value;
}

template <class V>
V load_own(const void *p)
{
    return load<V>(p);
}

template <class V>
void store(void *p, V value)
{
    emulation::check_global(p, sizeof(V), true);
    std::memcpy(p, &value, sizeof value);
}

template <class T>
using SharedArray = emulation::SharedArray<T>;

template <class T>
SharedArray<T> static_shared(std::size_t count)
{
    emulation::Thread &thread = emulation::running("shared memory");
    emulation::SharedMemory &memory = thread.block->shared;
    return { &memory, memory.declare(thread, count * sizeof(T)), count * sizeof(T) };
}
#define TRIB_SHARED(T, name, count) SharedArray<T> name = static_shared<T>(count)

template <class T>
SharedArray<T> dynamic_shared()
{
    emulation::SharedMemory &memory = emulation::running("shared memory").block->shared;
    return { &memory, 0, memory.dynamic_bytes() };
}

template <class U, class T>
SharedArray<U> shared_cast(const SharedArray<T> &array)
{
    return array.template as<U>();
}

template <class V, class T>
V shared_load(const SharedArray<T> &array, int index)
{
    return array.template read<V>(index);
}

template <class V, class T>
void shared_store(const SharedArray<T> &array, int index, V value)
{
    array.template write<V>(index, value);
}

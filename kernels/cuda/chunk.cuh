/* SPDX-License-Identifier: Apache-2.0
 * WIDTH neighbouring channels of one pixel, moved in one access: 16 bytes if everything is aligned to that (8 of the
 * smaller type if there are two), otherwise one channel. */
#ifndef TRIBUTARY_CHUNK_CUH
#define TRIBUTARY_CHUNK_CUH

#include <platform.cuh>
#include <ptx.cuh>

template <class T, int WIDTH>
struct Chunk {
    T v[WIDTH];
};

/* Elements of T in 16 bytes. */
template <class T>
constexpr int full_width = 16 / int(sizeof(T));

__device__ __forceinline__ float to_float(float value) { return value; }
__device__ __forceinline__ float to_float(__half value) { return __half2float(value); }
__device__ __forceinline__ float to_float(__nv_bfloat16 value) { return __bfloat162float(value); }

__device__ __forceinline__ void from_float(float value, float *out) { *out = value; }
__device__ __forceinline__ void from_float(float value, __half *out) { *out = __float2half_rn(value); }
__device__ __forceinline__ void from_float(float value, __nv_bfloat16 *out) { *out = __float2bfloat16_rn(value); }

/* The type that moves so many bytes in one instruction. */
template <int BYTES>
struct Access;
template <>
struct Access<16> {
    using type = uint4;
};
template <>
struct Access<8> {
    using type = uint2;
};
template <>
struct Access<4> {
    using type = unsigned;
};
template <>
struct Access<2> {
    using type = unsigned short;
};
template <>
struct Access<1> {
    using type = unsigned char;
};

template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> load_chunk(const T *p)
{
    Chunk<T, WIDTH> chunk;
    const auto bits = load<typename Access<sizeof chunk>::type>(p);
    memcpy(&chunk, &bits, sizeof chunk);
    return chunk;
}

/* As load_own. */
template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> load_own_chunk(const T *p)
{
    Chunk<T, WIDTH> chunk;
    const auto bits = load_own<typename Access<sizeof chunk>::type>(p);
    memcpy(&chunk, &bits, sizeof chunk);
    return chunk;
}

template <class T, int WIDTH>
__device__ __forceinline__ void store_chunk(T *p, const Chunk<T, WIDTH> &chunk)
{
    typename Access<sizeof chunk>::type bits;
    memcpy(&bits, &chunk, sizeof chunk);
    store(p, bits);
}

template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> shared_load_chunk(const SharedArray<T> array, int index)
{
    Chunk<T, WIDTH> chunk;
    const auto bits = shared_load<typename Access<sizeof chunk>::type>(array, index);
    memcpy(&chunk, &bits, sizeof chunk);
    return chunk;
}

template <class T, int WIDTH>
__device__ __forceinline__ void shared_store_chunk(SharedArray<T> array, int index, const Chunk<T, WIDTH> &chunk)
{
    typename Access<sizeof chunk>::type bits;
    memcpy(&bits, &chunk, sizeof chunk);
    shared_store(array, index, bits);
}

/* All channels the same value. */
template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> splat(float value)
{
    Chunk<T, WIDTH> chunk;
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) from_float(value, &chunk.v[i]);
    return chunk;
}

template <class T, int WIDTH>
__device__ __forceinline__ void to_floats(const Chunk<T, WIDTH> &chunk, float *out)
{
#pragma unroll
    for (int i = 0; i < WIDTH; ++i) out[i] = to_float(chunk.v[i]);
}

/* WIDTH floats, 16 bytes at a time if there are as many. */
template <int WIDTH>
__device__ __forceinline__ void load_floats(const float *p, float *out)
{
    constexpr int STEP = WIDTH % 4 == 0 ? 4 : 1;
#pragma unroll
    for (int i = 0; i < WIDTH; i += STEP) to_floats(load_chunk<float, STEP>(p + i), out + i);
}

template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> from_floats(const float *values)
{
    Chunk<T, WIDTH> chunk;
    if constexpr (sizeof(T) == 2 && WIDTH % 2 == 0) {
#pragma unroll
        for (int i = 0; i < WIDTH; i += 2) {
            const unsigned pair = round_pair<T>(values[i], values[i + 1]);
            memcpy(&chunk.v[i], &pair, sizeof pair);
        }
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) from_float(values[i], &chunk.v[i]);
    }
    return chunk;
}

/* The larger of each channel; NaN wins. */
template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> larger(const Chunk<T, WIDTH> &a, const Chunk<T, WIDTH> &b)
{
    Chunk<T, WIDTH> result;
    if constexpr (sizeof(T) == 2 && WIDTH % 2 == 0) {
#pragma unroll
        for (int i = 0; i < WIDTH; i += 2) {
            unsigned left, right;
            memcpy(&left, &a.v[i], sizeof left);
            memcpy(&right, &b.v[i], sizeof right);
            left = max_nan_pair<T>(left, right);
            memcpy(&result.v[i], &left, sizeof left);
        }
    } else {
#pragma unroll
        for (int i = 0; i < WIDTH; ++i) from_float(max_nan(to_float(a.v[i]), to_float(b.v[i])), &result.v[i]);
    }
    return result;
}

/* max(0, value); NaN stays NaN. */
__device__ __forceinline__ float relu_of(float value) { return value < 0 ? 0.0f : value; }

template <class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> relu_if(bool relu, const Chunk<T, WIDTH> &chunk)
{
    return relu ? larger(chunk, splat<T, WIDTH>(0)) : chunk;
}

#endif

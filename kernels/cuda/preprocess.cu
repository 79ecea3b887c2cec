/* SPDX-License-Identifier: Apache-2.0
 * 8-bit pixels to what the first convolution reads: y[pixel, c] = x[pixel, c] * scale[c] + shift[c] for c < 3 in
 * destination order, 0 for c = 3..7: the convolution library copies tensors whose channels are not a multiple of 8.
 *
 *     a block: 1024 pixels                 x  RGBRGBRGB...   3072 bytes, read 16 at a time into shared memory
 *                                          y  [c0 c1 c2 0 0 0 0 0][c0 ...   one thread writes one pixel, 16 bytes at a
 * time
 *
 * The source is read once and has a fifth of the bytes written: bound by writing. */
#include "dispatch.cuh"
#include "normalise.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256, pixels_per_block = 1024;

/* 16 bytes at `at` of the `count` bytes at x; zeros beyond its end. */
__device__ static uint4 load_bytes(const uint8_t *x, int64_t at, int64_t count, bool aligned)
{
    if (aligned && at + 16 <= count) return load<uint4>(x + at);
    unsigned words[4] = {};
#pragma unroll
    for (int i = 0; i < 16; ++i)
        if (at + i < count) words[i / 4] |= unsigned(load<unsigned char>(x + at + i)) << (8 * (i % 4));
    return { words[0], words[1], words[2], words[3] };
}

template <class T>
__global__ void __launch_bounds__(threads) preprocess(trib_preprocess_geometry g, bool aligned, const uint8_t *x, T *y)
{
    TRIB_SHARED(unsigned char, bytes, 3 * pixels_per_block);
    const int64_t first = int64_t(blockIdx.x) * pixels_per_block;
    for (int i = int(threadIdx.x) * 16; i < pixels_per_block * g.channels; i += threads * 16)
        shared_store(bytes, i, load_bytes(x, first * g.channels + i, g.pixels * g.channels, aligned));
    __syncthreads();
    constexpr int WIDTH = full_width<T>;
    for (int i = int(threadIdx.x); i < pixels_per_block && first + i < g.pixels; i += threads) {
        float values[TRIB_PREPROCESS_CHANNELS] = {};
#pragma unroll
        for (int c = 0; c < 3; ++c) {
            const int at = g.channels == 1 ? i : 3 * i + (g.bgr ? 2 - c : c);
            values[c] = normalised(float(shared_load<unsigned char>(bytes, at)), g.scale[c], g.shift[c]);
        }
        T *pixel = y + (first + i) * TRIB_PREPROCESS_CHANNELS;
#pragma unroll
        for (int c = 0; c < TRIB_PREPROCESS_CHANNELS; c += WIDTH)
            store_chunk(pixel + c, from_floats<T, WIDTH>(values + c));
    }
}

trib_status trib_cuda_preprocess(const trib_preprocess_geometry *g, trib_dtype dtype, const uint8_t *x, void *y,
                                 void *stream)
{
    const char *name = "preprocess";
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        if (reinterpret_cast<uintptr_t>(y) % 16)
            return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: the result is not aligned to 16 bytes", name);
        const dim3 grid = { unsigned(ceil_div(g->pixels, pixels_per_block)), 1, 1 };
        const bool aligned = reinterpret_cast<uintptr_t>(x) % 16 == 0;
        return launch(name, preprocess<T>, grid, threads, 0, stream, *g, aligned, x, static_cast<T *>(y));
    });
}

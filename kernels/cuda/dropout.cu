/* SPDX-License-Identifier: Apache-2.0
 * y = 0 where the element's random number is below p, else x / (1 - p). The number is Philox of seed, step, salt and
 * the element's place in N,C,H,W order, as trib_random_uniform computes it, so that backward, and any other device, see
 * the same mask and nothing stores it. Seed and step are read from device memory. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256, rounds = 10, words = 4;

__device__ __forceinline__ void philox(uint32_t (&x)[words], uint32_t low, uint32_t high)
{
#pragma unroll
    for (int round = 0; round < rounds; ++round) {
        const uint64_t a = uint64_t(0xD2511F53u) * x[0], b = uint64_t(0xCD9E8D57u) * x[2];
        x[0] = uint32_t(b >> 32) ^ x[1] ^ low;
        x[1] = uint32_t(b);
        x[2] = uint32_t(a >> 32) ^ x[3] ^ high;
        x[3] = uint32_t(a);
        low += 0x9E3779B9u;
        high += 0xBB67AE85u;
    }
}

__device__ __forceinline__ float random_uniform(uint64_t seed, uint64_t step, uint32_t salt, uint64_t index)
{
    const uint64_t block = index / words;
    const int word = int(index % words);
    uint32_t x[words] = { uint32_t(block), uint32_t(block >> 32), uint32_t(step), uint32_t(step >> 32) };
    philox(x, uint32_t(seed), uint32_t(seed >> 32) ^ salt);
    const uint32_t low = word & 1 ? x[1] : x[0], high = word & 1 ? x[3] : x[2]; /* registers have no index */
    return float((word & 2 ? high : low) >> 8) * (1.0f / 16777216);
}

template <class T, int WIDTH>
__global__ void __launch_bounds__(threads)
    dropout(trib_dropout_geometry g, float keep, const T *x, const trib_step_controls *controls, T *y)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x;
    const int chunks = g.c / WIDTH, c = int(item % chunks) * WIDTH;
    const int64_t row = item / chunks, image = row / g.pixels;
    if (image >= g.n) return;
    const uint64_t seed = load<unsigned long long>(&controls->seed), step = load<unsigned long long>(&controls->step);
    auto chunk = load_own_chunk<T, WIDTH>(x + row * g.x_pitch + c);
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) {
        const int64_t element = (image * g.c + c + j) * g.pixels + row % g.pixels;
        const float u = random_uniform(seed, step, g.salt, uint64_t(element));
        from_float(u < g.p ? 0 : to_float(chunk.v[j]) * keep, &chunk.v[j]);
    }
    store_chunk(y + row * g.y_pitch + c, chunk);
}

trib_status trib_cuda_dropout(const trib_dropout_geometry *g, trib_dtype dtype, const void *x,
                              const trib_step_controls *controls, void *y, void *stream)
{
    const char *name = "dropout";
    return for_type_and_width(name, dtype, g->c, x, g->x_pitch, y, g->y_pitch, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const dim3 grid = { unsigned(ceil_div(g->n * g->pixels * (g->c / WIDTH), threads)), 1, 1 };
        return launch(name, dropout<T, WIDTH>, grid, threads, 0, stream, *g, 1 / (1 - g->p), static_cast<const T *>(x),
                      controls, static_cast<T *>(y));
    });
}

/* SPDX-License-Identifier: Apache-2.0
 * Local response normalisation of a chunk of channels:
 *     y[c] = x[c] * (k + alpha/size * sum of x[i]^2, c - size/2 <= i <= c + (size-1)/2, inside 0 .. C-1)^-beta */
#ifndef TRIBUTARY_LRN_CUH
#define TRIBUTARY_LRN_CUH

#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

struct Lrn {
    int before, after; /* channels of the window on each side */
    float scale, beta, k;
};

static_assert(TRIB_CUDA_LRN_MAX_SIZE / 2 <= full_width<float>, "a window reaches one chunk to each side, no further");

inline trib_status lrn_of(const char *name, const trib_lrn_coefficients *lrn, Lrn *out)
{
    if (lrn->size < 1 || lrn->size > TRIB_CUDA_LRN_MAX_SIZE)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: no CUDA kernel for a size of %d; 1 to %d are possible", name,
                          lrn->size, int(TRIB_CUDA_LRN_MAX_SIZE));
    *out = { lrn->size / 2, (lrn->size - 1) / 2, lrn->alpha / float(lrn->size), lrn->beta, lrn->k };
    return trib_success();
}

/* base^-beta; the usual beta of 3/4 needs no logarithm. */
__device__ __forceinline__ float power(float base, float beta)
{
    if (beta != 0.75f) return powf(base, -beta);
    const float root = rsqrtf(base);
    return root * sqrtf(root);
}

/* Normalises the middle REACH..REACH+WIDTH-1 of `x`, REACH channels more on each side; zeros stand for channels that do
 * not exist. SIZE = 5 needs no test per channel; SIZE = 0 is any size up to 2*REACH+1. */
template <int SIZE, int WIDTH, int REACH>
__device__ __forceinline__ void normalise(const Lrn &lrn, const float (&x)[WIDTH + 2 * REACH], float (&y)[WIDTH])
{
#pragma unroll
    for (int c = 0; c < WIDTH; ++c) {
        float sum = 0;
        constexpr int span = SIZE ? SIZE / 2 : REACH;
#pragma unroll
        for (int d = -span; d <= span; ++d) {
            const float value = x[c + REACH + d];
            if (SIZE || (d >= -lrn.before && d <= lrn.after)) sum += value * value;
        }
        y[c] = x[c + REACH] * power(lrn.k + lrn.scale * sum, lrn.beta);
    }
}

/* The same for three neighbouring chunks, of which the middle one is normalised. */
template <int SIZE, class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> normalise_chunk(const Lrn &lrn, const Chunk<T, WIDTH> &left,
                                                           const Chunk<T, WIDTH> &own, const Chunk<T, WIDTH> &right)
{
    constexpr int reach = SIZE ? SIZE / 2 : TRIB_CUDA_LRN_MAX_SIZE / 2;
    float x[WIDTH + 2 * reach], y[WIDTH];
#pragma unroll
    for (int i = 0; i < reach; ++i) {
        x[i] = to_float(left.v[WIDTH - reach + i]);
        x[reach + WIDTH + i] = to_float(right.v[i]);
    }
    to_floats(own, x + reach);
    normalise<SIZE, WIDTH, reach>(lrn, x, y);
    return from_floats<T, WIDTH>(y);
}

/* The same for the chunk at channel c of a pixel in global memory. */
template <int SIZE, class T, int WIDTH>
__device__ __forceinline__ Chunk<T, WIDTH> load_normalised(const Lrn &lrn, const T *pixel, int c, int channels)
{
    const auto zeros = splat<T, WIDTH>(0);
    const auto own = load_chunk<T, WIDTH>(pixel + c);
    const auto left = c > 0 ? load_chunk<T, WIDTH>(pixel + c - WIDTH) : zeros;
    const auto right = c + WIDTH < channels ? load_chunk<T, WIDTH>(pixel + c + WIDTH) : zeros;
    return normalise_chunk<SIZE, T, WIDTH>(lrn, left, own, right);
}

#endif

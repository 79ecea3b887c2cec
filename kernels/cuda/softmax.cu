/* SPDX-License-Identifier: Apache-2.0
 * y[row,c] = exp(x[row,c] - m) / sum over i of exp(x[row,i] - m), m the row's maximum; and the k largest of a row, so
 * that a batch returns k pairs per image, not 1000 floats.
 *
 * One block per row; its 256 threads take channels 256 apart. Three passes over the row for softmax, k more for the top
 * k; all but the first hit the L1 cache (1000 classes: 4 KB).
 *
 * Top k needs no marks: value and index make one 64-bit key, larger is better, no two are equal; the next result is the
 * largest key below the last one. */
#include "softmax.cuh"
#include "tributary/internal/kernels_cuda.h"

template <class T>
__global__ void __launch_bounds__(threads) softmax(trib_pixel_geometry g, const T *x, T *y)
{
    TRIB_SHARED(float, parts, warps);
    const T *row = x + int64_t(blockIdx.x) * g.x_pitch;
    const Normaliser n = normaliser(row, g.c, parts);
    for (int c = int(threadIdx.x); c < g.c; c += threads) {
        const float value = expf(channel(row, c) - n.largest) / n.sum;
        store_chunk(y + int64_t(blockIdx.x) * g.y_pitch + c, from_floats<T, 1>(&value));
    }
}

/* Larger values give larger keys, equal values by lower index; NaN counts as smallest. 0 is not a key. */
__device__ static unsigned long long key_of(float value, int index)
{
    unsigned bits = __float_as_uint(value == 0 ? 0.0f : value); /* -0 is 0 */
    bits = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
    if (value != value) bits = 0;
    return static_cast<unsigned long long>(bits) << 32 | (0xFFFFFFFFu - unsigned(index));
}

__device__ static int index_of(unsigned long long key) { return int(0xFFFFFFFFu - unsigned(key)); }

template <class T>
__global__ void __launch_bounds__(threads)
    softmax_top_k(trib_pixel_geometry g, int k, const T *x, float *probabilities, int32_t *indices)
{
    TRIB_SHARED(float, parts, warps);
    TRIB_SHARED(unsigned long long, key_parts, warps);
    const T *row = x + int64_t(blockIdx.x) * g.x_pitch;
    const Normaliser n = normaliser(row, g.c, parts);
    unsigned long long last = ~0ull;
    for (int i = 0; i < k; ++i) {
        unsigned long long best = 0;
        for (int c = int(threadIdx.x); c < g.c; c += threads) {
            const unsigned long long key = key_of(channel(row, c), c);
            if (key < last && key > best) best = key;
        }
        last = reduce(best, key_parts, Largest());
        if (threadIdx.x != 0) continue;
        const int64_t at = int64_t(blockIdx.x) * k + i;
        store(indices + at, int(index_of(last)));
        store(probabilities + at, expf(channel(row, index_of(last)) - n.largest) / n.sum);
    }
}

trib_status trib_cuda_softmax(const trib_pixel_geometry *g, trib_dtype dtype, const void *x, void *y, void *stream)
{
    const char *name = "softmax";
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        return launch(name, softmax<T>, dim3 { unsigned(g->rows), 1, 1 }, threads, 0, stream, *g,
                      static_cast<const T *>(x), static_cast<T *>(y));
    });
}

trib_status trib_cuda_softmax_top_k(const trib_pixel_geometry *g, int k, trib_dtype dtype, const void *x,
                                    float *probabilities, int32_t *indices, void *stream)
{
    const char *name = "softmax_top_k";
    if (k < 1 || k > g->c) return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: the %d largest of %d values", name, k, g->c);
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        return launch(name, softmax_top_k<T>, dim3 { unsigned(g->rows), 1, 1 }, threads, 0, stream, *g, k,
                      static_cast<const T *>(x), probabilities, indices);
    });
}

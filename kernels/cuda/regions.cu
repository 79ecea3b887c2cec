/* SPDX-License-Identifier: Apache-2.0
 * Regions of 8-bit RGB pictures, cut, warped, mirrored and normalised: y[n, i, j, c] = sample(n, i, j, c) * scale[c] +
 * shift[c] for c < 3, 0 for further channels and outside of the picture; see region_kernels.h.
 *
 *     a block: 256 pixels of one image, a thread each        NHWC  [c0 c1 c2 0 0 0 0 0][c0 ...  16 bytes at a time
 *     its four source pixels lie beside its neighbours'      NCHW  c0 c0 c0 ..., c1 c1 c1 ...   a warp's side by side
 *
 * A sample reads 12 bytes, most of which its neighbours have brought into the L1 cache, and gives 16 (f16 with 8
 * channels): bound by writing, unless pictures are made much smaller. */
#include <limits.h>

#include "dispatch.cuh"
#include "normalise.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256;

/* Where a sample lies between two pixels of its row or column. */
struct Point {
    bool outside;
    int first, second;
    float weight; /* of the second */
};

__device__ __forceinline__ Point point_of(float from, float extent, int count, int i, int size)
{
    const float at = fmaf(float(i) + 0.5f, extent / float(count), from) - 0.5f;
    Point p = { !(size > 0 && at >= -0.5f && at <= float(size) - 0.5f), 0, 0, 0 };
    if (p.outside) return p;
    const float below = floorf(at);
    const int k = int(below);
    p.weight = at - below;
    p.first = min(max(k, 0), size - 1);
    p.second = min(k + 1, size - 1);
    return p;
}

__device__ __forceinline__ float between(float a, float b, float weight) { return a + (b - a) * weight; }

__device__ __forceinline__ float pixel_at(const uint8_t *row, int x, int c)
{
    return float(load<unsigned char>(row + 3 * int64_t(x) + c));
}

/* Three values of a pixel of y; zeros outside. */
__device__ __forceinline__ void sample(const trib_regions_geometry &g, const trib_region_row *row,
                                       const uint8_t *pictures, int i, int j, float (&values)[3])
{
    const int width = load<int>(&row->picture_width), height = load<int>(&row->picture_height);
    if (load<int>(&row->mirror)) j = g.w - 1 - j;
    const Point x = point_of(load<float>(&row->x), load<float>(&row->width), g.w, j, width);
    const Point y = point_of(load<float>(&row->y), load<float>(&row->height), g.h, i, height);
    if (x.outside || y.outside) return;
    const uintptr_t pixels = reinterpret_cast<uintptr_t>(pictures) + uintptr_t(load<uint64_t>(&row->pixels));
    const uint8_t *above = reinterpret_cast<const uint8_t *>(pixels) + 3 * int64_t(width) * y.first;
    const uint8_t *below = reinterpret_cast<const uint8_t *>(pixels) + 3 * int64_t(width) * y.second;
#pragma unroll
    for (int c = 0; c < 3; ++c) {
        const int source = g.bgr ? 2 - c : c;
        const float top = between(pixel_at(above, x.first, source), pixel_at(above, x.second, source), x.weight);
        const float bottom = between(pixel_at(below, x.first, source), pixel_at(below, x.second, source), x.weight);
        values[c] = normalised(between(top, bottom, y.weight), g.scale[c], g.shift[c]);
    }
}

/* CHUNKS: 8 channels side by side, 16 bytes at a time. */
template <class T, bool CHUNKS>
__global__ void __launch_bounds__(threads)
    regions(trib_regions_geometry g, int blocks, const trib_region_row *rows, const uint8_t *pictures, T *y)
{
    const int n = int(blockIdx.x) / blocks, at = int(blockIdx.x) % blocks * threads + int(threadIdx.x);
    if (at >= g.h * g.w) return;
    float first[3] = {};
    sample(g, rows + n, pictures, at / g.w, at % g.w, first);
    T *pixel = y + n * g.image + at * g.pixel;
    if constexpr (CHUNKS) {
        constexpr int WIDTH = full_width<T>;
        const float values[TRIB_REGIONS_MOST_CHANNELS] = { first[0], first[1], first[2] };
#pragma unroll
        for (int c = 0; c < TRIB_REGIONS_MOST_CHANNELS; c += WIDTH)
            store_chunk(pixel + c, from_floats<T, WIDTH>(values + c));
    } else {
#pragma unroll
        for (int c = 0; c < 3; ++c) store_chunk(pixel + c * g.channel, from_floats<T, 1>(first + c));
        for (int c = 3; c < g.channels; ++c) store_chunk(pixel + c * g.channel, splat<T, 1>(0));
    }
}

trib_status trib_cuda_regions(const trib_regions_geometry *g, trib_dtype dtype, const trib_region_row *rows,
                              const uint8_t *pictures, void *y, void *stream)
{
    const char *name = "regions";
    const int64_t area = int64_t(g->h) * g->w, blocks = ceil_div(area, threads);
    if (area > INT_MAX - threads || blocks * g->n > INT_MAX)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %d images of %dx%d pixels; use a smaller batch", name, g->n, g->h,
                          g->w);
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        const bool chunks =
            g->channel == 1 && g->channels == TRIB_REGIONS_MOST_CHANNELS && in_chunks<T>(y, g->image, g->pixel);
        return launch(name, chunks ? regions<T, true> : regions<T, false>, dim3 { unsigned(blocks * g->n), 1, 1 },
                      threads, 0, stream, *g, int(blocks), rows, pictures, static_cast<T *>(y));
    });
}

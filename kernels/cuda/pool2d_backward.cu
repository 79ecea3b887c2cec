/* SPDX-License-Identifier: Apache-2.0
 * Gradients of pools, gathered: each pixel sums what the windows around it give, in row order, so that nothing is added
 * by two threads. From a window comes its dy where the pixel was its maximum (index says so), or dy divided by the
 * positions that an average counted.
 *
 *     grid.x: one row of dx, channels innermost; grid.y: rows n*H + h; a thread: 16 bytes of channels of one pixel
 *
 * Bound by memory: neighbouring pixels read the same windows, from the L1 cache. The launch bound is as in
 * avg_pool2d.cu. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"
#include "window.cuh"

static constexpr int threads = 256;

/* Windows first .. last of one side; there may be none. */
struct Span {
    int first, last;
};

__device__ __forceinline__ Span windows_around(int position, int pad, int window, int stride, int windows)
{
    const int behind = position + pad - window + 1;
    return { behind > 0 ? (behind + stride - 1) / stride : 0, min(windows - 1, (position + pad) / stride) };
}

/* Window i spans floor(i * extent / windows) .. ceil((i+1) * extent / windows). */
__device__ __forceinline__ Span adaptive_windows_around(int position, int extent, int windows)
{
    return { int(int64_t(position) * windows / extent),
             int(((int64_t(position) + 1) * windows + extent - 1) / extent) - 1 };
}

__device__ __forceinline__ int adaptive_extent(int i, int extent, int windows)
{
    return int(((int64_t(i) + 1) * extent + windows - 1) / windows) - int(int64_t(i) * extent / windows);
}

struct MaxPool {
    trib_window_geometry g;
    const uint8_t *index;
    int i_pitch;
    __device__ Span rows(int h) const { return windows_around(h, g.pad_top, g.r, g.stride_h, g.p); }
    __device__ Span columns(int w) const { return windows_around(w, g.pad_left, g.s, g.stride_w, g.q); }
    template <class T, int WIDTH>
    __device__ void add(const Chunk<T, WIDTH> &dy, int64_t pixel, int c, int h, int w, int p, int q,
                        float (&sums)[WIDTH]) const
    {
        const int here = (h + g.pad_top - p * g.stride_h) * g.s + w + g.pad_left - q * g.stride_w;
        const auto from = load_chunk<uint8_t, WIDTH>(index + pixel * i_pitch + c);
#pragma unroll
        for (int j = 0; j < WIDTH; ++j)
            if (from.v[j] == here) sums[j] += to_float(dy.v[j]);
    }
};

template <class T, int WIDTH>
__device__ __forceinline__ void add_divided(const Chunk<T, WIDTH> &dy, int count, float (&sums)[WIDTH])
{
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) sums[j] += to_float(dy.v[j]) / float(count);
}

struct AveragePool {
    trib_window_geometry g;
    __device__ Span rows(int h) const { return windows_around(h, g.pad_top, g.r, g.stride_h, g.p); }
    __device__ Span columns(int w) const { return windows_around(w, g.pad_left, g.s, g.stride_w, g.q); }
    template <class T, int WIDTH>
    __device__ void add(const Chunk<T, WIDTH> &dy, int64_t, int, int, int, int p, int q, float (&sums)[WIDTH]) const
    {
        const int top = p * g.stride_h - g.pad_top, left = q * g.stride_w - g.pad_left;
        const int counted = (min(top + g.r, g.h + g.pad_bottom) - top) * (min(left + g.s, g.w + g.pad_right) - left);
        add_divided(dy, counted, sums);
    }
};

struct AdaptivePool {
    trib_window_geometry g;
    __device__ Span rows(int h) const { return adaptive_windows_around(h, g.h, g.p); }
    __device__ Span columns(int w) const { return adaptive_windows_around(w, g.w, g.q); }
    template <class T, int WIDTH>
    __device__ void add(const Chunk<T, WIDTH> &dy, int64_t, int, int, int, int p, int q, float (&sums)[WIDTH]) const
    {
        add_divided(dy, adaptive_extent(p, g.h, g.p) * adaptive_extent(q, g.w, g.q), sums);
    }
};

template <class T, int WIDTH, class Pool>
__global__ void __launch_bounds__(threads, 1) pool2d_backward(Pool pool, bool accumulate, const T *dy, T *dx)
{
    const trib_window_geometry &g = pool.g;
    const int chunks = g.c / WIDTH, item = int(blockIdx.x) * threads + int(threadIdx.x);
    if (item >= g.w * chunks) return;
    const int w = item / chunks, c = item % chunks * WIDTH;
    const Span columns = pool.columns(w);
    for (int64_t row = blockIdx.y; row < int64_t(g.n) * g.h; row += gridDim.y) {
        const int h = int(row % g.h);
        const int64_t image = row / g.h * g.p;
        const Span rows = pool.rows(h);
        float sums[WIDTH] = {};
        for (int p = rows.first; p <= rows.last; ++p)
            for (int q = columns.first; q <= columns.last; ++q) {
                const int64_t pixel = (image + p) * g.q + q;
                pool.add(load_chunk<T, WIDTH>(dy + pixel * g.y_pitch + c), pixel, c, h, w, p, q, sums);
            }
        T *out = dx + (row * g.w + w) * g.x_pitch + c;
        if (accumulate) {
            const auto held = load_own_chunk<T, WIDTH>(out);
#pragma unroll
            for (int j = 0; j < WIDTH; ++j) sums[j] += to_float(held.v[j]);
        }
        store_chunk(out, from_floats<T, WIDTH>(sums));
    }
}

template <class T, int WIDTH, class Pool>
static trib_status enqueue_backward(const char *name, const Pool &pool, const void *dy, void *dx, bool accumulate,
                                    void *stream)
{
    const trib_window_geometry &g = pool.g;
    const dim3 grid = { unsigned(ceil_div(int64_t(g.w) * (g.c / WIDTH), threads)), grid_rows(int64_t(g.n) * g.h), 1 };
    return launch(name, pool2d_backward<T, WIDTH, Pool>, grid, threads, 0, stream, pool, accumulate,
                  static_cast<const T *>(dy), static_cast<T *>(dx));
}

trib_status trib_cuda_max_pool2d_backward(const trib_window_geometry *g, trib_dtype dtype, const void *dy,
                                          const uint8_t *index, int i_pitch, void *dx, bool accumulate, void *stream)
{
    const char *name = "max_pool2d_backward";
    const MaxPool pool = { *g, index, i_pitch };
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = full_width<T>;
        if (in_chunks<T>(dy, g->c, g->y_pitch) && in_chunks<T>(dx, g->c, g->x_pitch) &&
            in_chunks<uint8_t, WIDTH>(index, g->c, i_pitch))
            return enqueue_backward<T, WIDTH>(name, pool, dy, dx, accumulate, stream);
        return enqueue_backward<T, 1>(name, pool, dy, dx, accumulate, stream);
    });
}

template <class Pool>
static trib_status average_backward(const char *name, const Pool &pool, trib_dtype dtype, const void *dy, void *dx,
                                    bool accumulate, void *stream)
{
    const trib_window_geometry &g = pool.g;
    return for_type_and_width(name, dtype, g.c, dy, g.y_pitch, dx, g.x_pitch, [&](auto type, auto width) {
        return enqueue_backward<typename decltype(type)::type, decltype(width)::value>(name, pool, dy, dx, accumulate,
                                                                                       stream);
    });
}

trib_status trib_cuda_avg_pool2d_backward(const trib_window_geometry *g, trib_dtype dtype, const void *dy, void *dx,
                                          bool accumulate, void *stream)
{
    return average_backward("avg_pool2d_backward", AveragePool { *g }, dtype, dy, dx, accumulate, stream);
}

trib_status trib_cuda_adaptive_avg_pool2d_backward(const trib_window_geometry *g, trib_dtype dtype, const void *dy,
                                                   void *dx, bool accumulate, void *stream)
{
    return average_backward("adaptive_avg_pool2d_backward", AdaptivePool { *g }, dtype, dy, dx, accumulate, stream);
}

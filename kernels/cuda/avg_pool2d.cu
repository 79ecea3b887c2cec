/* SPDX-License-Identifier: Apache-2.0
 * Average pooling: y[n,p,q,c] = (sum of the window's x inside the image) / (number of the window's positions inside the
 * image and its stated padding). Adaptive: window i of a side of h positions spans floor(i*h/P) .. ceil((i+1)*h/P).
 *
 *     grid.x: one output row, channels innermost; grid.y: output rows n*P + p
 *
 * A thread sums 16 bytes of channels in float32. Large windows (the global average: 49 positions, few outputs) are
 * shared by 8 lanes of a warp, so that many loads are in flight; shuffles add their sums:
 *
 *     lane   0..3: positions 0, 8, 16, ..  of four neighbouring chunks (64 bytes)
 *            4..7: positions 1, 9, 17, ..  of the same chunks                        ... 28..31: positions 7, 15, ..
 *
 * The launch bound is one block per multiprocessor: without it ptxas spills a few registers to fit four, which does not
 * help the loads in flight. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"
#include "window.cuh"

static constexpr int threads = 256;
static constexpr int chunks_side_by_side = 4; /* in a warp, when lanes share windows */
static constexpr int lanes_per_window = 8;
static constexpr int large_window = 2 * lanes_per_window;

/* The part of a window inside the image, and the divisor of its sum. */
__device__ static Window averaged(const trib_window_geometry &g, bool adaptive, int p, int q, float *divisor)
{
    if (!adaptive) {
        const int top = p * g.stride_h - g.pad_top, left = q * g.stride_w - g.pad_left;
        *divisor = float(min(top + g.r, g.h + g.pad_bottom) - top) * float(min(left + g.s, g.w + g.pad_right) - left);
        return window_of(g, p, q);
    }
    const Window w = { int(int64_t(p) * g.h / g.p), int(((int64_t(p) + 1) * g.h + g.p - 1) / g.p),
                       int(int64_t(q) * g.w / g.q), int(((int64_t(q) + 1) * g.w + g.q - 1) / g.q) };
    *divisor = float(w.bottom - w.top) * float(w.right - w.left);
    return w;
}

/* Adds positions first, first + step, ... of the window, counted row by row. */
template <class T, int WIDTH>
__device__ __forceinline__ void add_window(const trib_window_geometry &g, const T *image, const Window &window,
                                           int first, int step, float *sums)
{
    const int width = window.right - window.left, count = width * (window.bottom - window.top);
    if (width <= 0) return;
#pragma unroll 4
    for (int i = first; i < count; i += step) {
        const int h = window.top + i / width, w = window.left + i % width;
        float values[WIDTH];
        to_floats(load_chunk<T, WIDTH>(image + (int64_t(h) * g.w + w) * g.x_pitch), values);
#pragma unroll
        for (int j = 0; j < WIDTH; ++j) sums[j] += values[j];
    }
}

template <class T, int WIDTH, int LANES>
__global__ void __launch_bounds__(threads, 1) avg_pool2d(trib_window_geometry g, bool adaptive, const T *x, T *y)
{
    const int thread = int(blockIdx.x) * threads + int(threadIdx.x), lane = int(threadIdx.x) % 32;
    const int item = LANES == 1 ? thread : thread / 32 * chunks_side_by_side + lane % chunks_side_by_side;
    const int part = LANES == 1 ? 0 : lane / chunks_side_by_side;
    const int chunks = g.c / WIDTH, q = item / chunks, c = item % chunks * WIDTH;
    const bool mine = item < g.q * chunks; /* the others take part in the shuffles */
    for (int64_t row = blockIdx.y; row < int64_t(g.n) * g.p; row += gridDim.y) {
        float sums[WIDTH] = {}, divisor = 1;
        if (mine) {
            const Window window = averaged(g, adaptive, int(row % g.p), q, &divisor);
            add_window<T, WIDTH>(g, image_at(g, x, int(row / g.p), c), window, part, LANES, sums);
        }
        for (int other = chunks_side_by_side; other < chunks_side_by_side * LANES; other *= 2)
#pragma unroll
            for (int j = 0; j < WIDTH; ++j) sums[j] += __shfl_xor_sync(0xFFFFFFFFu, sums[j], other);
        if (!mine || part != 0) continue;
#pragma unroll
        for (int j = 0; j < WIDTH; ++j) sums[j] /= divisor;
        store_chunk(output_at(g, y, row, q, c), relu_if(g.relu, from_floats<T, WIDTH>(sums)));
    }
}

static trib_status average(const char *name, const trib_window_geometry *g, bool adaptive, trib_dtype dtype,
                           const void *x, void *y, void *stream)
{
    const int64_t area = adaptive ? ceil_div(g->h, g->p) * ceil_div(g->w, g->q) : int64_t(g->r) * g->s;
    const int lanes = area >= large_window ? lanes_per_window : 1;
    return for_type_and_width(name, dtype, g->c, x, g->x_pitch, y, g->y_pitch, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const dim3 grid = { unsigned(ceil_div(int64_t(g->q) * (g->c / WIDTH) * lanes, threads)),
                            grid_rows(int64_t(g->n) * g->p), 1 };
        const auto kernel = lanes == 1 ? avg_pool2d<T, WIDTH, 1> : avg_pool2d<T, WIDTH, lanes_per_window>;
        return launch(name, kernel, grid, threads, 0, stream, *g, adaptive, static_cast<const T *>(x),
                      static_cast<T *>(y));
    });
}

trib_status trib_cuda_avg_pool2d(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y, void *stream)
{
    return average("avg_pool2d", g, false, dtype, x, y, stream);
}

trib_status trib_cuda_adaptive_avg_pool2d(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y,
                                          void *stream)
{
    return average("adaptive_avg_pool2d", g, true, dtype, x, y, stream);
}

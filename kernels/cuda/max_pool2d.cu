/* SPDX-License-Identifier: Apache-2.0
 * Max pooling: y[n,p,q,c] = the largest x[n,h,w,c] of the window that starts at (p*stride_h - pad_top, q*stride_w -
 * pad_left). Positions outside the image never win; NaN always does.
 *
 *     grid.x: blocks of 256 threads over one output row, channels innermost   |q0: c0 c1 .. |q1: c0 c1 .. | ...
 *     grid.y: output rows n*P + p
 *
 * A thread computes 16 bytes of channels of one output: neighbouring threads read neighbouring addresses, and
 * overlapping windows share the L1 cache. The kernel is bound by memory: of r*s/stride^2 loads, 1 goes beyond the
 * cache. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"
#include "window.cuh"

static constexpr int threads = 256;

template <class T, int WIDTH, int WINDOW>
__global__ void __launch_bounds__(threads) max_pool2d(trib_window_geometry g, const T *x, T *y)
{
    const int chunks = g.c / WIDTH, item = int(blockIdx.x) * threads + int(threadIdx.x);
    if (item >= g.q * chunks) return;
    const int q = item / chunks, c = item % chunks * WIDTH;
    for (int64_t row = blockIdx.y; row < int64_t(g.n) * g.p; row += gridDim.y) {
        const int n = int(row / g.p), p = int(row % g.p);
        const T *image = image_at(g, x, n, c);
        const auto best = max_of_window<WINDOW, T, WIDTH>(window_of(g, p, q), [&](int h, int w) {
            return load_chunk<T, WIDTH>(image + (int64_t(h) * g.w + w) * g.x_pitch);
        });
        store_chunk(output_at(g, y, row, q, c), relu_if(g.relu, best));
    }
}

trib_status trib_cuda_max_pool2d(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y, void *stream)
{
    const char *name = "max_pool2d";
    return for_type_and_width(name, dtype, g->c, x, g->x_pitch, y, g->y_pitch, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const dim3 grid = { unsigned(ceil_div(int64_t(g->q) * (g->c / WIDTH), threads)),
                            grid_rows(int64_t(g->n) * g->p), 1 };
        const auto kernel = g->r == 3 && g->s == 3 ? max_pool2d<T, WIDTH, 3> : max_pool2d<T, WIDTH, 0>;
        return launch(name, kernel, grid, threads, 0, stream, *g, static_cast<const T *>(x), static_cast<T *>(y));
    });
}

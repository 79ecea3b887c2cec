/* SPDX-License-Identifier: Apache-2.0
 * Max pooling that keeps where each maximum was, in a byte: r * S + s of the first largest, counted from the window's
 * corner; the last NaN wins, as in PyTorch. Blocks and threads as in max_pool2d.cu; index and y lie
 * alike. One block per multiprocessor is the bound for the reason given in avg_pool2d.cu. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"
#include "window.cuh"

static constexpr int threads = 256;

/* The best of each channel so far, and where it was. */
template <int WIDTH>
struct Best {
    float value[WIDTH];
    Chunk<uint8_t, WIDTH> index;
};

template <class T, int WIDTH>
__device__ __forceinline__ void consider(const Chunk<T, WIDTH> &chunk, int index, bool first, Best<WIDTH> *best)
{
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) {
        const float value = to_float(chunk.v[j]);
        if (!first && !(value > best->value[j]) && value == value) continue;
        best->value[j] = value;
        best->index.v[j] = uint8_t(index);
    }
}

/* WINDOW = 3: the nine loads of a 3x3 window are in flight at once. Positions outside repeat one inside, later: neither
 * the first largest nor the last NaN is another one then. */
template <int WINDOW, class T, int WIDTH>
__device__ __forceinline__ Best<WIDTH> best_of(const trib_window_geometry &g, const T *image, int p, int q)
{
    const int top = p * g.stride_h - g.pad_top, left = q * g.stride_w - g.pad_left;
    const Window w = window_of(g, p, q);
    const auto at = [&](int h, int column) {
        return load_chunk<T, WIDTH>(image + (int64_t(h) * g.w + column) * g.x_pitch);
    };
    Best<WIDTH> best = {};
    if (w.bottom <= w.top || w.right <= w.left) return best;
    if constexpr (WINDOW != 0) {
        Chunk<T, WIDTH> values[WINDOW * WINDOW];
#pragma unroll
        for (int i = 0; i < WINDOW * WINDOW; ++i)
            values[i] = at(min(w.top + i / WINDOW, w.bottom - 1), min(w.left + i % WINDOW, w.right - 1));
#pragma unroll
        for (int i = 0; i < WINDOW * WINDOW; ++i)
            consider(values[i],
                     (min(w.top + i / WINDOW, w.bottom - 1) - top) * g.s + min(w.left + i % WINDOW, w.right - 1) - left,
                     i == 0, &best);
    } else {
        for (int h = w.top; h < w.bottom; ++h)
            for (int column = w.left; column < w.right; ++column)
                consider(at(h, column), (h - top) * g.s + column - left, h == w.top && column == w.left, &best);
    }
    return best;
}

template <class T, int WIDTH, int WINDOW>
__global__ void __launch_bounds__(threads, 1)
    max_pool2d_indexed(trib_window_geometry g, const T *x, T *y, uint8_t *index, int i_pitch)
{
    const int chunks = g.c / WIDTH, item = int(blockIdx.x) * threads + int(threadIdx.x);
    if (item >= g.q * chunks) return;
    const int q = item / chunks, c = item % chunks * WIDTH;
    for (int64_t row = blockIdx.y; row < int64_t(g.n) * g.p; row += gridDim.y) {
        const auto best = best_of<WINDOW, T, WIDTH>(g, image_at(g, x, int(row / g.p), c), int(row % g.p), q);
        store_chunk(output_at(g, y, row, q, c), relu_if(g.relu, from_floats<T, WIDTH>(best.value)));
        store_chunk(index + (row * g.q + q) * i_pitch + c, best.index);
    }
}

trib_status trib_cuda_max_pool2d_indexed(const trib_window_geometry *g, trib_dtype dtype, const void *x, void *y,
                                         uint8_t *index, int i_pitch, void *stream)
{
    const char *name = "max_pool2d_indexed";
    if (int64_t(g->r) * g->s > 256)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: a byte has no room for a position in a window of %dx%d", name, g->r,
                          g->s);
    const auto run = [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const dim3 grid = { unsigned(ceil_div(int64_t(g->q) * (g->c / WIDTH), threads)),
                            grid_rows(int64_t(g->n) * g->p), 1 };
        const auto kernel = g->r == 3 && g->s == 3 ? max_pool2d_indexed<T, WIDTH, 3> : max_pool2d_indexed<T, WIDTH, 0>;
        return launch(name, kernel, grid, threads, 0, stream, *g, static_cast<const T *>(x), static_cast<T *>(y), index,
                      i_pitch);
    };
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = full_width<T>;
        if (in_chunks<T>(x, g->c, g->x_pitch) && in_chunks<T>(y, g->c, g->y_pitch) &&
            in_chunks<uint8_t, WIDTH>(index, g->c, i_pitch))
            return run(type, Constant<WIDTH>());
        return run(type, Constant<1>());
    });
}

/* SPDX-License-Identifier: Apache-2.0
 * Windows of pooling. */
#ifndef TRIBUTARY_WINDOW_CUH
#define TRIBUTARY_WINDOW_CUH

#include "chunk.cuh"
#include "tributary/kernels.h"

/* Rows [top, bottom) and columns [left, right) of an image. */
struct Window {
    int top, bottom, left, right;
};

/* The part of the window of output (p, q) that is inside the image. Empty if bottom <= top or right <= left. */
__device__ __forceinline__ Window window_of(const trib_window_geometry &g, int p, int q)
{
    const int top = p * g.stride_h - g.pad_top, left = q * g.stride_w - g.pad_left;
    return { max(0, top), min(g.h, top + g.r), max(0, left), min(g.w, left + g.s) };
}

/* The largest of each channel; at(h, w) gives a chunk of a position. WINDOW = 3: a 3x3 window's nine loads are all in
 * flight at once; positions outside repeat one inside, which changes no maximum. WINDOW = 0: any window. */
template <int WINDOW, class T, int WIDTH, class F>
__device__ __forceinline__ Chunk<T, WIDTH> max_of_window(const Window &w, F at)
{
    Chunk<T, WIDTH> best = splat<T, WIDTH>(-INFINITY);
    if (w.bottom <= w.top || w.right <= w.left) return best;
    if constexpr (WINDOW != 0) {
        Chunk<T, WIDTH> values[WINDOW * WINDOW];
#pragma unroll
        for (int i = 0; i < WINDOW * WINDOW; ++i)
            values[i] = at(min(w.top + i / WINDOW, w.bottom - 1), min(w.left + i % WINDOW, w.right - 1));
#pragma unroll
        for (int i = 0; i < WINDOW * WINDOW; ++i) best = larger(best, values[i]);
    } else {
        for (int h = w.top; h < w.bottom; ++h)
            for (int column = w.left; column < w.right; ++column) best = larger(best, at(h, column));
    }
    return best;
}

/* Image `n` of the input, at channel c. */
template <class T>
__device__ __forceinline__ const T *image_at(const trib_window_geometry &g, const T *x, int n, int c)
{
    return x + int64_t(n) * g.h * g.w * g.x_pitch + c;
}

template <class T>
__device__ __forceinline__ T *output_at(const trib_window_geometry &g, T *y, int64_t row, int q, int c)
{
    return y + (row * g.q + q) * g.y_pitch + c; /* row = n*P + p */
}

#endif

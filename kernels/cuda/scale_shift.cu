/* SPDX-License-Identifier: Apache-2.0
 * y[row,c] = x[row,c] * scale[c] + shift[c]: batch normalisation at inference.
 *
 *     a thread:   16 bytes of channels of 4 rows      rows 4i    | thread 0 | thread 1 | .. | thread chunks-1 |
 *                                                          4i+1  | thread 0 | ...
 *
 * Scale and shift of 8 channels are 64 bytes, four times the bytes of a chunk, so they are read once for 4 rows.
 * Bound by memory; the 4 loads of a thread are in flight together. */
#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256, rows_per_thread = 4;

template <class T, int WIDTH>
__global__ void __launch_bounds__(threads)
    scale_shift(trib_pixel_geometry g, const T *x, const float *scale, const float *shift, T *y)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x;
    const int chunks = g.c / WIDTH;
    const int64_t group = item / chunks, first = group * rows_per_thread;
    const int c = int(item - group * chunks) * WIDTH;
    if (first >= g.rows) return;
    Chunk<T, WIDTH> in[rows_per_thread];
#pragma unroll
    for (int i = 0; i < rows_per_thread; ++i) /* beyond the end, repeat the last row */
        in[i] = load_chunk<T, WIDTH>(x + min(first + i, g.rows - 1) * g.x_pitch + c);
    float scales[WIDTH], shifts[WIDTH];
    load_floats<WIDTH>(scale + c, scales);
    load_floats<WIDTH>(shift + c, shifts);
#pragma unroll
    for (int i = 0; i < rows_per_thread; ++i) {
        if (first + i >= g.rows) return;
        float values[WIDTH];
        to_floats(in[i], values);
#pragma unroll
        for (int j = 0; j < WIDTH; ++j) values[j] = fmaf(values[j], scales[j], shifts[j]);
        store_chunk(y + (first + i) * g.y_pitch + c, relu_if(g.relu, from_floats<T, WIDTH>(values)));
    }
}

trib_status trib_cuda_scale_shift(const trib_pixel_geometry *g, trib_dtype dtype, const void *x, const float *scale,
                                  const float *shift, void *y, void *stream)
{
    const char *name = "scale_shift";
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = full_width<T>;
        const bool wide = in_chunks<T>(x, g->c, g->x_pitch) && in_chunks<T>(y, g->c, g->y_pitch) &&
                          in_chunks<float>(scale, g->c, 0) && in_chunks<float>(shift, g->c, 0);
        const int64_t items = ceil_div(g->rows, rows_per_thread) * (wide ? g->c / WIDTH : g->c);
        return launch(name, wide ? scale_shift<T, WIDTH> : scale_shift<T, 1>,
                      dim3 { unsigned(ceil_div(items, threads)), 1, 1 }, threads, 0, stream, *g,
                      static_cast<const T *>(x), scale, shift, static_cast<T *>(y));
    });
}

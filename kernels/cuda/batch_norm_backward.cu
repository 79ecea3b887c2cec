/* SPDX-License-Identifier: Apache-2.0
 * Batch norm's gradient, with the ReLU behind it. With x^ = (x - mean) / deviation and dy as 0 where the ReLU was
 * closed:
 *
 *     1. sums of dy and of dy x                                row_sums.cuh; reads dy and x
 *     2. dbias = sum of dy, dweight = sum of dy x^ = (sum of dy x - mean * sum of dy) / deviation
 *     3. dx = scale * (dy - dbias / rows - x^ dweight / rows)  reads both again, writes dx
 *
 * Whether the ReLU was open is the sign of x * scale + shift, as the forward computed it: no mask is kept. */
#include "row_sums.cuh"
#include "tributary/internal/kernels_cuda.h"

/* Of WIDTH channels: the rows of `saved`. */
template <int WIDTH>
struct Saved {
    float scale[WIDTH], shift[WIDTH], mean[WIDTH], inverse[WIDTH];
};

template <int WIDTH>
__device__ __forceinline__ Saved<WIDTH> load_saved(const float *saved, int channels, int c)
{
    Saved<WIDTH> s;
    load_floats<WIDTH>(saved + c, s.scale);
    load_floats<WIDTH>(saved + channels + c, s.shift);
    load_floats<WIDTH>(saved + 2 * int64_t(channels) + c, s.mean);
    load_floats<WIDTH>(saved + 3 * int64_t(channels) + c, s.inverse);
    return s;
}

/* The same pixel of dy and of x. */
template <class T, int WIDTH>
struct Pair {
    Chunk<T, WIDTH> dy, x;
};

template <class T, int WIDTH>
__device__ __forceinline__ Pair<T, WIDTH> load_pair(const trib_gradient_geometry &g, const T *dy, const T *x,
                                                    int64_t row, int c)
{
    return { load_own_chunk<T, WIDTH>(dy + row * g.dy_pitch + c), load_chunk<T, WIDTH>(x + row * g.x_pitch + c) };
}

/* What comes back through the ReLU. */
template <class T, int WIDTH>
__device__ __forceinline__ float passed(bool relu, const Saved<WIDTH> &s, const Pair<T, WIDTH> &in, int j)
{
    return relu && fmaf(to_float(in.x.v[j]), s.scale[j], s.shift[j]) <= 0 ? 0.0f : to_float(in.dy.v[j]);
}

template <class T, int WIDTH>
__device__ __forceinline__ float normalised(const Saved<WIDTH> &s, const Pair<T, WIDTH> &in, int j)
{
    return (to_float(in.x.v[j]) - s.mean[j]) * s.inverse[j];
}

template <class T, int WIDTH>
__global__ void __launch_bounds__(sum_threads, 1)
    gradient_sums(RowSums sums_of, trib_gradient_geometry g, bool relu, const T *dy, const T *x, const float *saved)
{
    const int channel = (int(blockIdx.x) * sums_of.lanes + int(threadIdx.x) % sums_of.lanes) * WIDTH;
    Saved<WIDTH> s = {};
    if (channel < g.c) s = load_saved<WIDTH>(saved, g.c, channel);
    sum_rows<2, WIDTH>(
        sums_of, [&](int64_t row, int c) { return load_pair<T, WIDTH>(g, dy, x, row, c); },
        [&](const Pair<T, WIDTH> &in, int64_t, int, double(&sums)[2][WIDTH]) {
#pragma unroll
            for (int j = 0; j < WIDTH; ++j) {
                const double d = double(passed(relu, s, in, j));
                sums[0][j] += d;
                sums[1][j] += d * double(to_float(in.x.v[j]));
            }
        });
}

template <class T>
__global__ void __launch_bounds__(sum_threads, 1) finish_gradients(RowSums s, const float *saved, T *dweight, T *dbias)
{
    add_parts<2>(s, [&](int c, const double(&sums)[2]) {
        const double mean = double(load<float>(saved + 2 * int64_t(s.c) + c));
        const double inverse = double(load<float>(saved + 3 * int64_t(s.c) + c));
        store(dbias + c, float(sums[0]));
        store(dweight + c, float((sums[1] - mean * sums[0]) * inverse));
    });
}

/* A thread: 16 bytes of channels of 4 rows, as in scale_shift.cu. */
template <class T, int WIDTH>
__global__ void __launch_bounds__(sum_threads, 1)
    apply_gradient(trib_gradient_geometry g, bool relu, float inverse_rows, const T *dy, const T *x, const float *saved,
                   const float *dweight, const float *dbias, T *dx)
{
    const int64_t item = int64_t(blockIdx.x) * sum_threads + threadIdx.x;
    const int chunks = g.c / WIDTH;
    const int64_t group = item / chunks, first = group * rows_in_flight;
    const int c = int(item - group * chunks) * WIDTH;
    if (first >= g.rows) return;
    Pair<T, WIDTH> in[rows_in_flight] = {};
#pragma unroll
    for (int i = 0; i < rows_in_flight; ++i)
        if (first + i < g.rows) in[i] = load_pair<T, WIDTH>(g, dy, x, first + i, c);
    const Saved<WIDTH> s = load_saved<WIDTH>(saved, g.c, c);
    float of_x[WIDTH], of_one[WIDTH];
    load_floats<WIDTH>(dweight + c, of_x);
    load_floats<WIDTH>(dbias + c, of_one);
#pragma unroll
    for (int i = 0; i < rows_in_flight; ++i) {
        if (first + i >= g.rows) return;
        float values[WIDTH];
#pragma unroll
        for (int j = 0; j < WIDTH; ++j)
            values[j] = s.scale[j] * (passed(relu, s, in[i], j) - of_one[j] * inverse_rows -
                                      normalised(s, in[i], j) * (of_x[j] * inverse_rows));
        store_chunk(dx + (first + i) * g.dx_pitch + c, from_floats<T, WIDTH>(values));
    }
}

trib_status trib_cuda_batch_norm_backward(const trib_gradient_geometry *g, bool relu, trib_dtype dtype, const void *dy,
                                          const void *x, const float *saved, void *dx, float *dweight, float *dbias,
                                          void *workspace, void *stream)
{
    const char *name = "batch_norm_backward";
    const Slice slices[] = { { dy, g->dy_pitch }, { x, g->x_pitch }, { dx, g->dx_pitch } };
    return for_type_and_width(name, dtype, g->c, slices, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const RowSums s = row_sums_of(g->rows, g->c, WIDTH, workspace);
        const auto *from = static_cast<const T *>(dy), *in = static_cast<const T *>(x);
        TRIB_TRY(launch(name, gradient_sums<T, WIDTH>, sums_grid(s, WIDTH), sum_threads, 0, stream, s, *g, relu, from,
                        in, saved));
        TRIB_TRY(
            launch(name, finish_gradients<float>, finish_grid(g->c), sum_threads, 0, stream, s, saved, dweight, dbias));
        const dim3 grid = { unsigned(ceil_div(ceil_div(g->rows, rows_in_flight) * (g->c / WIDTH), sum_threads)), 1, 1 };
        return launch(name, apply_gradient<T, WIDTH>, grid, sum_threads, 0, stream, *g, relu, 1.0f / float(g->rows),
                      from, in, saved, dweight, dbias, static_cast<T *>(dx));
    });
}

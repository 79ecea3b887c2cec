/* SPDX-License-Identifier: Apache-2.0
 * dx = dy where y > 0, otherwise 0, with the sum of dx over rows, the gradient of the bias before the ReLU, from the
 * same pass; and that sum alone, of dy. */
#include "row_sums.cuh"
#include "tributary/internal/kernels_cuda.h"

template <class T, int WIDTH>
struct Passing {
    Chunk<T, WIDTH> dy, y;
};

template <class T, int WIDTH>
__device__ __forceinline__ void add_chunk(const Chunk<T, WIDTH> &chunk, double (&sums)[1][WIDTH])
{
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) sums[0][j] += double(to_float(chunk.v[j]));
}

template <class T, int WIDTH>
__global__ void __launch_bounds__(sum_threads, 1)
    relu_backward(RowSums s, trib_gradient_geometry g, const T *dy, const T *y, T *dx)
{
    sum_rows<1, WIDTH>(
        s,
        [&](int64_t row, int c) {
            return Passing<T, WIDTH> { load_own_chunk<T, WIDTH>(dy + row * g.dy_pitch + c),
                                       load_chunk<T, WIDTH>(y + row * g.x_pitch + c) };
        },
        [&](Passing<T, WIDTH> in, int64_t row, int c, double(&sums)[1][WIDTH]) {
#pragma unroll
            for (int j = 0; j < WIDTH; ++j)
                if (!(to_float(in.y.v[j]) > 0)) from_float(0, &in.dy.v[j]);
            store_chunk(dx + row * g.dx_pitch + c, in.dy);
            add_chunk(in.dy, sums);
        });
}

template <class T, int WIDTH>
__global__ void __launch_bounds__(sum_threads, 1) bias_sums(RowSums s, int pitch, const T *dy)
{
    sum_rows<1, WIDTH>(
        s, [&](int64_t row, int c) { return load_chunk<T, WIDTH>(dy + row * pitch + c); },
        [](const Chunk<T, WIDTH> &in, int64_t, int, double(&sums)[1][WIDTH]) { add_chunk(in, sums); });
}

template <class T>
__global__ void __launch_bounds__(sum_threads, 1) finish_bias(RowSums s, T *db)
{
    add_parts<1>(s, [&](int c, const double(&sums)[1]) { store(db + c, float(sums[0])); });
}

static trib_status add_up(const char *name, const RowSums &s, float *db, void *stream)
{
    return launch(name, finish_bias<float>, finish_grid(s.c), sum_threads, 0, stream, s, db);
}

trib_status trib_cuda_relu_backward(const trib_gradient_geometry *g, trib_dtype dtype, const void *dy, const void *y,
                                    void *dx, float *db, void *workspace, void *stream)
{
    const char *name = "relu_backward";
    const Slice slices[] = { { dy, g->dy_pitch }, { y, g->x_pitch }, { dx, g->dx_pitch } };
    return for_type_and_width(name, dtype, g->c, slices, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const RowSums s = row_sums_of(g->rows, g->c, WIDTH, db ? workspace : nullptr);
        TRIB_TRY(launch(name, relu_backward<T, WIDTH>, sums_grid(s, WIDTH), sum_threads, 0, stream, s, *g,
                        static_cast<const T *>(dy), static_cast<const T *>(y), static_cast<T *>(dx)));
        return db ? add_up(name, s, db, stream) : trib_success();
    });
}

trib_status trib_cuda_bias_backward(const trib_gradient_geometry *g, trib_dtype dtype, const void *dy, float *db,
                                    void *workspace, void *stream)
{
    const char *name = "bias_backward";
    const Slice slices[] = { { dy, g->dy_pitch } };
    return for_type_and_width(name, dtype, g->c, slices, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const RowSums s = row_sums_of(g->rows, g->c, WIDTH, workspace);
        TRIB_TRY(launch(name, bias_sums<T, WIDTH>, sums_grid(s, WIDTH), sum_threads, 0, stream, s, g->dy_pitch,
                        static_cast<const T *>(dy)));
        return add_up(name, s, db, stream);
    });
}

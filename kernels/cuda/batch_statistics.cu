/* SPDX-License-Identifier: Apache-2.0
 * Batch norm's statistics: mean and variance of each channel over all rows, what a scale_shift needs to apply them, and
 * the running statistics. Sums of x and x^2 in row_sums.cuh; in double E[x^2] - E[x]^2 loses nothing that float32
 * values have. */
#include "row_sums.cuh"
#include "tributary/internal/kernels_cuda.h"

template <class T, int WIDTH>
__global__ void __launch_bounds__(sum_threads, 1) batch_sums(RowSums s, int pitch, const T *x)
{
    sum_rows<2, WIDTH>(
        s, [&](int64_t row, int c) { return load_chunk<T, WIDTH>(x + row * pitch + c); },
        [](const Chunk<T, WIDTH> &in, int64_t, int, double(&sums)[2][WIDTH]) {
#pragma unroll
            for (int j = 0; j < WIDTH; ++j) {
                const double value = double(to_float(in.v[j]));
                sums[0][j] += value;
                sums[1][j] += value * value;
            }
        });
}

__device__ __forceinline__ void move_running(float *running, double batch, float momentum)
{
    const double kept = (1 - double(momentum)) * double(load_own<float>(running));
    store(running, float(kept + double(momentum) * batch));
}

template <class T>
__global__ void __launch_bounds__(sum_threads, 1)
    finish_statistics(RowSums s, trib_batch_norm_parameters p, T *saved, T *running_mean, T *running_var)
{
    add_parts<2>(s, [&](int c, const double(&sums)[2]) {
        const double rows = double(s.rows), mean = sums[0] / rows, around = sums[1] / rows - mean * mean;
        const double variance = around < 0 ? 0.0 : around; /* NaN stays */
        const double inverse = 1 / sqrt(variance + double(p.eps)), scale = double(load<float>(p.weight + c)) * inverse;
        store(saved + c, float(scale));
        store(saved + s.c + c, float(double(load<float>(p.bias + c)) - mean * scale));
        store(saved + 2 * int64_t(s.c) + c, float(mean));
        store(saved + 3 * int64_t(s.c) + c, float(inverse));
        move_running(running_mean + c, mean, p.momentum);
        move_running(running_var + c, rows > 1 ? variance * (rows / (rows - 1)) : variance, p.momentum);
    });
}

int64_t trib_cuda_row_sums_workspace(int64_t rows, int c) { return row_sums_bytes(rows, c); }

trib_status trib_cuda_batch_statistics(const trib_pixel_geometry *g, trib_dtype dtype, const void *x,
                                       const trib_batch_norm_parameters *p, float *saved, float *running_mean,
                                       float *running_var, void *workspace, void *stream)
{
    const char *name = "batch_statistics";
    const Slice slices[] = { { x, g->x_pitch } };
    TRIB_TRY(for_type_and_width(name, dtype, g->c, slices, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const RowSums s = row_sums_of(g->rows, g->c, WIDTH, workspace);
        return launch(name, batch_sums<T, WIDTH>, sums_grid(s, WIDTH), sum_threads, 0, stream, s, g->x_pitch,
                      static_cast<const T *>(x));
    }));
    const RowSums s = row_sums_of(g->rows, g->c, 1, workspace);
    return launch(name, finish_statistics<float>, finish_grid(g->c), sum_threads, 0, stream, s, *p, saved, running_mean,
                  running_var);
}

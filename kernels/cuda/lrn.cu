/* SPDX-License-Identifier: Apache-2.0
 * Local response normalisation, formula in lrn.cuh.
 *
 * A thread normalises 16 bytes of channels of one pixel; the two neighbouring chunks it also reads are its neighbours'
 * own and come from the L1 cache. Where 16 bytes are not possible, a thread does one channel and reads its window
 * channel by channel. */
#include "lrn.cuh"

static constexpr int threads = 256;

template <class T, int SIZE>
__global__ void __launch_bounds__(threads) lrn_chunks(trib_pixel_geometry g, Lrn lrn, const T *x, T *y)
{
    constexpr int WIDTH = full_width<T>;
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x;
    const int chunks = g.c / WIDTH, c = int(item % chunks) * WIDTH;
    const int64_t row = item / chunks;
    if (row >= g.rows) return;
    const auto result = load_normalised<SIZE, T, WIDTH>(lrn, x + row * g.x_pitch, c, g.c);
    store_chunk(y + row * g.y_pitch + c, relu_if(g.relu, result));
}

template <class T>
__global__ void __launch_bounds__(threads) lrn_single_channels(trib_pixel_geometry g, Lrn lrn, const T *x, T *y)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x, row = item / g.c;
    const int c = int(item % g.c);
    if (row >= g.rows) return;
    const T *pixel = x + row * g.x_pitch;
    float sum = 0;
    for (int i = max(0, c - lrn.before); i <= min(g.c - 1, c + lrn.after); ++i) {
        const float value = to_float(load_chunk<T, 1>(pixel + i).v[0]);
        sum += value * value;
    }
    const float value = to_float(load_chunk<T, 1>(pixel + c).v[0]) * power(lrn.k + lrn.scale * sum, lrn.beta);
    store_chunk(y + row * g.y_pitch + c, relu_if(g.relu, from_floats<T, 1>(&value)));
}

trib_status trib_cuda_lrn(const trib_pixel_geometry *g, const trib_lrn_coefficients *coefficients, trib_dtype dtype,
                          const void *x, void *y, void *stream)
{
    const char *name = "lrn";
    Lrn lrn = {};
    TRIB_TRY(lrn_of(name, coefficients, &lrn));
    return for_type_and_width(name, dtype, g->c, x, g->x_pitch, y, g->y_pitch, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        constexpr int WIDTH = decltype(width)::value;
        const dim3 grid = { unsigned(ceil_div(g->rows * (g->c / WIDTH), threads)), 1, 1 };
        const auto chunks = coefficients->size == 5 ? lrn_chunks<T, 5> : lrn_chunks<T, 0>;
        const auto kernel = WIDTH == 1 ? lrn_single_channels<T> : chunks;
        return launch(name, kernel, grid, threads, 0, stream, *g, lrn, static_cast<const T *>(x), static_cast<T *>(y));
    });
}

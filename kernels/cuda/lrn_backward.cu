/* SPDX-License-Identifier: Apache-2.0
 * Gradient of y[i] = x[i] s[i]^-beta, with s[i] = k + alpha/size * (sum of x^2 over the window of i):
 *     dx[c] = dy[c] s[c]^-beta - 2 alpha beta / size * x[c] * (sum over the i whose window has c of dy[i] x[i]
 *     s[i]^(-beta-1))
 *
 * s is computed again: it costs less than its memory. A window of 5: a thread computes 16 bytes of channels of one
 * pixel from three neighbouring chunks of x and of dy, which come from the L1 cache. Other windows, and channels that
 * are no multiple of 16 bytes: a thread per channel. */
#include "lrn.cuh"

static constexpr int threads = 256;

/* x or dy of a chunk and REACH channels more on each side; zeros stand for channels that do not exist. */
template <class T, int WIDTH, int REACH>
__device__ __forceinline__ void load_around(const T *pixel, int c, int channels, float (&out)[WIDTH + 2 * REACH])
{
    const auto zeros = splat<T, WIDTH>(0);
    const auto left = c > 0 ? load_chunk<T, WIDTH>(pixel + c - WIDTH) : zeros;
    const auto right = c + WIDTH < channels ? load_chunk<T, WIDTH>(pixel + c + WIDTH) : zeros;
    to_floats(load_chunk<T, WIDTH>(pixel + c), out + REACH);
#pragma unroll
    for (int i = 0; i < REACH; ++i) {
        out[i] = to_float(left.v[WIDTH - REACH + i]);
        out[REACH + WIDTH + i] = to_float(right.v[i]);
    }
}

template <class T>
__global__ void __launch_bounds__(threads)
    lrn_backward_chunks(trib_gradient_geometry g, Lrn lrn, const T *dy, const T *x, T *dx)
{
    constexpr int WIDTH = full_width<T>, SIDE = 2, REACH = 2 * SIDE; /* of dy and s; of x */
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x;
    const int chunks = g.c / WIDTH, c = int(item % chunks) * WIDTH;
    const int64_t row = item / chunks;
    if (row >= g.rows) return;
    float values[WIDTH + 2 * REACH], gradients[WIDTH + 2 * SIDE], direct[WIDTH + 2 * SIDE], shares[WIDTH + 2 * SIDE];
    load_around<T, WIDTH, REACH>(x + row * g.x_pitch, c, g.c, values);
    load_around<T, WIDTH, SIDE>(dy + row * g.dy_pitch, c, g.c, gradients);
#pragma unroll
    for (int i = 0; i < WIDTH + 2 * SIDE; ++i) {
        float sum = 0;
#pragma unroll
        for (int d = -SIDE; d <= SIDE; ++d) sum += values[i + SIDE + d] * values[i + SIDE + d];
        const float s = lrn.k + lrn.scale * sum;
        const bool exists = c + i - SIDE >= 0 && c + i - SIDE < g.c;
        direct[i] = gradients[i] * power(s, lrn.beta);
        shares[i] = exists ? direct[i] * values[i + SIDE] / s : 0; /* elsewhere s may be 0 */
    }
    float result[WIDTH];
#pragma unroll
    for (int j = 0; j < WIDTH; ++j) {
        float sum = 0;
#pragma unroll
        for (int d = 0; d <= 2 * SIDE; ++d) sum += shares[j + d];
        result[j] = direct[j + SIDE] - 2 * lrn.scale * lrn.beta * values[j + REACH] * sum;
    }
    store_chunk(dx + row * g.dx_pitch + c, from_floats<T, WIDTH>(result));
}

template <class T>
__device__ __forceinline__ float at(const T *pixel, int c)
{
    return to_float(load_chunk<T, 1>(pixel + c).v[0]);
}

template <class T>
__device__ __forceinline__ float scale_at(const Lrn &lrn, const T *pixel, int c, int channels)
{
    float sum = 0;
    for (int i = max(0, c - lrn.before); i <= min(channels - 1, c + lrn.after); ++i) sum += at(pixel, i) * at(pixel, i);
    return lrn.k + lrn.scale * sum;
}

template <class T>
__global__ void __launch_bounds__(threads)
    lrn_backward_single_channels(trib_gradient_geometry g, Lrn lrn, const T *dy, const T *x, T *dx)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x, row = item / g.c;
    const int c = int(item % g.c);
    if (row >= g.rows) return;
    const T *pixel = x + row * g.x_pitch, *gradients = dy + row * g.dy_pitch;
    float sum = 0;
    for (int i = max(0, c - lrn.after); i <= min(g.c - 1, c + lrn.before); ++i) {
        const float s = scale_at(lrn, pixel, i, g.c);
        sum += at(gradients, i) * power(s, lrn.beta) * at(pixel, i) / s;
    }
    const float value = at(gradients, c) * power(scale_at(lrn, pixel, c, g.c), lrn.beta) -
                        2 * lrn.scale * lrn.beta * at(pixel, c) * sum;
    store_chunk(dx + row * g.dx_pitch + c, from_floats<T, 1>(&value));
}

trib_status trib_cuda_lrn_backward(const trib_gradient_geometry *g, const trib_lrn_coefficients *coefficients,
                                   trib_dtype dtype, const void *dy, const void *x, void *dx, void *stream)
{
    const char *name = "lrn_backward";
    const Slice slices[] = { { dy, g->dy_pitch }, { x, g->x_pitch }, { dx, g->dx_pitch } };
    Lrn lrn = {};
    TRIB_TRY(lrn_of(name, coefficients, &lrn));
    return for_type_and_width(name, dtype, g->c, slices, [&](auto type, auto width) {
        using T = typename decltype(type)::type;
        const bool in_fives = decltype(width)::value > 1 && coefficients->size == 5;
        const dim3 grid = { unsigned(ceil_div(g->rows * (in_fives ? g->c / full_width<T> : g->c), threads)), 1, 1 };
        const auto kernel = in_fives ? lrn_backward_chunks<T> : lrn_backward_single_channels<T>;
        return launch(name, kernel, grid, threads, 0, stream, *g, lrn, static_cast<const T *>(dy),
                      static_cast<const T *>(x), static_cast<T *>(dx));
    });
}

/* SPDX-License-Identifier: Apache-2.0
 * Max pooling, then local response normalisation of the result, in one pass (GoogLeNet: pool1/3x3_s2, pool1/norm1):
 * the pooled image is neither written nor read back.
 *
 *     a block: some outputs of one row, all their channels       threads:  |q0: c0 c1 .. |q1: c0 c1 .. | ...
 *     1. each thread pools 16 bytes of channels, and puts them in shared memory
 *     2. each normalises its own, and reads its neighbours' from there
 *
 * Pooling is exact in every storage type, so the result is bit for bit that of the two separate kernels. */
#include "lrn.cuh"
#include "window.cuh"

static constexpr int usual_threads = 256, most_threads = 1024;

template <class T, int SIZE, int WINDOW>
__global__ void __launch_bounds__(most_threads) max_pool2d_lrn(trib_window_geometry g, Lrn lrn, const T *x, T *y)
{
    constexpr int WIDTH = full_width<T>;
    SharedArray<T> pooled = dynamic_shared<T>();
    const int chunks = g.c / WIDTH, thread = int(threadIdx.x);
    const int q = int(blockIdx.x) * (int(blockDim.x) / chunks) + thread / chunks, c = thread % chunks * WIDTH;
    for (int64_t row = blockIdx.y; row < int64_t(g.n) * g.p; row += gridDim.y) {
        const T *image = image_at(g, x, int(row / g.p), c);
        auto own = splat<T, WIDTH>(0);
        if (q < g.q)
            own = max_of_window<WINDOW, T, WIDTH>(window_of(g, int(row % g.p), q), [&](int h, int w) {
                return load_chunk<T, WIDTH>(image + (int64_t(h) * g.w + w) * g.x_pitch);
            });
        shared_store_chunk(pooled, thread * WIDTH, own);
        __syncthreads();
        const auto zeros = splat<T, WIDTH>(0);
        const auto left = c > 0 ? shared_load_chunk<T, WIDTH>(pooled, (thread - 1) * WIDTH) : zeros;
        const auto right = c + WIDTH < g.c ? shared_load_chunk<T, WIDTH>(pooled, (thread + 1) * WIDTH) : zeros;
        const auto result = normalise_chunk<SIZE, T, WIDTH>(lrn, left, own, right);
        if (q < g.q) store_chunk(output_at(g, y, row, q, c), relu_if(g.relu, result));
        __syncthreads(); /* before the next row's */
    }
}

trib_status trib_cuda_max_pool2d_lrn(const trib_window_geometry *g, const trib_lrn_coefficients *coefficients,
                                     trib_dtype dtype, const void *x, void *y, void *stream)
{
    const char *name = "max_pool2d_lrn";
    Lrn lrn = {};
    TRIB_TRY(lrn_of(name, coefficients, &lrn));
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        const int chunks = g->c / full_width<T>;
        if (!in_chunks<T>(x, g->c, g->x_pitch) || !in_chunks<T>(y, g->c, g->y_pitch) || chunks > most_threads)
            return TRIB_ERROR(
                TRIB_UNSUPPORTED,
                "%s: %d channels are not a multiple of 16 bytes, aligned to 16 bytes, of at most %d bytes", name, g->c,
                16 * most_threads);
        const int outputs = chunks < usual_threads ? usual_threads / chunks : 1, threads = outputs * chunks;
        const dim3 grid = { unsigned(ceil_div(g->q, outputs)), grid_rows(int64_t(g->n) * g->p), 1 };
        const bool usual = coefficients->size == 5 && g->r == 3 && g->s == 3;
        const auto kernel = usual ? max_pool2d_lrn<T, 5, 3> : max_pool2d_lrn<T, 0, 0>;
        return launch(name, kernel, grid, threads, size_t(threads) * 16, stream, *g, lrn, static_cast<const T *>(x),
                      static_cast<T *>(y));
    });
}

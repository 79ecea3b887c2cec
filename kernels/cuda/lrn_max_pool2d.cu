/* SPDX-License-Identifier: Apache-2.0
 * Local response normalisation, then max pooling of the result, in one pass (GoogLeNet: conv2/norm2, pool2/3x3_s2): the
 * normalised image, 4.8 MB of float32 at 224x224, is neither written nor read back.
 *
 *     a block: a tile of outputs x 128 bytes of channels          inputs of 4x8 outputs, 3x3/2:   17
 *     1. its threads normalise every input the tile needs,                                     +------+
 *        16 bytes each, into shared memory                                                   9 |      |
 *     2. each takes the maximum of a window from there                                         +------+
 *
 * Inputs on the rim of a tile are normalised by both tiles: 1.2 times the arithmetic for 3x3/2. Values are rounded to
 * the storage type in between, so that the result is bit for bit that of the two separate kernels. */
#include "lrn.cuh"
#include "window.cuh"

static constexpr int threads = 256;
static constexpr int slab = 8; /* chunks of channels in a block */
static constexpr size_t shared_limit = 48 << 10;

/* Outputs of a block, the inputs they need, and tiles in a row of outputs. */
struct Tile {
    int p, q, h, w, across;
};

template <class T, int SIZE, int WINDOW>
__global__ void __launch_bounds__(threads) lrn_max_pool2d(trib_window_geometry g, Lrn lrn, Tile tile, const T *x, T *y)
{
    constexpr int WIDTH = full_width<T>;
    SharedArray<T> normalised = dynamic_shared<T>();
    const int p0 = int(blockIdx.x) / tile.across * tile.p, q0 = int(blockIdx.x) % tile.across * tile.q;
    const int top = p0 * g.stride_h - g.pad_top, left = q0 * g.stride_w - g.pad_left;
    const int chunk = int(threadIdx.x) % slab, c = (int(blockIdx.y) * slab + chunk) * WIDTH;
    for (int n = int(blockIdx.z); n < g.n; n += int(gridDim.z)) {
        const T *image = image_at(g, x, n, 0);
        for (int i = int(threadIdx.x) / slab; i < tile.h * tile.w; i += threads / slab) {
            const int h = top + i / tile.w, w = left + i % tile.w;
            if (c >= g.c || h < 0 || h >= g.h || w < 0 || w >= g.w) continue;
            const T *pixel = image + (int64_t(h) * g.w + w) * g.x_pitch;
            const auto own = load_normalised<SIZE, T, WIDTH>(lrn, pixel, c, g.c);
            shared_store_chunk(normalised, (i * slab + chunk) * WIDTH, own);
        }
        __syncthreads();
        for (int i = int(threadIdx.x) / slab; i < tile.p * tile.q; i += threads / slab) {
            const int p = p0 + i / tile.q, q = q0 + i % tile.q;
            if (c >= g.c || p >= g.p || q >= g.q) continue;
            const auto best = max_of_window<WINDOW, T, WIDTH>(window_of(g, p, q), [&](int h, int w) {
                const int at = (h - top) * tile.w + w - left;
                return shared_load_chunk<T, WIDTH>(normalised, (at * slab + chunk) * WIDTH);
            });
            store_chunk(output_at(g, y, int64_t(n) * g.p + p, q, c), relu_if(g.relu, best));
        }
        __syncthreads(); /* before the next image's */
    }
}

static Tile tile_of(const trib_window_geometry *g, int p, int q)
{
    return { p, q, (p - 1) * g->stride_h + g->r, (q - 1) * g->stride_w + g->s, int(ceil_div(g->q, q)) };
}

static size_t shared_bytes(const Tile &tile) { return size_t(tile.h) * tile.w * slab * 16; }

trib_status trib_cuda_lrn_max_pool2d(const trib_window_geometry *g, const trib_lrn_coefficients *coefficients,
                                     trib_dtype dtype, const void *x, void *y, void *stream)
{
    const char *name = "lrn_max_pool2d";
    Lrn lrn = {};
    TRIB_TRY(lrn_of(name, coefficients, &lrn));
    Tile tile = tile_of(g, 4, 8);
    if (shared_bytes(tile) > shared_limit) tile = tile_of(g, 2, 2);
    if (shared_bytes(tile) > shared_limit)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: a window of %dx%d with stride %dx%d does not fit in shared memory",
                          name, g->r, g->s, g->stride_h, g->stride_w);
    return for_type(name, dtype, [&](auto type) {
        using T = typename decltype(type)::type;
        if (!in_chunks<T>(x, g->c, g->x_pitch) || !in_chunks<T>(y, g->c, g->y_pitch))
            return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %d channels are not a multiple of 16 bytes, aligned to 16 bytes",
                              name, g->c);
        const dim3 grid = { unsigned(tile.across * ceil_div(g->p, tile.p)),
                            unsigned(ceil_div(g->c, slab * full_width<T>)), grid_rows(g->n) };
        const bool usual = coefficients->size == 5 && g->r == 3 && g->s == 3;
        const auto kernel = usual ? lrn_max_pool2d<T, 5, 3> : lrn_max_pool2d<T, 0, 0>;
        return launch(name, kernel, grid, threads, shared_bytes(tile), stream, *g, lrn, tile, static_cast<const T *>(x),
                      static_cast<T *>(y));
    });
}

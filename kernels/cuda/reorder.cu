/* SPDX-License-Identifier: Apache-2.0
 * y[n,c,h,w] = x[n,c,h,w] in another layout, type or number of channels. Two kernels do all of it:
 *
 * Between equal layouts, rows are copied: a row is a pixel of NHWC, or an image of N,C,H,W (then its "channels" are
 * C*H*W elements). A thread moves WIDTH elements, 16 bytes of the larger type.
 *
 * Between different layouts, a block moves one tile through shared memory, so that neighbouring threads read
 * neighbouring addresses, and write them too:
 *
 *     x: rows r of columns c        tile[r][c], written along c,        y: rows c of columns r
 *                                   read along r
 *
 * From N,C,H,W a row is a channel and a column a pixel; to N,C,H,W the other way round. Images have few channels: their
 * tiles are 8 wide on that side. The distance between rows of a tile keeps both accesses (nearly) free of bank
 * conflicts. Everything is bound by memory. */
#include <type_traits>

#include "dispatch.cuh"
#include "tributary/internal/kernels_cuda.h"

static constexpr int threads = 256;

/* NaN stays NaN; the same type keeps its bits. */
template <class TY, class TX, int WIDTH>
__device__ __forceinline__ Chunk<TY, WIDTH> convert(bool relu, const Chunk<TX, WIDTH> &in)
{
    if constexpr (std::is_same<TX, TY>::value) {
        return relu_if(relu, in);
    } else {
        float values[WIDTH];
        to_floats(in, values);
        return relu_if(relu, from_floats<TY, WIDTH>(values));
    }
}

/* ---- rows ---- */

struct Rows {
    int64_t count, columns, x_columns; /* columns of y; those from x_columns on are 0 */
    int64_t x_pitch, y_pitch;
    bool relu;
};

template <class TX, class TY, int WIDTH>
__global__ void __launch_bounds__(threads) reorder_rows(Rows g, const TX *x, TY *y)
{
    const int64_t item = int64_t(blockIdx.x) * threads + threadIdx.x, chunks = g.columns / WIDTH;
    const int64_t row = item / chunks, column = (item - row * chunks) * WIDTH;
    if (row >= g.count) return;
    Chunk<TY, WIDTH> out = splat<TY, WIDTH>(0);
    if (column < g.x_columns) out = convert<TY>(g.relu, load_chunk<TX, WIDTH>(x + row * g.x_pitch + column));
    store_chunk(y + row * g.y_pitch + column, out);
}

template <class TX, class TY>
static trib_status copy_rows(const char *name, const Rows &g, const void *x, void *y, void *stream)
{
    constexpr int WIDTH = full_width<TX> < full_width<TY> ? full_width<TX> : full_width<TY>;
    const bool wide = in_chunks<TX, WIDTH>(x, g.x_columns, g.x_pitch) && in_chunks<TY, WIDTH>(y, g.columns, g.y_pitch);
    const int64_t items = g.count * (wide ? g.columns / WIDTH : g.columns);
    return launch(name, wide ? reorder_rows<TX, TY, WIDTH> : reorder_rows<TX, TY, 1>,
                  dim3 { unsigned(ceil_div(items, threads)), 1, 1 }, threads, 0, stream, g, static_cast<const TX *>(x),
                  static_cast<TY *>(y));
}

/* ---- tiles ---- */

struct Transpose {
    int64_t rows, columns;     /* of x, as y has them: y's rows are x's columns */
    int64_t x_rows, x_columns; /* those present in x; the others are 0 */
    int64_t x_pitch, y_pitch;  /* from row to row of each */
    int64_t x_image, y_image;  /* from image to image */
    bool relu;
};

/* The top left corner of this block's tile. */
struct Corner {
    int64_t image, row, column;
};

template <int ROWS, int COLUMNS>
__device__ __forceinline__ Corner corner_of(const Transpose &g)
{
    const int64_t across = (g.columns + COLUMNS - 1) / COLUMNS, down = (g.rows + ROWS - 1) / ROWS;
    const int64_t tile = blockIdx.x, band = tile / across, image = band / down;
    return { image, (band - image * down) * ROWS, (tile - band * across) * COLUMNS };
}

template <class TX, class TY, int ROWS, int COLUMNS>
__global__ void __launch_bounds__(threads) reorder_tiles(Transpose g, const TX *x, TY *y)
{
    constexpr int words_apart = ROWS < 32 ? 32 / ROWS : 1, stride = COLUMNS + words_apart * 4 / int(sizeof(TY));
    TRIB_SHARED(TY, tile, ROWS * stride);
    const Corner at = corner_of<ROWS, COLUMNS>(g);
    x += at.image * g.x_image;
    y += at.image * g.y_image;
#pragma unroll 8
    for (int i = int(threadIdx.x); i < ROWS * COLUMNS; i += threads) {
        const int64_t row = at.row + i / COLUMNS, column = at.column + i % COLUMNS;
        Chunk<TY, 1> value = splat<TY, 1>(0);
        if (row < g.x_rows && column < g.x_columns)
            value = convert<TY>(g.relu, load_chunk<TX, 1>(x + row * g.x_pitch + column));
        shared_store_chunk(tile, i / COLUMNS * stride + i % COLUMNS, value);
    }
    __syncthreads();
#pragma unroll 8
    for (int i = int(threadIdx.x); i < ROWS * COLUMNS; i += threads) {
        const int64_t row = at.row + i % ROWS, column = at.column + i / ROWS;
        if (row < g.rows && column < g.columns)
            store_chunk(y + column * g.y_pitch + row, shared_load_chunk<TY, 1>(tile, i % ROWS * stride + i / ROWS));
    }
}

template <class TX, class TY, int ROWS, int COLUMNS>
static trib_status transpose_by(const char *name, int images, const Transpose &g, const void *x, void *y, void *stream)
{
    const int64_t tiles = images * ceil_div(g.rows, ROWS) * ceil_div(g.columns, COLUMNS);
    return launch(name, reorder_tiles<TX, TY, ROWS, COLUMNS>, dim3 { unsigned(tiles), 1, 1 }, threads, 0, stream, g,
                  static_cast<const TX *>(x), static_cast<TY *>(y));
}

template <class TX, class TY>
static trib_status transpose(const char *name, int images, const Transpose &g, const void *x, void *y, void *stream)
{
    if (g.rows <= 8) return transpose_by<TX, TY, 8, 512>(name, images, g, x, y, stream);
    if (g.columns <= 8) return transpose_by<TX, TY, 512, 8>(name, images, g, x, y, stream);
    return transpose_by<TX, TY, 64, 64>(name, images, g, x, y, stream);
}

/* ---- the choice ---- */

static Rows rows_of(const trib_reorder_geometry *g)
{
    const int64_t pixels = int64_t(g->h) * g->w;
    const int64_t count = g->x_nchw ? g->n : g->n * pixels, unit = g->x_nchw ? pixels : 1;
    return { count, g->y_c * unit, g->c * unit, g->x_pitch * unit, g->y_pitch * unit, g->relu };
}

static Transpose transpose_of(const trib_reorder_geometry *g)
{
    const int64_t pixels = int64_t(g->h) * g->w, x_image = g->x_pitch * pixels, y_image = g->y_pitch * pixels;
    if (g->x_nchw) return { g->y_c, pixels, g->c, pixels, pixels, g->y_pitch, x_image, y_image, g->relu };
    return { pixels, g->y_c, pixels, g->c, g->x_pitch, pixels, x_image, y_image, g->relu };
}

trib_status trib_cuda_reorder(const trib_reorder_geometry *g, trib_dtype x_dtype, trib_dtype y_dtype, const void *x,
                              void *y, void *stream)
{
    const char *name = "reorder";
    const bool same_layout = g->x_nchw == g->y_nchw || int64_t(g->h) * g->w == 1;
    return for_type(name, x_dtype, [&](auto x_type) {
        return for_type(name, y_dtype, [&](auto y_type) {
            using TX = typename decltype(x_type)::type;
            using TY = typename decltype(y_type)::type;
            if (same_layout) return copy_rows<TX, TY>(name, rows_of(g), x, y, stream);
            return transpose<TX, TY>(name, g->n, transpose_of(g), x, y, stream);
        });
    });
}

/* SPDX-License-Identifier: Apache-2.0
 * The 1x1 convolutions of an Inception module that read its input, as one matrix product, bias and ReLU included; and
 * pool_proj, whose input is the module's after a 3x3 pool, of maxima (GoogLeNet) or averages (Inception v3):
 *
 *     D[m, n] = max(0, bias[n] + sum over c of x[m, c] * w[n, c])       m: pixel n*h*w, c innermost in x and w
 *
 *               w: | 1x1      | 3x3_reduce | 5x5_reduce |    columns of D go where their convolution's output lies:
 *     x:  +---+    +----------+------------+------------+    the 1x1 branch into its slice of the concatenation,
 *         |   |  = |          |            |            |    the reductions into buffers of their own
 *         +---+    +----------+------------+------------+
 *
 * A block computes a 64x64 or 128x128 tile (product.cuh) and walks c in slices of 64 bytes; the slices of the next
 * STAGES-1 steps are copied in the meantime:
 *
 *     step      0           1           2
 *     copy      slice 2     slice 3     slice 4     cp.async; beyond the end of rows, columns or c it writes zeros
 *     multiply  slice 0     slice 1     slice 2
 *
 * Tiles of the same rows follow each other, so that x comes from memory once and from the L2 cache after that. D passes
 * through shared memory on its way out, so that 16 bytes at a time are stored, whatever columns a lane has.
 *
 * Pooling: a thread pools 3x3 pixels itself, two neighbouring pixels (m, m+1) of one chunk at a time:
 *
 *     m-w-1  m-w  m-w+1  m-w+2      12 loads instead of 18; of maxima, those of the 4 columns first.
 *     m-1    m    m+1    m+2        At an edge of the image a pixel inside is loaded for the one outside: it changes no
 *     m+w-1  m+w  m+w+1  m+w+2      maximum, and is left out of a sum. Averages divide by 9, stated padding counted. */
#include <limits.h>

#include "dispatch.cuh"
#include "product.cuh"
#include "tributary/internal/kernels_cuda.h"

using SmallTile = Tile<2, 2, 32, 32, 4>; /* 128 threads, 32 KB */
using LargeTile = Tile<2, 4, 64, 32, 3>; /* 256 threads, 48 KB */

/* Where columns first[i] .. of D go; unused outputs begin at INT_MAX. */
struct Outputs {
    void *y[TRIB_CONV1X1_MAX_OUTPUTS];
    int first[TRIB_CONV1X1_MAX_OUTPUTS], pitch[TRIB_CONV1X1_MAX_OUTPUTS];
};

struct Product {
    int rows, columns, c; /* of D, and the inner dimension */
    int x_pitch;
    int h, w; /* of an image, for pooling */
    int column_tiles;
    bool relu;
    const float *bias;
    Outputs outputs;
};

/* ---- loaders: one slice of A and B into a stage ---- */

/* Rows of a matrix with `rows` rows of c elements, 16 bytes at a time. */
template <class T, class TILE, int COUNT>
__device__ __forceinline__ void copy_rows(const SharedArray<unsigned char> stage, int first_place, const T *matrix,
                                          int64_t pitch, int first_row, int rows, int k0, int c)
{
    static_assert(COUNT * row_chunks % TILE::threads == 0, "every thread copies as much");
#pragma unroll
    for (int i = 0; i < COUNT * row_chunks / TILE::threads; ++i) {
        const int item = i * TILE::threads + int(threadIdx.x), place = item / row_chunks, chunk = item % row_chunks;
        const int row = first_row + place, k = k0 + chunk * full_width<T>;
        const bool valid = row < rows && k < c;
        const T *source = valid ? matrix + row * pitch + k : matrix;
        cp_async_16(stage, chunk_at(first_place + place, chunk), source, valid);
    }
}

/* x unchanged: only begins the copy. */
template <class T, class TILE>
struct PlainLoader {
    const Product &p;
    const T *x;
    int m0;

    __device__ __forceinline__ PlainLoader(const Product &product, const T *image, int first)
        : p(product), x(image), m0(first)
    {
    }
    __device__ __forceinline__ void begin(const SharedArray<unsigned char> stage, int k0)
    {
        copy_rows<T, TILE, TILE::M>(stage, 0, x, p.x_pitch, m0, p.rows, k0, p.c);
    }
    __device__ __forceinline__ void finish(const SharedArray<unsigned char>) {}
};

/* Which neighbours of two pixels, and of the columns to their sides, are in the image: 0 or false where there is none.
 */
struct Neighbours {
    int up[4], down[4]; /* steps to the pixels above and below */
    bool left[2], right[2];
};

/* Pools the two pixels in the middle of 4 columns of 3. */
template <class T, int WIDTH>
struct Maxima {
    using Pixels = Chunk<T, WIDTH>;
    static __device__ __forceinline__ void pool(const Pixels (&x)[4][3], const Neighbours &has, Pixels (&y)[2])
    {
        Pixels columns[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) columns[i] = larger(larger(x[i][0], x[i][1]), x[i][2]);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            y[i] = columns[i + 1];
            if (has.left[i]) y[i] = larger(y[i], columns[i]);
            if (has.right[i]) y[i] = larger(y[i], columns[i + 2]);
        }
    }
};

/* Sums row by row, as avg_pool2d does: the same bits. */
template <class T, int WIDTH>
struct Averages {
    using Pixels = Chunk<T, WIDTH>;
    static __device__ __forceinline__ void pool(const Pixels (&x)[4][3], const Neighbours &has, Pixels (&y)[2])
    {
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            float sums[WIDTH] = {};
#pragma unroll
            for (int row = 0; row < 3; ++row) {
                if ((row == 0 && !has.up[i + 1]) || (row == 2 && !has.down[i + 1])) continue;
                if (has.left[i]) add(x[i][row], sums);
                add(x[i + 1][row], sums);
                if (has.right[i]) add(x[i + 2][row], sums);
            }
#pragma unroll
            for (int j = 0; j < WIDTH; ++j) sums[j] /= 9;
            y[i] = from_floats<T, WIDTH>(sums);
        }
    }
    static __device__ __forceinline__ void add(const Pixels &pixel, float (&sums)[WIDTH])
    {
#pragma unroll
        for (int j = 0; j < WIDTH; ++j) sums[j] += to_float(pixel.v[j]);
    }
};

/* x pooled: loads begin before a multiplication and are used after it. */
template <class T, class TILE, template <class, int> class POOL>
struct PoolLoader {
    static constexpr int WIDTH = full_width<T>;
    using Pixels = Chunk<T, WIDTH>;
    static_assert(TILE::M * row_chunks == 2 * TILE::threads, "two pixels of one chunk per thread");

    const T *x;
    int64_t pitch;
    int c, k;
    int place, chunk; /* place in the stage of the first of the two */
    int pixel[4];     /* the middle one of each of the four columns */
    Neighbours has;
    Pixels loaded[4][3];

    __device__ __forceinline__ PoolLoader(const Product &p, const T *image, int m0)
        : x(image), pitch(p.x_pitch), c(p.c), k(0), place(int(threadIdx.x) / row_chunks * 2),
          chunk(int(threadIdx.x) % row_chunks)
    {
        const int m = m0 + place;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            pixel[i] = min(max(m - 1 + i, 0), p.rows - 1);
            const int h = pixel[i] / p.w % p.h;
            has.up[i] = h > 0 ? p.w : 0;
            has.down[i] = h < p.h - 1 ? p.w : 0;
        }
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            has.left[i] = (m + i) % p.w > 0;
            has.right[i] = (m + i) % p.w < p.w - 1;
        }
    }
    __device__ __forceinline__ Pixels at(int index) const { return load_chunk<T, WIDTH>(x + index * pitch + k); }
    __device__ __forceinline__ void begin(const SharedArray<unsigned char>, int k0)
    {
        k = k0 + chunk * WIDTH;
        if (k >= c) return;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            loaded[i][0] = at(pixel[i] - has.up[i]);
            loaded[i][1] = at(pixel[i]);
            loaded[i][2] = at(pixel[i] + has.down[i]);
        }
    }
    __device__ __forceinline__ void finish(const SharedArray<unsigned char> stage)
    {
        Pixels pooled[2] = { splat<T, WIDTH>(0), splat<T, WIDTH>(0) };
        if (k < c) POOL<T, WIDTH>::pool(loaded, has, pooled);
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            uint4 bits;
            memcpy(&bits, &pooled[i], sizeof bits);
            shared_store(stage, chunk_at(place + i, chunk), bits);
        }
    }
};

template <class T, class TILE>
using MaxPoolLoader = PoolLoader<T, TILE, Maxima>;
template <class T, class TILE>
using AvgPoolLoader = PoolLoader<T, TILE, Averages>;

/* ---- output ---- */

/* Two neighbouring values of D into the staging area. */
__device__ __forceinline__ void stage_pair(const SharedArray<float> area, int index, float low, float high)
{
    shared_store(area, index, float2 { low, high });
}
template <class T>
__device__ __forceinline__ void stage_pair(const SharedArray<T> area, int index, float low, float high)
{
    shared_store(area, index, round_pair<T>(low, high));
}

/* Adds bias and ReLU to this warp's results, into rows 0 .. WARP_M-1 of the staging area. */
template <class T, class MATH, class TILE>
__device__ __forceinline__ void stage_warp(const Product &p, const SharedArray<T> area, int area_pitch, int n0,
                                           int warp_n, const Accumulator<TILE> &sum)
{
    const int lane = int(threadIdx.x) % 32;
#pragma unroll
    for (int j = 0; j < TILE::WARP_N / 8; ++j) {
        const int column = warp_n * TILE::WARP_N + 8 * j + lane % 4 * 2, n = n0 + column;
        float2 bias = { 0, 0 };
        if (p.bias && n < p.columns) bias = load<float2>(p.bias + n);
#pragma unroll
        for (int i = 0; i < TILE::WARP_M / 8; ++i) {
            float low = sum.d[i / 2][j][i % 2 * 2] + bias.x, high = sum.d[i / 2][j][i % 2 * 2 + 1] + bias.y;
            if (p.relu) low = relu_of(low), high = relu_of(high);
            stage_pair(area, (8 * i + lane / 4) * area_pitch + column, MATH::template as_factor<T>(low),
                       MATH::template as_factor<T>(high));
        }
    }
}

/* Element (m, n) of D in its output. */
template <class T>
__device__ __forceinline__ T *destination(const Outputs &outputs, int m, int n)
{
    T *y = static_cast<T *>(outputs.y[0]);
    int first = 0, pitch = outputs.pitch[0];
#pragma unroll
    for (int i = 1; i < TRIB_CONV1X1_MAX_OUTPUTS; ++i)
        if (n >= outputs.first[i]) {
            y = static_cast<T *>(outputs.y[i]);
            first = outputs.first[i];
            pitch = outputs.pitch[i];
        }
    return y + int64_t(m) * pitch + (n - first);
}

/* All of D, a row of warps at a time. The stages are free by now. */
template <class T, class MATH, class TILE>
__device__ __forceinline__ void store_tile(const Product &p, const SharedArray<unsigned char> memory, int m0, int n0,
                                           int warp_m, int warp_n, const Accumulator<TILE> &sum)
{
    constexpr int WIDTH = full_width<T>, pitch = TILE::N + WIDTH, chunks = TILE::N / WIDTH;
    static_assert(TILE::WARP_M * pitch * int(sizeof(T)) <= TILE::STAGES * TILE::stage_bytes, "D fits into the stages");
    const SharedArray<T> area = shared_cast<T>(memory);
    for (int pass = 0; pass < TILE::WARPS_M; ++pass) {
        __syncthreads();
        if (warp_m == pass) stage_warp<T, MATH, TILE>(p, area, pitch, n0, warp_n, sum);
        __syncthreads();
        for (int item = int(threadIdx.x); item < TILE::WARP_M * chunks; item += TILE::threads) {
            const int row = item / chunks, column = item % chunks * WIDTH;
            const int m = m0 + pass * TILE::WARP_M + row, n = n0 + column;
            if (m >= p.rows || n >= p.columns) continue;
            store(destination<T>(p.outputs, m, n), shared_load<uint4>(area, row * pitch + column));
        }
    }
}

/* ---- the kernel ---- */

/* At least one block per multiprocessor: without this bound ptxas spills to fit two. */
template <class T, class MATH, class TILE, template <class, class> class LOADER>
__global__ void __launch_bounds__(TILE::threads, 1) conv1x1(Product p, const T *x, const T *w)
{
    TRIB_SHARED(unsigned char, memory, TILE::STAGES *TILE::stage_bytes);
    constexpr int depth = row_bytes / int(sizeof(T)), ahead = TILE::STAGES - 1;
    const int m0 = int(blockIdx.x) / p.column_tiles * TILE::M, n0 = int(blockIdx.x) % p.column_tiles * TILE::N;
    const int warp = int(threadIdx.x) / 32, warp_m = warp / TILE::WARPS_N, warp_n = warp % TILE::WARPS_N;
    const int steps = (p.c + depth - 1) / depth;
    LOADER<T, TILE> loader(p, x, m0);
    Accumulator<TILE> sum = {};

    for (int step = 0; step < ahead; ++step) {
        const SharedArray<unsigned char> stage = memory + step * TILE::stage_bytes;
        if (step < steps) {
            loader.begin(stage, step * depth);
            copy_rows<T, TILE, TILE::N>(stage, TILE::M, w, p.c, n0, p.columns, step * depth, p.c);
            loader.finish(stage);
        }
        cp_async_commit();
    }
    for (int step = 0; step < steps; ++step) {
        cp_async_wait<ahead - 1>();
        __syncthreads(); /* this step's slice is complete, and no warp reads the last step's any more */
        const int next = step + ahead;
        const SharedArray<unsigned char> free_stage = memory + next % TILE::STAGES * TILE::stage_bytes;
        if (next < steps) {
            loader.begin(free_stage, next * depth);
            copy_rows<T, TILE, TILE::N>(free_stage, TILE::M, w, p.c, n0, p.columns, next * depth, p.c);
        }
        cp_async_commit();
        MATH::template multiply<T, TILE>(memory + step % TILE::STAGES * TILE::stage_bytes, warp_m, warp_n, sum);
        if (next < steps) loader.finish(free_stage);
    }
    cp_async_wait<0>();
    store_tile<T, MATH, TILE>(p, memory, m0, n0, warp_m, warp_n, sum);
}

/* ---- the launcher ---- */

static trib_status check(const char *name, const trib_conv1x1_geometry *g, trib_dtype dtype)
{
    const int unit = int(16 / trib_dtype_size(dtype));
    if (int64_t(g->n) * g->h * g->w > INT_MAX - LargeTile::M)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: more than 2^31 pixels; use a smaller batch", name);
    if (g->outputs < 1 || g->outputs > TRIB_CONV1X1_MAX_OUTPUTS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %d outputs; 1 to %d are possible", name, g->outputs,
                          int(TRIB_CONV1X1_MAX_OUTPUTS));
    if (g->c % 8 || g->x_pitch % unit)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: %d input channels of pitch %d are not multiples of 8 and 16 bytes",
                          name, g->c, g->x_pitch);
    for (int i = 0; i < g->outputs; ++i)
        if (g->k[i] % 8 || g->y_pitch[i] % unit)
            return TRIB_ERROR(TRIB_UNSUPPORTED,
                              "%s: %d channels of output %d, of pitch %d, are not multiples of 8 and 16 bytes", name,
                              g->k[i], i, g->y_pitch[i]);
    return trib_success();
}

static bool aligned(const void *p, size_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

static trib_status check_addresses(const char *name, const trib_conv1x1_geometry *g, const void *x, const void *w,
                                   const float *bias, void *const *y)
{
    bool good = aligned(x, 16) && aligned(w, 16) && aligned(bias, 8);
    for (int i = 0; i < g->outputs; ++i) good = good && aligned(y[i], 16);
    if (good) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "%s: an operand is not aligned to 16 bytes", name);
}

static Product product_of(const trib_conv1x1_geometry *g, const float *bias, void *const *y)
{
    Product p = {};
    p.rows = g->n * g->h * g->w;
    p.c = g->c;
    p.x_pitch = g->x_pitch;
    p.h = g->h;
    p.w = g->w;
    p.relu = g->relu;
    p.bias = bias;
    for (int i = 0; i < TRIB_CONV1X1_MAX_OUTPUTS; ++i) {
        const bool used = i < g->outputs;
        p.outputs.y[i] = used ? y[i] : nullptr;
        p.outputs.pitch[i] = used ? g->y_pitch[i] : 0;
        p.outputs.first[i] = used ? p.columns : INT_MAX;
        if (used) p.columns += g->k[i];
    }
    return p;
}

template <class TILE>
int64_t tiles(const Product &p)
{
    return ceil_div(p.rows, TILE::M) * ceil_div(p.columns, TILE::N);
}

/* Large tiles read less; small ones keep more multiprocessors busy. */
static bool want_large(const trib_conv1x1_geometry *g, const Product &p)
{
    if (g->tile != TRIB_TILE_AUTO) return g->tile == TRIB_TILE_128;
    return p.columns > SmallTile::N && tiles<LargeTile>(p) >= 2 * multiprocessor_count();
}

template <template <class, class> class LOADER, class T, class MATH, class TILE>
trib_status launch_tile(const char *name, Product p, const void *x, const void *w, void *stream)
{
    p.column_tiles = int(ceil_div(p.columns, TILE::N));
    return launch(name, conv1x1<T, MATH, TILE, LOADER>, dim3 { unsigned(tiles<TILE>(p)), 1, 1 }, TILE::threads, 0,
                  stream, p, static_cast<const T *>(x), static_cast<const T *>(w));
}

template <template <class, class> class LOADER>
trib_status run(const char *name, const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                const float *bias, void *const *y, void *stream)
{
    return for_type(name, dtype, [&](auto type) -> trib_status {
        using T = typename decltype(type)::type;
        TRIB_TRY(check(name, g, dtype));
        TRIB_TRY(check_addresses(name, g, x, w, bias, y));
        const Product p = product_of(g, bias, y);
        const bool large = want_large(g, p);
        if constexpr (sizeof(T) == 4) {
            if (!g->tf32)
                return large ? launch_tile<LOADER, T, ExactProducts, LargeTile>(name, p, x, w, stream)
                             : launch_tile<LOADER, T, ExactProducts, SmallTile>(name, p, x, w, stream);
        }
        return large ? launch_tile<LOADER, T, TensorCores, LargeTile>(name, p, x, w, stream)
                     : launch_tile<LOADER, T, TensorCores, SmallTile>(name, p, x, w, stream);
    });
}

trib_status trib_cuda_conv1x1_check(const trib_conv1x1_geometry *g, trib_dtype dtype)
{
    const char *name = "conv1x1";
    return for_type(name, dtype, [&](auto) { return check(name, g, dtype); });
}

trib_status trib_cuda_conv1x1(const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                              const float *bias, void *const *y, void *stream)
{
    return run<PlainLoader>("conv1x1", g, dtype, x, w, bias, y, stream);
}

trib_status trib_cuda_max_pool2d_conv1x1(const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                                         const float *bias, void *const *y, void *stream)
{
    return run<MaxPoolLoader>("max_pool2d_conv1x1", g, dtype, x, w, bias, y, stream);
}

trib_status trib_cuda_avg_pool2d_conv1x1(const trib_conv1x1_geometry *g, trib_dtype dtype, const void *x, const void *w,
                                         const float *bias, void *const *y, void *stream)
{
    return run<AvgPoolLoader>("avg_pool2d_conv1x1", g, dtype, x, w, bias, y, stream);
}

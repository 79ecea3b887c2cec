/* SPDX-License-Identifier: Apache-2.0
 * Sums over all rows, of each channel, in an order that does not depend on the card: rows are cut into parts, a number
 * that follows from the shape; a block sums a part in double, and a second kernel adds the parts up.
 *
 *     a block, 256 threads:    lane 0    lane 1   .. lanes-1      16 bytes of channels each
 *                    line 0    row 0     row 0                    a thread: rows line, line + lines, ..
 *                    line 1    row 1     row 1                    then a thread per channel adds the lines, in order
 *
 *     workspace: [part][quantity][channel] in double
 *
 * Doubles are what lets a variance be summed in one pass: of float32 values the squares are exact. The kernels are
 * bound by memory on cards with fast doubles; four rows of a thread are in flight together. The launch
 * bound is one block per multiprocessor: without it ptxas spills a few registers. */
#ifndef TRIBUTARY_ROW_SUMS_CUH
#define TRIBUTARY_ROW_SUMS_CUH

#include "dispatch.cuh"

static constexpr int sum_threads = 256, rows_in_flight = 4, sum_quantities = 2;

struct RowSums {
    int64_t rows, rows_per_part;
    int c, parts;
    int lanes;       /* a power of two */
    double *partial; /* NULL: nothing is summed */
};

static inline int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t at_least(int64_t a, int64_t b) { return a > b ? a : b; }

/* Enough blocks to fill a card, and of every part enough rows to be worth its sums. */
static inline int64_t rows_of_part(int64_t rows, int c)
{
    constexpr int64_t values = 65536, fewest = 16, most = 1024, rows_worth_a_part = 64;
    const int64_t limit = at_least(fewest, at_most(most, values / c));
    return ceil_div(rows, at_most(limit, ceil_div(rows, rows_worth_a_part)));
}

static inline int64_t row_sums_bytes(int64_t rows, int c)
{
    return ceil_div(rows, rows_of_part(rows, c)) * sum_quantities * c * int64_t(sizeof(double));
}

static inline RowSums row_sums_of(int64_t rows, int c, int width, void *workspace)
{
    RowSums s = {};
    s.rows = rows;
    s.rows_per_part = rows_of_part(rows, c);
    s.c = c;
    s.parts = int(ceil_div(rows, s.rows_per_part));
    for (s.lanes = 4; s.lanes < 32 && s.lanes * width < c;) s.lanes *= 2;
    s.partial = static_cast<double *>(workspace);
    return s;
}

static inline dim3 sums_grid(const RowSums &s, int width)
{
    return { unsigned(ceil_div(s.c, int64_t(s.lanes) * width)), grid_rows(s.parts), 1 };
}

/* What one thread sums: rows line, line + lines, .. of [first, end). load(row, c) gives what add(loaded, row, c, sums)
 * adds. */
template <int QUANTITIES, int WIDTH, class Load, class Add>
__device__ __forceinline__ void sum_own_rows(int64_t first, int64_t end, int lines, int c, Load load_row, Add add,
                                             double (&sums)[QUANTITIES][WIDTH])
{
    for (int64_t row = first; row < end; row += rows_in_flight * lines) {
        decltype(load_row(row, c)) loaded[rows_in_flight] = {};
#pragma unroll
        for (int i = 0; i < rows_in_flight; ++i)
            if (row + i * lines < end) loaded[i] = load_row(row + i * lines, c);
#pragma unroll
        for (int i = 0; i < rows_in_flight; ++i)
            if (row + i * lines < end) add(loaded[i], row + i * lines, c, sums);
    }
}

/* One part's sums from those of its lines. */
template <int QUANTITIES, int WIDTH>
__device__ __forceinline__ void store_part(const RowSums &s, int part, const double (&sums)[QUANTITIES][WIDTH],
                                           SharedArray<double> shared)
{
    const int lane = int(threadIdx.x) % s.lanes, line = int(threadIdx.x) / s.lanes, columns = s.lanes * WIDTH;
#pragma unroll
    for (int q = 0; q < QUANTITIES; ++q)
#pragma unroll
        for (int j = 0; j < WIDTH; ++j) shared[(line * QUANTITIES + q) * columns + lane * WIDTH + j] = sums[q][j];
    __syncthreads();
    for (int i = int(threadIdx.x); i < QUANTITIES * columns; i += sum_threads) {
        const int c = int(blockIdx.x) * columns + i % columns;
        double sum = 0;
        for (int of_line = 0; of_line < sum_threads / s.lanes; ++of_line)
            sum += shared_load<double>(shared, of_line * QUANTITIES * columns + i);
        if (c < s.c) store(s.partial + (int64_t(part) * QUANTITIES + i / columns) * s.c + c, sum);
    }
    __syncthreads(); /* `shared` is free again */
}

/* The sums of all parts that are this block's. */
template <int QUANTITIES, int WIDTH, class Load, class Add>
__device__ __forceinline__ void sum_rows(const RowSums &s, Load load_row, Add add)
{
    TRIB_SHARED(double, shared, QUANTITIES *sum_threads *WIDTH);
    const int lane = int(threadIdx.x) % s.lanes, line = int(threadIdx.x) / s.lanes, lines = sum_threads / s.lanes;
    const int c = (int(blockIdx.x) * s.lanes + lane) * WIDTH;
    for (int part = int(blockIdx.y); part < s.parts; part += int(gridDim.y)) {
        const int64_t first = part * s.rows_per_part;
        double sums[QUANTITIES][WIDTH] = {};
        if (c < s.c) sum_own_rows(first + line, min(s.rows, first + s.rows_per_part), lines, c, load_row, add, sums);
        if (s.partial) store_part(s, part, sums, shared);
    }
}

/* ---- the second kernel: a block adds up 8 channels, 32 threads each ---- */

static constexpr int channels_to_finish = 8, finish_lanes = sum_threads / channels_to_finish;

static inline dim3 finish_grid(int c) { return { unsigned(ceil_div(c, channels_to_finish)), 1, 1 }; }

/* finish(channel, sums), by one thread per channel. */
template <int QUANTITIES, class F>
__device__ __forceinline__ void add_parts(const RowSums &s, F finish)
{
    TRIB_SHARED(double, shared, sum_threads *QUANTITIES);
    const int own = int(threadIdx.x) % channels_to_finish, lane = int(threadIdx.x) / channels_to_finish;
    const int c = int(blockIdx.x) * channels_to_finish + own;
    double sums[QUANTITIES] = {};
    for (int part = lane; c < s.c && part < s.parts; part += finish_lanes)
#pragma unroll
        for (int q = 0; q < QUANTITIES; ++q)
            sums[q] += load<double>(s.partial + (int64_t(part) * QUANTITIES + q) * s.c + c);
#pragma unroll
    for (int q = 0; q < QUANTITIES; ++q) shared[int(threadIdx.x) * QUANTITIES + q] = sums[q];
    __syncthreads();
    if (lane != 0 || c >= s.c) return;
    for (int other = 1; other < finish_lanes; ++other)
#pragma unroll
        for (int q = 0; q < QUANTITIES; ++q)
            sums[q] += shared_load<double>(shared, (other * channels_to_finish + own) * QUANTITIES + q);
    finish(c, sums);
}

#endif

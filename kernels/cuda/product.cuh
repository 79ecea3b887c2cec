/* SPDX-License-Identifier: Apache-2.0
 * One block's tile of a matrix product D = A * B^T from shared memory: A has M rows, B has N rows (columns of D), both
 * a slice of the inner dimension of 64 bytes: 32 elements of fp16 or bf16, 16 of float32.
 *
 *     shared memory, per stage               D of a block: WARPS_M x WARPS_N warps, each WARP_M x WARP_N
 *     A row 0: | 16 B | 16 B | 16 B | 16 B |          +----------+----------+
 *       row 1: | ..                                   | warp 0   | warp 1   |
 *       ..                                            +----------+----------+
 *     B row 0: | 16 B | ..                            | warp 2   | warp 3   |
 *
 * The four 16-byte chunks of a row are stored in an order that changes every two rows (chunk ^ row/2 % 4): eight rows'
 * chunks of one column, which ldmatrix reads at once, then lie in eight different quarters of 128 bytes. */
#ifndef TRIBUTARY_PRODUCT_CUH
#define TRIBUTARY_PRODUCT_CUH

#include "chunk.cuh"

static constexpr int row_bytes = 64, row_chunks = 4;

template <int WARPS_M_, int WARPS_N_, int WARP_M_, int WARP_N_, int STAGES_>
struct Tile {
    static constexpr int WARPS_M = WARPS_M_, WARPS_N = WARPS_N_, WARP_M = WARP_M_, WARP_N = WARP_N_, STAGES = STAGES_;
    static constexpr int M = WARPS_M * WARP_M, N = WARPS_N * WARP_N, threads = 32 * WARPS_M * WARPS_N;
    static constexpr int stage_bytes = (M + N) * row_bytes;
};

/* Byte of a chunk of row `row` of A; rows of B follow at M. */
__device__ __forceinline__ int chunk_at(int row, int chunk) { return row * row_bytes + (chunk ^ (row >> 1 & 3)) * 16; }

/* A warp's part of D, distributed as mma.sync does: with g = lane/4 and t = lane%4, d[i][j][2*half + e] is row
 * 16*i + 8*half + g, column 8*j + 2*t + e. */
template <class TILE>
struct Accumulator {
    float d[TILE::WARP_M / 16][TILE::WARP_N / 8][4];
};

/* Tensor cores: T is __half, __nv_bfloat16, or float, which is rounded to tf32. */
struct TensorCores {
    template <class T, class TILE>
    static __device__ __forceinline__ void multiply(const SharedArray<unsigned char> stage, int warp_m, int warp_n,
                                                    Accumulator<TILE> &sum)
    {
        const int lane = int(threadIdx.x) % 32;
        const int a_row = warp_m * TILE::WARP_M + lane % 16, a_chunk = lane / 16;
        const int b_row = TILE::M + warp_n * TILE::WARP_N + lane / 16 * 8 + lane % 8, b_chunk = lane / 8 % 2;
#pragma unroll
        for (int chunk = 0; chunk < row_chunks; chunk += 2) {
            unsigned a[TILE::WARP_M / 16][4], b[TILE::WARP_N / 16][4];
            load<T>(a, stage, a_row, chunk + a_chunk);
            load<T>(b, stage, b_row, chunk + b_chunk);
            mma<T>(sum.d, a, b);
        }
    }

    /* COUNT times 16 rows of one chunk, rounded if the storage has more bits than the product uses. */
    template <class T, int COUNT>
    static __device__ __forceinline__ void load(unsigned (&registers)[COUNT][4], const SharedArray<unsigned char> stage,
                                                int row, int chunk)
    {
        int index[COUNT];
#pragma unroll
        for (int i = 0; i < COUNT; ++i) index[i] = chunk_at(row + 16 * i, chunk);
        ldmatrix_x4(registers, stage, index);
        if constexpr (sizeof(T) == 4) {
#pragma unroll
            for (int i = 0; i < 4 * COUNT; ++i) registers[i / 4][i % 4] = to_tf32(registers[i / 4][i % 4]);
        }
    }

    /* A result as the next product needs it: the library that computes it may truncate bits beyond tf32. */
    template <class T>
    static __device__ __forceinline__ float as_factor(float value)
    {
        return sizeof(T) == 4 ? __uint_as_float(to_tf32(__float_as_uint(value))) : value;
    }
};

/* Exact float32, with D distributed over lanes in the same way. */
struct ExactProducts {
    template <class T, class TILE>
    static __device__ __forceinline__ void multiply(const SharedArray<unsigned char> stage, int warp_m, int warp_n,
                                                    Accumulator<TILE> &sum)
    {
        const int lane = int(threadIdx.x) % 32;
        const int a_row = warp_m * TILE::WARP_M + lane / 4, b_row = TILE::M + warp_n * TILE::WARP_N + lane % 4 * 2;
#pragma unroll 1 /* if unrolled, its loads move up and take every register */
        for (int chunk = 0; chunk < row_chunks; ++chunk) {
            float4 a[TILE::WARP_M / 8];
#pragma unroll
            for (int i = 0; i < TILE::WARP_M / 8; ++i)
                a[i] = shared_load<float4>(stage, chunk_at(a_row + 8 * i, chunk));
#pragma unroll
            for (int j = 0; j < TILE::WARP_N / 4; ++j) {
                const float4 b = shared_load<float4>(stage, chunk_at(b_row + j / 2 * 8 + j % 2, chunk));
#pragma unroll
                for (int i = 0; i < TILE::WARP_M / 8; ++i) {
                    float &d = sum.d[i / 2][j / 2][i % 2 * 2 + j % 2];
                    d += a[i].x * b.x;
                    d += a[i].y * b.y;
                    d += a[i].z * b.z;
                    d += a[i].w * b.w;
                }
            }
        }
    }

    template <class T>
    static __device__ __forceinline__ float as_factor(float value)
    {
        return value;
    }
};

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Instructions that CUDA C++ has no functions for. All exist in sm_80 and later. */
#ifndef TRIBUTARY_NATIVE_PTX_CUH
#define TRIBUTARY_NATIVE_PTX_CUH

#include "platform.cuh"

/* The larger of two values, or of two pairs of 16-bit values in a register; NaN if either is NaN. */
__device__ __forceinline__ float max_nan(float a, float b)
{
    float d;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(d) : "f"(a), "f"(b));
    return d;
}

template <class T>
__device__ unsigned max_nan_pair(unsigned a, unsigned b);

template <>
__device__ __forceinline__ unsigned max_nan_pair<__half>(unsigned a, unsigned b)
{
    unsigned d;
    asm("max.NaN.f16x2 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));
    return d;
}

template <>
__device__ __forceinline__ unsigned max_nan_pair<__nv_bfloat16>(unsigned a, unsigned b)
{
    unsigned d;
    asm("max.NaN.bf16x2 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));
    return d;
}

/* Begins to copy 16 bytes from global to shared memory, or zeros when !valid (`source` is then not read). */
template <class T>
__device__ __forceinline__ void cp_async_16(T *array, int index, const void *source, bool valid)
{
    unsigned to = static_cast<unsigned>(__cvta_generic_to_shared(array + index));
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(source), "r"(valid ? 16 : 0)
                 : "memory");
}

__device__ __forceinline__ void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/* Waits until at most the latest LEFT committed groups of this thread are pending. */
template <int LEFT>
__device__ __forceinline__ void cp_async_wait()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}

/* Four 8x8 matrices of 16-bit elements (or 8x4 of 32-bit ones). Lane l gives the address of row l%8 of matrix l/8 and
 * gets, of each matrix, the 4 bytes at column 4*(l%4) bytes of row l/4. */
template <class T>
__device__ __forceinline__ void ldmatrix_x4(unsigned (&d)[4], const T *array, int index)
{
    unsigned from = static_cast<unsigned>(__cvta_generic_to_shared(array + index));
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(d[0]), "=r"(d[1]), "=r"(d[2]), "=r"(d[3])
                 : "r"(from)
                 : "memory");
}

/* D += A * B for a 16 x 32-byte A and a 32-byte x 8 B (16 elements of T, or 8 of tf32), accumulated in float32.
 * With g = lane/4 and t = lane%4: a[0] row g, a[1] row g+8, left 16 bytes; a[2], a[3] the same rows, right 16 bytes;
 * each the 4 bytes at t. b[0], b[1]: column g, upper and lower 16 bytes, the 4 bytes at t. d[0], d[1]: row g, columns
 * 2t and 2t+1; d[2], d[3]: row g+8. */
template <class T>
__device__ void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

#define TRIB_MMA(T, shape_and_types)                                                                               \
    template <>                                                                                                    \
    __device__ __forceinline__ void mma<T>(float(&d)[4], const unsigned(&a)[4], const unsigned(&b)[2])             \
    {                                                                                                              \
        asm("mma.sync.aligned." shape_and_types " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
            : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                       \
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                   \
    }

TRIB_MMA(__half, "m16n8k16.row.col.f32.f16.f16.f32")
TRIB_MMA(__nv_bfloat16, "m16n8k16.row.col.f32.bf16.bf16.f32")
TRIB_MMA(float, "m16n8k8.row.col.f32.tf32.tf32.f32")
#undef TRIB_MMA

/* Several at once: all of a warp's tile. (One step of the warp for the emulation, where steps are slow.) */
template <int COUNT, class T>
__device__ __forceinline__ void ldmatrix_x4(unsigned (&d)[COUNT][4], const SharedArray<T> &array,
                                            const int (&index)[COUNT])
{
#pragma unroll
    for (int i = 0; i < COUNT; ++i) ldmatrix_x4(d[i], array, index[i]);
}

/* d[i][j] += a[i] * b[j], where b[j/2] holds the columns of two j. */
template <class T, int M, int N>
__device__ __forceinline__ void mma(float (&d)[M][N][4], const unsigned (&a)[M][4], const unsigned (&b)[N / 2][4])
{
#pragma unroll
    for (int i = 0; i < M; ++i)
#pragma unroll
        for (int j = 0; j < N; ++j) mma<T>(d[i][j], a[i], { b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1] });
}

/* A float32 rounded to the 10 fraction bits of tf32, to nearest, ties away from zero. */
__device__ __forceinline__ unsigned to_tf32(unsigned bits)
{
    unsigned rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(__uint_as_float(bits)));
    return rounded;
}

#endif

// SPDX-License-Identifier: Apache-2.0
// The twin of kernels/cuda/native/ptx.cuh: what each instruction does, for a whole warp at once where it is the warp's.
#pragma once

#include "platform.cuh"

inline float max_nan(float a, float b) { return std::isnan(a) ? a : std::isnan(b) ? b : a > b ? a : b; }

template <class T>
unsigned max_nan_pair(unsigned a, unsigned b);
template <>
unsigned max_nan_pair<__half>(unsigned a, unsigned b);
template <>
unsigned max_nan_pair<__nv_bfloat16>(unsigned a, unsigned b);

template <class T>
void cp_async_16(const SharedArray<T> &array, int index, const void *source, bool valid)
{
    if (valid) emulation::check_global(source, 16, false);
    array.begin_copy(index, valid ? source : nullptr);
}

inline void cp_async_commit() { emulation::running("cp.async").copies.commit(); }

template <int LEFT>
void cp_async_wait()
{
    emulation::Thread &thread = emulation::running("cp.async");
    thread.copies.wait(thread.block->shared, thread, LEFT);
}

namespace emulation
{

struct Ldmatrix {
    const std::byte *row; // 16 bytes
    std::size_t address;  // of it in shared memory
    unsigned *d;          // 4 registers
};
// `arguments` of these: several ldmatrix, one after the other.
struct Ldmatrices {
    const Ldmatrix *list;
    int count;
};
void ldmatrix(void *const *arguments, int lanes);
// How often one of ldmatrix's matrices had rows in the same banks, since the last call: each costs a cycle.
long take_bank_conflicts();

// m x n products: d[i][j] += a[i] * b[j].
struct Mma {
    float *d;          // m x n x 4 registers
    const unsigned *a; // m x 4
    const unsigned *b; // n x 2
    int m, n;
};
template <class T>
void mma(void *const *arguments, int lanes);
template <>
void mma<__half>(void *const *arguments, int lanes);
template <>
void mma<__nv_bfloat16>(void *const *arguments, int lanes);
template <>
void mma<float>(void *const *arguments, int lanes);

} // namespace emulation

template <class T>
void ldmatrix_x4(unsigned (&d)[4], const SharedArray<T> &array, int index, EMULATION_SITE)
{
    const emulation::Ldmatrix one = { array.reading(index, 16), array.address(index), d };
    emulation::Ldmatrices mine = { &one, 1 };
    emulation::running("ldmatrix").block->collective({ "ldmatrix", file, line }, &mine, emulation::ldmatrix);
}

template <int COUNT, class T>
void ldmatrix_x4(unsigned (&d)[COUNT][4], const SharedArray<T> &array, const int (&index)[COUNT], EMULATION_SITE)
{
    emulation::Ldmatrix list[COUNT];
    for (int i = 0; i < COUNT; ++i) list[i] = { array.reading(index[i], 16), array.address(index[i]), d[i] };
    emulation::Ldmatrices mine = { list, COUNT };
    emulation::running("ldmatrix").block->collective({ "ldmatrix", file, line }, &mine, emulation::ldmatrix);
}

template <class T, int M, int N>
void mma(float (&d)[M][N][4], const unsigned (&a)[M][4], const unsigned (&b)[N / 2][4], EMULATION_SITE)
{
    emulation::Mma mine = { d[0][0], a[0], b[0], M, N };
    emulation::running("mma").block->collective({ "mma", file, line }, &mine, emulation::mma<T>);
}

template <class T>
void mma(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2], EMULATION_SITE)
{
    emulation::Mma mine = { d, a, b, 1, 1 };
    emulation::running("mma").block->collective({ "mma", file, line }, &mine, emulation::mma<T>);
}

inline unsigned to_tf32(unsigned bits) { return __float_as_uint(trib_f32_to_tf32(__uint_as_float(bits))); }

// SPDX-License-Identifier: Apache-2.0
#include "ptx.cuh"

#include <cstring>
#include <vector>

template <>
unsigned max_nan_pair<__half>(unsigned a, unsigned b)
{
    auto larger = [](unsigned x, unsigned y) {
        return unsigned(trib_f32_to_f16(max_nan(trib_f16_to_f32(std::uint16_t(x)), trib_f16_to_f32(std::uint16_t(y)))));
    };
    return larger(a & 0xFFFFu, b & 0xFFFFu) | larger(a >> 16, b >> 16) << 16;
}

template <>
unsigned max_nan_pair<__nv_bfloat16>(unsigned a, unsigned b)
{
    auto larger = [](unsigned x, unsigned y) {
        return unsigned(
            trib_f32_to_bf16(max_nan(trib_bf16_to_f32(std::uint16_t(x)), trib_bf16_to_f32(std::uint16_t(y)))));
    };
    return larger(a & 0xFFFFu, b & 0xFFFFu) | larger(a >> 16, b >> 16) << 16;
}

namespace emulation
{

static void whole_warp(int lanes)
{
    if (lanes != warp_size) throw Error("a warp instruction in a block whose last warp is not full");
}

static thread_local long bank_conflicts;

long take_bank_conflicts()
{
    const long count = bank_conflicts;
    bank_conflicts = 0;
    return count;
}

// The eight rows of a matrix fill the 32 banks of 4 bytes when no two begin at the same 16 bytes of 128.
static void count_conflicts(const Ldmatrix *const *rows)
{
    unsigned used = 0;
    for (int i = 0; i < 8; ++i) {
        const unsigned quarter = 1u << (rows[i]->address / 16 % 8);
        bank_conflicts += (used & quarter) != 0;
        used |= quarter;
    }
}

void ldmatrix(void *const *arguments, int lanes)
{
    whole_warp(lanes);
    for (int k = 0; k < static_cast<const Ldmatrices *>(arguments[0])->count; ++k) {
        const Ldmatrix *of_lane[warp_size];
        for (int lane = 0; lane < lanes; ++lane)
            of_lane[lane] = &static_cast<const Ldmatrices *>(arguments[lane])->list[k];
        for (int matrix = 0; matrix < 4; ++matrix) count_conflicts(of_lane + 8 * matrix);
        for (int lane = 0; lane < lanes; ++lane)
            for (int matrix = 0; matrix < 4; ++matrix)
                std::memcpy(&of_lane[lane]->d[matrix], of_lane[8 * matrix + lane / 4]->row + 4 * (lane % 4), 4);
    }
}

// Every float16 as float32: products convert nothing else.
static const float *all_halves()
{
    static const std::vector<float> table = [] {
        std::vector<float> values(1 << 16);
        for (std::size_t bits = 0; bits < values.size(); ++bits) values[bits] = trib_f16_to_f32(std::uint16_t(bits));
        return values;
    }();
    return table.data();
}

// What a 4-byte register holds: two 16-bit elements, or one of tf32, whose low 13 bits the hardware ignores.
template <class T>
struct Register;
template <>
struct Register<__half> {
    static constexpr int elements = 2;
    static float element(unsigned bits, int i) { return all_halves()[std::uint16_t(bits >> (16 * i))]; }
};
template <>
struct Register<__nv_bfloat16> {
    static constexpr int elements = 2;
    static float element(unsigned bits, int i) { return trib_bf16_to_f32(std::uint16_t(bits >> (16 * i))); }
};
template <>
struct Register<float> {
    static constexpr int elements = 1;
    static float element(unsigned bits, int) { return __uint_as_float(bits & ~0x1FFFu); }
};

// The factors of one warp's tile as matrices.
constexpr int most_a = 8, most_b = 16;
template <class T>
struct Factors {
    static constexpr int per = Register<T>::elements, half = 4 * per, depth = 2 * half;
    float a[most_a][16][depth], b[most_b][depth][8];
};

template <class T>
static void gather(const Mma &mine, int lane, Factors<T> &f)
{
    const int g = lane / 4, t = lane % 4;
    for (int i = 0; i < mine.m; ++i)
        for (int r = 0; r < 4; ++r)
            for (int e = 0; e < f.per; ++e)
                f.a[i][g + 8 * (r % 2)][f.half * (r / 2) + f.per * t + e] = Register<T>::element(mine.a[4 * i + r], e);
    for (int j = 0; j < mine.n; ++j)
        for (int r = 0; r < 2; ++r)
            for (int e = 0; e < f.per; ++e)
                f.b[j][f.half * r + f.per * t + e][g] = Register<T>::element(mine.b[2 * j + r], e);
}

template <int DEPTH>
static void multiply_add(float (&d)[16][8], const float (&a)[16][DEPTH], const float (&b)[DEPTH][8])
{
    for (int m = 0; m < 16; ++m)
        for (int k = 0; k < DEPTH; ++k)
            for (int n = 0; n < 8; ++n) d[m][n] += a[m][k] * b[k][n];
}

template <class T>
static void multiply(void *const *arguments, int lanes)
{
    whole_warp(lanes);
    static thread_local Factors<T> f;
    const Mma *of_lane[warp_size];
    for (int lane = 0; lane < lanes; ++lane) of_lane[lane] = static_cast<Mma *>(arguments[lane]);
    if (of_lane[0]->m > most_a || of_lane[0]->n > most_b) throw Error("mma: a tile larger than any of ours");
    for (int lane = 0; lane < lanes; ++lane) gather(*of_lane[lane], lane, f);
    for (int ij = 0; ij < of_lane[0]->m * of_lane[0]->n; ++ij) {
        float d[16][8];
        const auto element = [&](int lane, int r) -> float & {
            return d[lane / 4 + 8 * (r / 2)][2 * (lane % 4) + r % 2];
        };
        for (int lane = 0; lane < lanes; ++lane)
            for (int r = 0; r < 4; ++r) element(lane, r) = of_lane[lane]->d[4 * ij + r];
        multiply_add(d, f.a[ij / of_lane[0]->n], f.b[ij % of_lane[0]->n]);
        for (int lane = 0; lane < lanes; ++lane)
            for (int r = 0; r < 4; ++r) of_lane[lane]->d[4 * ij + r] = element(lane, r);
    }
}

template <>
void mma<__half>(void *const *arguments, int lanes)
{
    multiply<__half>(arguments, lanes);
}
template <>
void mma<__nv_bfloat16>(void *const *arguments, int lanes)
{
    multiply<__nv_bfloat16>(arguments, lanes);
}
template <>
void mma<float>(void *const *arguments, int lanes)
{
    multiply<float>(arguments, lanes);
}

} // namespace emulation

// SPDX-License-Identifier: Apache-2.0
#include "ptx.cuh"

#include <cstring>

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
static void count_conflicts(void *const *rows)
{
    unsigned used = 0;
    for (int i = 0; i < 8; ++i) {
        const unsigned quarter = 1u << (static_cast<const Ldmatrix *>(rows[i])->address / 16 % 8);
        bank_conflicts += (used & quarter) != 0;
        used |= quarter;
    }
}

void ldmatrix(void *const *arguments, int lanes)
{
    whole_warp(lanes);
    for (int matrix = 0; matrix < 4; ++matrix) count_conflicts(arguments + 8 * matrix);
    for (int lane = 0; lane < lanes; ++lane)
        for (int matrix = 0; matrix < 4; ++matrix) {
            const auto *row = static_cast<Ldmatrix *>(arguments[8 * matrix + lane / 4]);
            std::memcpy(&static_cast<Ldmatrix *>(arguments[lane])->d[matrix], row->row + 4 * (lane % 4), 4);
        }
}

// What a 4-byte register holds: two 16-bit elements, or one of tf32, whose low 13 bits the hardware ignores.
template <class T>
struct Register;
template <>
struct Register<__half> {
    static constexpr int elements = 2;
    static float element(unsigned bits, int i) { return trib_f16_to_f32(std::uint16_t(bits >> (16 * i))); }
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

template <class T>
static void multiply(void *const *arguments, int lanes)
{
    whole_warp(lanes);
    constexpr int per = Register<T>::elements, half = 4 * per, depth = 2 * half;
    float a[16][depth], b[depth][8], d[16][8];
    for (int lane = 0; lane < lanes; ++lane) {
        const auto *mine = static_cast<const Mma *>(arguments[lane]);
        const int g = lane / 4, t = lane % 4;
        for (int i = 0; i < per; ++i) {
            for (int r = 0; r < 4; ++r)
                a[g + 8 * (r % 2)][half * (r / 2) + per * t + i] = Register<T>::element(mine->a[r], i);
            for (int r = 0; r < 2; ++r) b[half * r + per * t + i][g] = Register<T>::element(mine->b[r], i);
        }
        for (int r = 0; r < 4; ++r) d[g + 8 * (r / 2)][2 * t + r % 2] = mine->d[r];
    }
    for (int m = 0; m < 16; ++m)
        for (int k = 0; k < depth; ++k)
            for (int n = 0; n < 8; ++n) d[m][n] += a[m][k] * b[k][n];
    for (int lane = 0; lane < lanes; ++lane)
        for (int r = 0; r < 4; ++r)
            static_cast<const Mma *>(arguments[lane])->d[r] = d[lane / 4 + 8 * (r / 2)][2 * (lane % 4) + r % 2];
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

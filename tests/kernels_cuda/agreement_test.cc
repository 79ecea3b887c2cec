// SPDX-License-Identifier: Apache-2.0
// What the kernels promise beyond their references: fused ones equal the two they replace bit for bit, tiles do not
// show in results, and what they cannot do they refuse in words.
#include <gtest/gtest.h>

#include <climits>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "device.h"
#include "emulation/launch.cuh"
#include "emulation/ptx.cuh"
#include "tributary/internal/kernels_cuda.h"

namespace
{

using Bytes = std::vector<std::byte>;

Bytes random_values(std::size_t count, trib_dtype dtype, unsigned seed)
{
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-2, 2);
    Bytes bytes(count * trib_dtype_size(dtype));
    for (std::size_t i = 0; i < count; ++i) {
        const float value = uniform(random);
        const std::uint16_t half = dtype == TRIB_F16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
        std::memcpy(&bytes[i * trib_dtype_size(dtype)], dtype == TRIB_F32 ? (const void *)&value : &half,
                    trib_dtype_size(dtype));
    }
    return bytes;
}

// Runs call(output) on a zeroed output of this size.
template <class F>
Bytes result(std::size_t count, trib_dtype dtype, F call)
{
    Bytes bytes(count * trib_dtype_size(dtype));
    device::Buffer y(bytes, true);
    const trib_status status = call(y.at(0));
    EXPECT_EQ(status.code, TRIB_OK) << status.message;
    y.read(bytes);
    return bytes;
}

trib_window_geometry pool(int c, int h, int size, int stride, int pad, int p)
{
    trib_window_geometry g = {};
    g.n = 2, g.c = g.k = g.x_pitch = g.y_pitch = c, g.h = g.w = h, g.p = g.q = p;
    g.r = g.s = size, g.stride_h = g.stride_w = stride;
    g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = pad;
    return g;
}

trib_conv1x1_geometry conv(int c, std::initializer_list<int> k)
{
    trib_conv1x1_geometry g = {};
    g.n = 2, g.h = 7, g.w = 9, g.c = g.x_pitch = c;
    for (int columns : k) g.k[g.outputs] = g.y_pitch[g.outputs] = columns, ++g.outputs;
    return g;
}

class Agreement : public testing::TestWithParam<trib_dtype>
{
  protected:
    const trib_dtype dtype = GetParam();
    const trib_lrn_coefficients lrn = { 5, 2, 0.75f, 1 };
};

TEST_P(Agreement, MaxPoolAndLrnInOne)
{
    const trib_window_geometry g = pool(24, 11, 3, 2, 0, 5);
    const trib_pixel_geometry pixels = { 2 * 5 * 5, 24, 24, 24, false };
    const device::Buffer x(random_values(2 * 11 * 11 * 24, dtype, 1), false);
    const Bytes pooled =
        result(50 * 24, dtype, [&](void *y) { return trib_cuda_max_pool2d(&g, dtype, x.at(0), y, 0); });
    const device::Buffer between(pooled, false);
    EXPECT_EQ(
        result(50 * 24, dtype, [&](void *y) { return trib_cuda_max_pool2d_lrn(&g, &lrn, dtype, x.at(0), y, 0); }),
        result(50 * 24, dtype, [&](void *y) { return trib_cuda_lrn(&pixels, &lrn, dtype, between.at(0), y, 0); }));
}

TEST_P(Agreement, LrnAndMaxPoolInOne)
{
    const trib_window_geometry g = pool(24, 11, 3, 2, 0, 5);
    const trib_pixel_geometry pixels = { 2 * 11 * 11, 24, 24, 24, false };
    const std::size_t count = 2 * 11 * 11 * 24;
    const device::Buffer x(random_values(count, dtype, 1), false);
    const Bytes normalised =
        result(count, dtype, [&](void *y) { return trib_cuda_lrn(&pixels, &lrn, dtype, x.at(0), y, 0); });
    const device::Buffer between(normalised, false);
    EXPECT_EQ(result(50 * 24, dtype, [&](void *y) { return trib_cuda_lrn_max_pool2d(&g, &lrn, dtype, x.at(0), y, 0); }),
              result(50 * 24, dtype, [&](void *y) { return trib_cuda_max_pool2d(&g, dtype, between.at(0), y, 0); }));
}

TEST_P(Agreement, PoolProjectionInOne)
{
    const struct {
        trib_status (*pool)(const trib_window_geometry *, trib_dtype, const void *, void *, void *);
        trib_status (*both)(const trib_conv1x1_geometry *, trib_dtype, const void *, const void *, const float *,
                            void *const *, void *);
    } pools[] = { { trib_cuda_max_pool2d, trib_cuda_max_pool2d_conv1x1 },
                  { trib_cuda_avg_pool2d, trib_cuda_avg_pool2d_conv1x1 } };
    trib_conv1x1_geometry g = conv(40, { 72 });
    trib_window_geometry window = pool(40, 7, 3, 1, 1, 7);
    window.w = window.q = 9;
    const std::size_t rows = 2 * 7 * 9;
    const device::Buffer x(random_values(rows * 40, dtype, 1), false), w(random_values(72 * 40, dtype, 2), false);
    for (const auto &kind : pools)
        for (bool tf32 : { false, true }) {
            const device::Buffer between(
                result(rows * 40, dtype, [&](void *y) { return kind.pool(&window, dtype, x.at(0), y, 0); }), false);
            g.tf32 = tf32;
            EXPECT_EQ(result(rows * 72, dtype,
                             [&](void *y) { return kind.both(&g, dtype, x.at(0), w.at(0), nullptr, &y, 0); }),
                      result(rows * 72, dtype, [&](void *y) {
                          return trib_cuda_conv1x1(&g, dtype, between.at(0), w.at(0), nullptr, &y, 0);
                      }));
        }
}

TEST_P(Agreement, TilesDoNotShowInResults)
{
    trib_conv1x1_geometry g = conv(200, { 136 });
    const std::size_t rows = 2 * 7 * 9;
    const device::Buffer x(random_values(rows * 200, dtype, 1), false), w(random_values(136 * 200, dtype, 2), false);
    const auto with = [&](trib_conv1x1_tile tile) {
        g.tile = tile;
        return result(rows * 136, dtype,
                      [&](void *y) { return trib_cuda_conv1x1(&g, dtype, x.at(0), w.at(0), nullptr, &y, 0); });
    };
    for (bool tf32 : { false, true }) {
        g.tf32 = tf32;
        const Bytes small = with(TRIB_TILE_64);
        EXPECT_EQ(small, with(TRIB_TILE_128));
        EXPECT_EQ(small, with(TRIB_TILE_AUTO));
    }
}

TEST_P(Agreement, SeveralOutputsAreTheColumnsOfOne)
{
    const trib_conv1x1_geometry one = conv(48, { 96 }), three = conv(48, { 8, 64, 24 });
    const std::size_t rows = 2 * 7 * 9, size = trib_dtype_size(dtype);
    const device::Buffer x(random_values(rows * 48, dtype, 1), false), w(random_values(96 * 48, dtype, 2), false);
    const Bytes all = result(rows * 96, dtype,
                             [&](void *y) { return trib_cuda_conv1x1(&one, dtype, x.at(0), w.at(0), nullptr, &y, 0); });
    // One buffer, pitch 96: the three side by side, as in a concatenation.
    trib_conv1x1_geometry slices = three;
    for (int i = 0; i < 3; ++i) slices.y_pitch[i] = 96;
    const Bytes joined = result(rows * 96, dtype, [&](void *y) {
        char *first = static_cast<char *>(y);
        void *const outputs[] = { first, first + 8 * size, first + 72 * size };
        return trib_cuda_conv1x1(&slices, dtype, x.at(0), w.at(0), nullptr, outputs, 0);
    });
    EXPECT_EQ(all, joined);
}

TEST_P(Agreement, SharedMemoryOfTheProductHasNoBankConflicts)
{
    trib_conv1x1_geometry g = conv(96, { 128 });
    const device::Buffer x(random_values(2 * 63 * 96, dtype, 1), false), w(random_values(128 * 96, dtype, 2), false);
    emulation::take_bank_conflicts();
    for (trib_conv1x1_tile tile : { TRIB_TILE_64, TRIB_TILE_128 }) {
        g.tf32 = true;
        g.tile = tile;
        result(2 * 63 * 128, dtype,
               [&](void *y) { return trib_cuda_conv1x1(&g, dtype, x.at(0), w.at(0), nullptr, &y, 0); });
    }
    EXPECT_EQ(emulation::take_bank_conflicts(), 0);
}

// There and back gives the same bits, including NaN.
TEST_P(Agreement, ReorderKeepsBits)
{
    const std::size_t count = 2 * 63 * 70, size = trib_dtype_size(dtype);
    Bytes bits(count * size);
    std::mt19937 random(1);
    for (std::byte &byte : bits) byte = std::byte(random());
    const device::Buffer x(bits, false);
    const trib_reorder_geometry there = { 2, 70, 7, 9, 70, false, true, 70, 70, false },
                                back = { 2, 70, 7, 9, 70, true, false, 70, 70, false };
    const device::Buffer between(
        result(count, dtype, [&](void *y) { return trib_cuda_reorder(&there, dtype, dtype, x.at(0), y, 0); }), false);
    EXPECT_EQ(
        result(count, dtype, [&](void *y) { return trib_cuda_reorder(&back, dtype, dtype, between.at(0), y, 0); }),
        bits);
}

INSTANTIATE_TEST_SUITE_P(All, Agreement, testing::Values(TRIB_F32, TRIB_F16, TRIB_BF16),
                         [](const auto &info) { return std::string(trib_dtype_name(info.param)); });

// What a 1x1 convolution in tf32 makes of factors that are all the same.
float product_in_tf32(float x_value, float w_value)
{
    trib_conv1x1_geometry g = conv(8, { 8 });
    g.tf32 = true;
    std::vector<float> x(2 * 63 * 8, x_value), w(64, 0);
    for (int i = 0; i < 8; ++i) w[9 * i] = w_value;
    Bytes x_bytes(x.size() * 4), w_bytes(w.size() * 4);
    std::memcpy(x_bytes.data(), x.data(), x_bytes.size());
    std::memcpy(w_bytes.data(), w.data(), w_bytes.size());
    const device::Buffer x_buffer(x_bytes, false), w_buffer(w_bytes, false);
    const Bytes bytes = result(x.size(), TRIB_F32, [&](void *y) {
        return trib_cuda_conv1x1(&g, TRIB_F32, x_buffer.at(0), w_buffer.at(0), nullptr, &y, 0);
    });
    float y;
    std::memcpy(&y, bytes.data(), sizeof y);
    return y;
}

// Cut off, 1 + 3/4 of the last of tf32's bits would be 1.
TEST(Conv1x1, Tf32OperandsAreRounded)
{
    const float last = 1.0f / 1024;
    EXPECT_EQ(product_in_tf32(1 + 0.75f * last, 1 + 0.75f * last), 1 + 2 * last);
}

// The next product may be a library's that cuts off what is beyond tf32: 1.75 times the last bit would be that bit.
TEST(Conv1x1, Tf32ResultsAreRounded)
{
    const float last = 1.0f / 1024;
    EXPECT_EQ(product_in_tf32(1 + last, 1.75f), 1.75f + 2 * last);
}

// ---- refusals ----

// Ties and what is next to them, and the ends of each type's range, as the host rounds them: bit for bit.
TEST_P(Agreement, PackedWeightsAreRoundedAsOnTheHost)
{
    const std::uint32_t bits[] = { 0x00000000, 0x80000000, 0x3F800000, 0x3F801000, 0x3F800FFF, 0x3F801001, 0x3F803000,
                                   0x3F808000, 0x3F818000, 0x3F817FFF, 0x477FEFFF, 0x477FF000, 0x7F7FFFFF, 0x7F800000,
                                   0xFF800000, 0x33000000, 0x33000001, 0x387FF000, 0x00000001, 0xC0490FDB };
    constexpr int count = sizeof bits / sizeof *bits;
    std::vector<float> values(count);
    std::memcpy(values.data(), bits, sizeof bits);
    Bytes bytes(sizeof bits);
    std::memcpy(bytes.data(), bits, sizeof bits);
    const device::Buffer w(bytes, false);
    for (bool tf32 : { false, true }) {
        if (tf32 && dtype != TRIB_F32) continue;
        const trib_pack_geometry g = { count / 4, 2, 2, 3, tf32 };
        const Bytes packed = result(count / 4 * 6, dtype, [&](void *y) {
            return trib_cuda_pack_weights(&g, dtype, reinterpret_cast<const float *>(w.at(0)), y, nullptr);
        });
        for (int i = 0; i < count / 4 * 6; ++i) {
            const int k = i / 6, tap = i / 3 % 2, c = i % 3;
            const float value = c < 2 ? values[std::size_t(k * 4 + c * 2 + tap)] : 0;
            const float rounded = tf32 ? trib_f32_to_tf32(value) : value;
            const std::uint16_t half = dtype == TRIB_F16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
            const void *wanted = dtype == TRIB_F32 ? static_cast<const void *>(&rounded) : &half;
            const std::size_t size = trib_dtype_size(dtype);
            EXPECT_EQ(std::memcmp(&packed[std::size_t(i) * size], wanted, size), 0) << k << ' ' << tap << ' ' << c;
        }
    }
}

void expect_unsupported(const trib_status &status, const std::string &text)
{
    EXPECT_EQ(status.code, TRIB_UNSUPPORTED) << status.message;
    EXPECT_NE(std::string(status.message).find(text), std::string::npos) << status.message;
}

TEST(Refusals, OfGeometriesNoKernelIsFor)
{
    alignas(16) float x[64] = {};
    void *y = x;
    trib_window_geometry window = pool(8, 1, 1, 1, 0, 1);
    trib_pixel_geometry pixels = { 1, 8, 8, 8, false };
    trib_lrn_coefficients lrn = { 11, 1, 0.75f, 1 };
    expect_unsupported(trib_cuda_lrn(&pixels, &lrn, TRIB_F32, x, y, nullptr), "lrn: no CUDA kernel for a size of 11");
    expect_unsupported(trib_cuda_max_pool2d_lrn(&window, &lrn, TRIB_F32, x, y, nullptr), "size of 11");
    expect_unsupported(trib_cuda_lrn_max_pool2d(&window, &lrn, TRIB_F32, x, y, nullptr), "size of 11");
    lrn.size = 5;
    window.c = 7;
    expect_unsupported(trib_cuda_max_pool2d_lrn(&window, &lrn, TRIB_F16, x, y, nullptr), "7 channels");
    expect_unsupported(trib_cuda_lrn_max_pool2d(&window, &lrn, TRIB_F16, x, y, nullptr), "7 channels");
    window = pool(8, 64, 32, 1, 0, 33);
    expect_unsupported(trib_cuda_lrn_max_pool2d(&window, &lrn, TRIB_F16, x, y, nullptr), "32x32");
    expect_unsupported(trib_cuda_max_pool2d(&window, TRIB_I64, x, y, nullptr), "max_pool2d: no CUDA kernel for i64");
    expect_unsupported(trib_cuda_scale_shift(&pixels, TRIB_U8, x, x, x, y, nullptr),
                       "scale_shift: no CUDA kernel for u8");
    const trib_reorder_geometry reorder = { 1, 8, 1, 1, 8, false, true, 8, 8, false };
    expect_unsupported(trib_cuda_reorder(&reorder, TRIB_F32, TRIB_I64, x, y, nullptr),
                       "reorder: no CUDA kernel for i64");
    expect_unsupported(trib_cuda_reorder(&reorder, TRIB_U8, TRIB_F32, x, y, nullptr), "reorder: no CUDA kernel for u8");
    expect_unsupported(trib_cuda_softmax_top_k(&pixels, 9, TRIB_F32, x, x, nullptr, nullptr), "9 largest of 8");
    expect_unsupported(trib_cuda_softmax_top_k(&pixels, 0, TRIB_F32, x, x, nullptr, nullptr), "0 largest");
    const trib_pack_geometry pack = { 1, 1, 1, 1, true };
    expect_unsupported(trib_cuda_pack_weights(&pack, TRIB_F16, x, y, nullptr), "tf32 is stored as f32, not as f16");
    const trib_preprocess_geometry preprocess = { 1, 3, false, {}, {} };
    expect_unsupported(trib_cuda_preprocess(&preprocess, TRIB_F32, nullptr, x + 1, nullptr), "not aligned");
}

TEST(Refusals, OfConvolutionsThatDoNotFitIntoChunks)
{
    alignas(16) float x[64] = {};
    void *y[4] = { x, x, x, x };
    const auto refuse = [&](auto change, const std::string &text, bool by_check = true) {
        trib_conv1x1_geometry g = conv(16, { 8, 8 });
        const void *w = x;
        const float *bias = x;
        change(g, w, bias);
        expect_unsupported(trib_cuda_conv1x1(&g, TRIB_F16, x, w, bias, y, nullptr), text);
        EXPECT_EQ(trib_cuda_conv1x1_check(&g, TRIB_F16).code, by_check ? TRIB_UNSUPPORTED : TRIB_OK);
    };
    using G = trib_conv1x1_geometry &;
    refuse([](G g, auto &, auto &) { g.c = 12; }, "12 input channels");
    refuse([](G g, auto &, auto &) { g.x_pitch = 20; }, "of pitch 20");
    refuse([](G g, auto &, auto &) { g.k[1] = 4; }, "4 channels of output 1");
    refuse([](G g, auto &, auto &) { g.y_pitch[0] = 9; }, "of pitch 9");
    refuse([](G g, auto &, auto &) { g.outputs = 5; }, "5 outputs");
    refuse([](G g, auto &, auto &) { g.outputs = 0; }, "0 outputs");
    refuse([](G g, auto &, auto &) { g.n = INT_MAX; }, "smaller batch");
    refuse([&](G, auto &w, auto &) { w = x + 1; }, "not aligned", false);
    refuse([&](G, auto &, auto &bias) { bias = x + 1; }, "not aligned", false);
    const trib_conv1x1_geometry g = conv(16, { 8 });
    expect_unsupported(trib_cuda_conv1x1_check(&g, TRIB_U8), "no CUDA kernel for u8");
}

// On a device with few multiprocessors a middling batch gets large tiles.
TEST(Conv1x1, ChoosesTheTileByTheDevice)
{
    trib_conv1x1_geometry g = conv(16, { 128 });
    const device::Buffer x(random_values(2 * 63 * 16, TRIB_F16, 1), false),
        w(random_values(128 * 16, TRIB_F16, 2), false);
    for (const auto &[multiprocessors, wanted] : { std::pair<int, unsigned>(132, 4), { 0, 1 } }) {
        emulation::set_multiprocessor_count(multiprocessors);
        result(2 * 63 * 128, TRIB_F16,
               [&](void *y) { return trib_cuda_conv1x1(&g, TRIB_F16, x.at(0), w.at(0), nullptr, &y, 0); });
        EXPECT_EQ(emulation::last_grid().x, wanted) << multiprocessors;
    }
    emulation::set_multiprocessor_count(132);
}

} // namespace

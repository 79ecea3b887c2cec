// SPDX-License-Identifier: Apache-2.0
// References of training beside their gradients: indices, random numbers, labels, updates.
#include "tributary/training_kernels.h"

#include <cmath>
#include <limits>
#include <set>

#include "nhwc.h"

using kernels::Nhwc;

namespace
{

const float infinity = std::numeric_limits<float>::infinity();

// ---- indices of maxima ----

// One channel, one window of 2x3 over the whole image.
struct OneWindow {
    trib_window_geometry g = {};
    float y = 0;
    std::uint8_t index = 99;

    explicit OneWindow(const std::vector<float> &x)
    {
        g.n = g.c = g.k = g.p = g.q = 1, g.h = g.r = 2, g.w = g.s = 3, g.stride_h = g.stride_w = 1;
        g.x_pitch = g.y_pitch = 1;
        trib_ref_max_pool2d_indexed(&g, x.data(), &y, &index, 1);
    }
};

TEST(MaxPool2dIndexed, TheFirstOfEqualMaximaIsTaken)
{
    EXPECT_EQ(OneWindow({ 1, 7, 3, 7, 7, 2 }).index, 1);
    EXPECT_EQ(OneWindow({ 0, -0.0f, 0, 0, 0, 0 }).index, 0);
    EXPECT_EQ(OneWindow({ -infinity, -infinity, -infinity, -infinity, -infinity, -infinity }).index, 0);
    const OneWindow equal({ 1, 7, 3, 7, 7, 2 });
    const float dy = 5;
    float dx[6];
    trib_ref_max_pool2d_backward(&equal.g, &dy, &equal.index, 1, dx, false);
    EXPECT_EQ(std::vector<float>(dx, dx + 6), (std::vector<float> { 0, 5, 0, 0, 0, 0 }));
}

TEST(MaxPool2dIndexed, TheLastNaNIsTaken) // as in PyTorch
{
    const OneWindow window({ 1, NAN, 9, NAN, 9, 2 });
    EXPECT_EQ(window.index, 3);
    EXPECT_TRUE(std::isnan(window.y));
}

TEST(MaxPool2dIndexed, PlacesCountFromTheWindowsCornerWithPadding)
{
    // 2x2 pixels, windows of 3x3 around each.
    const float x[] = { 1, 2, 3, 4 };
    float y[4];
    std::uint8_t index[4];
    trib_window_geometry g = {};
    g.n = g.c = g.k = g.x_pitch = g.y_pitch = g.stride_h = g.stride_w = 1;
    g.h = g.w = g.p = g.q = 2, g.r = g.s = 3;
    g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = 1;
    trib_ref_max_pool2d_indexed(&g, x, y, index, 1);
    const int wanted[] = { 8, 7, 5, 4 }; // the lower right pixel, seen from each
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(y[i], 4);
        EXPECT_EQ(index[i], wanted[i]);
    }
    const float dy[] = { 1, 10, 100, 1000 };
    float dx[4];
    trib_ref_max_pool2d_backward(&g, dy, index, 1, dx, false);
    EXPECT_EQ(std::vector<float>(dx, dx + 4), (std::vector<float> { 0, 0, 0, 1111 }));
}

TEST(MaxPool2dIndexed, AWindowOf256HasTheLastIndexOf255)
{
    std::vector<float> x(256);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = float(i);
    trib_window_geometry g = {};
    g.n = g.c = g.k = g.p = g.q = g.x_pitch = g.y_pitch = g.stride_h = g.stride_w = 1;
    g.h = g.w = g.r = g.s = 16;
    float y;
    std::uint8_t index;
    trib_ref_max_pool2d_indexed(&g, x.data(), &y, &index, 1);
    EXPECT_EQ(index, 255);
}

// ---- random numbers, dropout ----

// The first is an answer that Random123 publishes for Philox 4x32-10, the second comes from a program that gives all of
// those (an index cannot reach their other counters).
TEST(Dropout, RandomNumbersArePhilox)
{
    const auto words = [](std::uint64_t seed, std::uint64_t step, std::uint32_t salt, std::uint64_t block) {
        std::vector<std::uint32_t> upper; // 24 bits of each
        for (std::uint64_t i = 0; i < 4; ++i)
            upper.push_back(std::uint32_t(trib_random_uniform(seed, step, salt, 4 * block + i) * 16777216.0f));
        return upper;
    };
    EXPECT_EQ(words(0, 0, 0, 0), (std::vector<std::uint32_t> { 0x6627e8, 0xe169c5, 0xbc57ac, 0x9b00db }));
    EXPECT_EQ(words(0x0123456789abcdef, 0x1122334455667788, 0xdeadbeef, 0x3fedcba987654321),
              (std::vector<std::uint32_t> { 0x1aa300, 0x273df7, 0xc2c4a3, 0x5ed735 }));
    EXPECT_EQ(words(0, 0, 7, 3), words(std::uint64_t(7) << 32, 0, 0, 3)) << "the salt is part of the key";
}

TEST(Dropout, RandomNumbersDependOnEveryArgument)
{
    std::set<float> seen;
    for (std::uint64_t seed : { 0u, 1u })
        for (std::uint64_t step : { std::uint64_t(0), std::uint64_t(1), std::uint64_t(1) << 32 })
            for (std::uint32_t salt : { 0u, 1u })
                for (std::uint64_t i : { std::uint64_t(0), std::uint64_t(1), std::uint64_t(4), std::uint64_t(1) << 34 })
                    seen.insert(trib_random_uniform(seed, step, salt, i));
    EXPECT_EQ(seen.size(), 2u * 3 * 2 * 4);
    for (float u : seen) EXPECT_TRUE(u >= 0 && u < 1) << u;
}

trib_dropout_geometry dropout(const Nhwc &x, const Nhwc &y, float p)
{
    return { x.n, x.c, std::int64_t(x.h) * x.w, x.pitch, y.pitch, p, 12345, 6, 7 };
}

TEST(Dropout, KeepsAsManyAsItShouldAndScalesThem)
{
    for (float p : { 0.0f, 0.2f, 0.4f, 0.7f }) {
        Nhwc x(4, 5, 5, 400, 1, 2), y(4, 5, 5, 400, 0, 3);
        x.fill([](int, int, int, int) { return 2.0f; });
        const trib_dropout_geometry g = dropout(x, y, p);
        trib_ref_dropout(&g, x.data(), y.data());
        int kept = 0;
        y.fill([&](int n, int h, int w, int c) {
            const float value = y.at(n, h, w, c);
            kept += value != 0;
            EXPECT_TRUE(value == 0 || value == 2 * (1 / (1 - p))) << value;
            return value;
        });
        const double count = 40000, deviation = std::sqrt(count * p * (1 - p));
        EXPECT_LE(std::fabs(kept - count * (1 - double(p))), 4 * deviation) << p;
        y.expect_canaries();
    }
}

// The mask of a gradient is that of the forward, whatever the pitches, and in place.
TEST(Dropout, TheSameKeyGivesTheSameMask)
{
    Nhwc x(2, 3, 4, 5, 1, 2), y(2, 3, 4, 5, 0, 3), dx(2, 3, 4, 5);
    x.fill([](int, int, int, int) { return 1.0f; });
    dx.fill([](int, int, int, int) { return 1.0f; });
    trib_dropout_geometry g = dropout(x, y, 0.5f);
    trib_ref_dropout(&g, x.data(), y.data());
    g.x_pitch = g.y_pitch = dx.pitch;
    trib_ref_dropout(&g, dx.data(), dx.data());
    int changed = 0;
    y.fill([&](int n, int h, int w, int c) {
        EXPECT_EQ(y.at(n, h, w, c), dx.at(n, h, w, c));
        // Elements are counted in N,C,H,W order, so that a layout does not matter.
        const float u = trib_random_uniform(12345, 6, 7, std::uint64_t(((n * 5 + c) * 3 + h) * 4 + w));
        EXPECT_EQ(y.at(n, h, w, c), u < 0.5f ? 0 : 2);
        return y.at(n, h, w, c);
    });
    g.step = 7;
    Nhwc other(2, 3, 4, 5);
    g.x_pitch = x.pitch;
    trib_ref_dropout(&g, x.data(), other.data());
    for (std::size_t i = 0; i < other.memory.size(); ++i) changed += other.memory[i] != dx.memory[i];
    EXPECT_GT(changed, 30) << "another step has another mask";
}

// ---- loss ----

// torch.nn.functional.cross_entropy of PyTorch 2.15, with label_smoothing=0.1.
TEST(CrossEntropy, SmoothsLabelsAsPyTorchDoes)
{
    const float x[] = { 1, 2, 3, 1, 2, 3, 0.5f, -1, 2 };
    const std::int32_t labels[] = { 0, 2, 1 };
    const trib_cross_entropy_geometry g = { 3, 3, 3, 3, 0.1f, 1 };
    const double losses[] = { 2.3076059818, 0.5076059103, 3.0913112164 };
    const double gradients[] = { -0.2811009288, 0.0704650506, 0.2106359005,  0.0188990813, 0.0704650506,
                                 -0.0893641114, 0.0473190211, -0.2980735898, 0.2507545650 };
    float dx[9], loss[3];
    trib_ref_cross_entropy(&g, x, labels, dx, loss);
    for (int i = 0; i < 3; ++i) kernels::expect_near(loss[i], losses[i]);
    for (int i = 0; i < 9; ++i) kernels::expect_near(dx[i], gradients[i]);
}

TEST(CrossEntropy, ALabelOutsideTheClassesGivesNaNAndNoGradient)
{
    const float x[] = { 1, 2, 3, 1, 2, 3, 1, 2, 3 };
    const std::int32_t labels[] = { -1, 3, 2 };
    const trib_cross_entropy_geometry g = { 3, 3, 3, 3, 0.1f, 1 };
    float dx[9], loss[3];
    trib_ref_cross_entropy(&g, x, labels, dx, loss);
    EXPECT_TRUE(std::isnan(loss[0]));
    EXPECT_TRUE(std::isnan(loss[1]));
    EXPECT_TRUE(std::isfinite(loss[2]));
    for (int i = 0; i < 6; ++i) EXPECT_EQ(dx[i], 0) << i;
    for (int i = 6; i < 9; ++i) EXPECT_NE(dx[i], 0) << i;
}

TEST(CrossEntropy, LargeLogitsDoNotOverflow)
{
    const float x[] = { 1000, 0, -infinity };
    const trib_cross_entropy_geometry g = { 1, 3, 3, 3, 0, 1 };
    float dx[3], loss;
    std::int32_t label = 0;
    trib_ref_cross_entropy(&g, x, &label, dx, &loss);
    EXPECT_EQ(loss, 0);
    EXPECT_EQ(std::vector<float>(dx, dx + 3), (std::vector<float> { 0, 0, 0 }));
    label = 1;
    trib_ref_cross_entropy(&g, x, &label, dx, &loss);
    EXPECT_EQ(loss, 1000);
    EXPECT_EQ(std::vector<float>(dx, dx + 3), (std::vector<float> { 1, -1, 0 }));
}

TEST(CrossEntropy, NaNMakesItsRowNaNAndNoOther)
{
    const float x[] = { 1, NAN, 1, 2 };
    const std::int32_t labels[] = { 0, 0 };
    const trib_cross_entropy_geometry g = { 2, 2, 2, 2, 0, 1 };
    float dx[4], loss[2];
    trib_ref_cross_entropy(&g, x, labels, dx, loss);
    EXPECT_TRUE(std::isnan(loss[0]) && std::isnan(dx[0]) && std::isnan(dx[1]));
    EXPECT_TRUE(std::isfinite(loss[1]) && std::isfinite(dx[2]) && std::isfinite(dx[3]));
}

// ---- updates ----

// What torch.optim.SGD of PyTorch 2.15 makes of w = 1 and these gradients with lr 0.1, momentum 0.9 and weight decay
// 0.01, without and with Nesterov's momentum.
TEST(Sgd, StepsAsPyTorchDoes)
{
    const float gradients[] = { 0.5f, -0.25f, 0.125f };
    const double wanted[2][3] = { { 0.949000001, 0.927151024, 0.894059777 },
                                  { 0.903100014, 0.907574117, 0.864439189 } };
    for (bool nesterov : { false, true }) {
        float w = 1, v = 0;
        for (int step = 0; step < 3; ++step) {
            const trib_sgd_step s = { 0.1f, 0.9f, 0.01f, 4, nesterov };
            const float scaled = 4 * gradients[step];
            trib_ref_sgd(1, &s, &scaled, &w, &v);
            kernels::expect_near(w, wanted[nesterov][step], 1e-7);
        }
    }
}

TEST(Sgd, EveryElementAndNoneBehind)
{
    std::vector<float> w = kernels::random_values(9, 1), v = kernels::random_values(9, 2), before_w = w, before_v = v;
    const std::vector<float> g = kernels::random_values(8, 3);
    const trib_sgd_step s = { 0.5f, 0.25f, 0, 1, false };
    trib_ref_sgd(8, &s, g.data(), w.data(), v.data());
    for (std::size_t i = 0; i < 8; ++i) {
        EXPECT_EQ(v[i], 0.25f * before_v[i] + g[i]);
        EXPECT_EQ(w[i], before_w[i] - 0.5f * v[i]);
    }
    EXPECT_EQ(w[8], before_w[8]);
    EXPECT_EQ(v[8], before_v[8]);
}

TEST(MovingAverage, KeepsADecayOfItself)
{
    const float w[] = { 8, -2, 5 };
    float a[] = { 0, 2, 7 };
    trib_ref_moving_average(2, 0.75f, w, a);
    EXPECT_EQ(std::vector<float>(a, a + 3), (std::vector<float> { 2, 1, 7 }));
}

} // namespace

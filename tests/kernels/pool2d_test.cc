// SPDX-License-Identifier: Apache-2.0
#include "tributary/kernels.h"

#include <cmath>
#include <limits>

#include "case_name.h"
#include "nhwc.h"

using kernels::Nhwc;

namespace
{

const float nan = std::numeric_limits<float>::quiet_NaN();

struct Case {
    int n, c, h, w, r, s, stride_h, stride_w, top, left, bottom, right;
    bool ceil_mode, relu;
};

// PyTorch's rule for one side.
int extent(int in, int window, int stride, int before, int after, bool ceil_mode)
{
    int out = (in + before + after - window + (ceil_mode ? stride - 1 : 0)) / stride + 1;
    return ceil_mode && (out - 1) * stride >= in + before ? out - 1 : out;
}

trib_window_geometry geometry(const Case &t)
{
    trib_window_geometry g = {};
    g.n = t.n, g.c = g.k = t.c, g.h = t.h, g.w = t.w, g.r = t.r, g.s = t.s;
    g.stride_h = t.stride_h, g.stride_w = t.stride_w;
    g.pad_top = t.top, g.pad_left = t.left, g.pad_bottom = t.bottom, g.pad_right = t.right;
    g.p = extent(t.h, t.r, t.stride_h, t.top, t.bottom, t.ceil_mode);
    g.q = extent(t.w, t.s, t.stride_w, t.left, t.right, t.ceil_mode);
    g.x_pitch = t.c + 3, g.y_pitch = t.c + 5, g.relu = t.relu;
    return g;
}

// Calls visit(h, w, inside) for each position of a window that is in the image or its stated padding.
template <class F>
void each_position(const trib_window_geometry &g, int p, int q, F visit)
{
    for (int r = 0; r < g.r; ++r)
        for (int s = 0; s < g.s; ++s) {
            int h = p * g.stride_h - g.pad_top + r, w = q * g.stride_w - g.pad_left + s;
            if (h >= g.h + g.pad_bottom || w >= g.w + g.pad_right) continue;
            visit(h, w, h >= 0 && w >= 0 && h < g.h && w < g.w);
        }
}

class Pool2d : public testing::TestWithParam<Case>
{
  protected:
    void check(void (*kernel)(const trib_window_geometry *, const float *, float *), bool average)
    {
        const Case &t = GetParam();
        trib_window_geometry g = geometry(t);
        Nhwc x(t.n, t.h, t.w, t.c, 1, 2), y(t.n, g.p, g.q, t.c, 2, 3);
        x.randomise(7);
        kernel(&g, x.data(), y.data());
        for (int n = 0; n < g.n; ++n)
            for (int p = 0; p < g.p; ++p)
                for (int q = 0; q < g.q; ++q)
                    for (int c = 0; c < g.c; ++c) {
                        double sum = 0, best = -1e30;
                        int counted = 0;
                        each_position(g, p, q, [&](int h, int w, bool inside) {
                            ++counted;
                            if (!inside) return;
                            sum += x.at(n, h, w, c);
                            best = std::max(best, double(x.at(n, h, w, c)));
                        });
                        double wanted = average ? sum / counted : best;
                        if (t.relu) wanted = std::max(wanted, 0.0);
                        kernels::expect_near(y.at(n, p, q, c), wanted);
                    }
        y.expect_canaries();
    }
};

TEST_P(Pool2d, Maximum) { check(trib_ref_max_pool2d, false); }
TEST_P(Pool2d, Average) { check(trib_ref_avg_pool2d, true); }

INSTANTIATE_TEST_SUITE_P(
    Shapes, Pool2d,
    testing::Values(Case { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, false, false },
                    Case { 2, 4, 7, 8, 3, 3, 2, 2, 0, 0, 0, 0, true, false },
                    Case { 1, 3, 6, 6, 3, 3, 2, 2, 0, 0, 0, 0, false, true },
                    Case { 2, 5, 5, 4, 3, 3, 1, 1, 1, 1, 1, 1, true, false },
                    Case { 1, 2, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1, true, true },
                    Case { 1, 2, 14, 14, 5, 5, 3, 3, 0, 0, 0, 0, true, false },
                    Case { 1, 3, 7, 5, 2, 2, 2, 2, 0, 0, 0, 0, true, false },
                    Case { 1, 3, 2, 2, 3, 3, 2, 2, 0, 0, 0, 0, true, false },
                    Case { 1, 2, 9, 6, 4, 2, 3, 2, 0, 1, 2, 0, true, false }),
    [](const auto &info) {
        return kernels::window_name(info.param, { { "ceil", info.param.ceil_mode }, { "relu", info.param.relu } });
    });

struct Single {
    trib_window_geometry g = {};
    std::vector<float> y;
    Single(int h, int w, int r, int stride, int pad, int p, int q)
    {
        g.n = g.c = g.k = 1, g.h = h, g.w = w, g.r = g.s = r, g.stride_h = g.stride_w = stride;
        g.pad_top = g.pad_left = g.pad_bottom = g.pad_right = pad;
        g.p = p, g.q = q, g.x_pitch = g.y_pitch = 1;
        y.assign(std::size_t(p) * q, kernels::canary);
    }
};

TEST(MaxPool2dByHand, CeilModeKeepsTheLastWindow)
{
    const float x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
    Single t(4, 4, 3, 2, 0, 2, 2);
    trib_ref_max_pool2d(&t.g, x, t.y.data());
    EXPECT_EQ(t.y, (std::vector<float> { 11, 12, 15, 16 }));
}

TEST(MaxPool2dByHand, PaddingNeverWins)
{
    const float x[] = { -5, -6, -7, -8 };
    Single t(2, 2, 3, 1, 1, 2, 2);
    trib_ref_max_pool2d(&t.g, x, t.y.data());
    EXPECT_EQ(t.y, (std::vector<float> { -5, -5, -5, -5 }));
}

TEST(MaxPool2dByHand, NaNWinsWhereverItIs)
{
    for (int at = 0; at < 4; ++at) {
        float x[] = { 1, 2, 3, std::numeric_limits<float>::infinity() };
        x[at] = nan;
        for (bool relu : { false, true }) {
            Single t(2, 2, 2, 2, 0, 1, 1);
            t.g.relu = relu;
            trib_ref_max_pool2d(&t.g, x, t.y.data());
            EXPECT_TRUE(std::isnan(t.y[0])) << at;
        }
    }
}

TEST(MaxPool2dByHand, NaNStaysInItsWindow)
{
    const float x[] = { nan, 2, 3, 4 }; // one row, windows of one
    Single t(1, 4, 1, 1, 0, 1, 4);
    trib_ref_max_pool2d(&t.g, x, t.y.data());
    EXPECT_TRUE(std::isnan(t.y[0]));
    EXPECT_EQ(t.y[1], 2);
    EXPECT_EQ(t.y[3], 4);
}

TEST(AvgPool2dByHand, CountsPaddingButNotTheOverhang)
{
    // AvgPool2d(3, stride=2, padding=1, ceil_mode=True) of 4x4: the last window spans rows 3..5 of which 3 is image, 4
    // is padding and 5 is overhang.
    std::vector<float> x(16, 36.0f);
    Single t(4, 4, 3, 2, 1, 3, 3);
    trib_ref_avg_pool2d(&t.g, x.data(), t.y.data());
    EXPECT_EQ(t.y, (std::vector<float> { 16, 24, 12, 24, 36, 18, 12, 18, 9 }));
}

TEST(AvgPool2dByHand, NaNAndInfinitySpread)
{
    const float x[] = { 1, nan, 3, 4 };
    Single t(2, 2, 2, 2, 0, 1, 1);
    trib_ref_avg_pool2d(&t.g, x, t.y.data());
    EXPECT_TRUE(std::isnan(t.y[0]));
}

std::vector<float> adaptive(const std::vector<float> &row, int q)
{
    Single t(1, int(row.size()), 1, 1, 0, 1, q);
    trib_ref_adaptive_avg_pool2d(&t.g, row.data(), t.y.data());
    return t.y;
}

TEST(AdaptiveAvgPool2dByHand, WindowsOverlapAsInPyTorch)
{
    EXPECT_EQ(adaptive({ 1, 2, 6, 10, 20 }, 3), (std::vector<float> { 1.5f, 6, 15 })); // [0,2) [1,4) [3,5)
    EXPECT_EQ(adaptive({ 1, 3 }, 4), (std::vector<float> { 1, 1, 3, 3 }));
    EXPECT_EQ(adaptive({ 1, 2, 3, 4 }, 2), (std::vector<float> { 1.5f, 3.5f }));
    EXPECT_EQ(adaptive({ 1, 2, 6 }, 1), (std::vector<float> { 3 }));
    EXPECT_EQ(adaptive({ 4, 5, 9 }, 3), (std::vector<float> { 4, 5, 9 }));
}

TEST(AdaptiveAvgPool2d, MatchesMembership)
{
    // Position h is in window i when h*p < (i+1)*H and (h+1)*p > i*H.
    trib_window_geometry g = {};
    g.n = 2, g.c = g.k = 3, g.h = 7, g.w = 10, g.p = 4, g.q = 3, g.x_pitch = 6, g.y_pitch = 8, g.relu = true;
    Nhwc x(2, 7, 10, 3, 1, 2), y(2, 4, 3, 3, 4, 1);
    x.randomise(9);
    trib_ref_adaptive_avg_pool2d(&g, x.data(), y.data());
    for (int n = 0; n < 2; ++n)
        for (int p = 0; p < 4; ++p)
            for (int q = 0; q < 3; ++q)
                for (int c = 0; c < 3; ++c) {
                    double sum = 0;
                    int count = 0;
                    for (int h = 0; h < 7; ++h)
                        for (int w = 0; w < 10; ++w)
                            if (h * 4 < (p + 1) * 7 && (h + 1) * 4 > p * 7 && w * 3 < (q + 1) * 10 &&
                                (w + 1) * 3 > q * 10) {
                                sum += x.at(n, h, w, c);
                                ++count;
                            }
                    kernels::expect_near(y.at(n, p, q, c), std::max(0.0, sum / count));
                }
    y.expect_canaries();
}

} // namespace

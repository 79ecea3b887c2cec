// SPDX-License-Identifier: Apache-2.0
#include "tributary/kernels.h"

#include <cmath>
#include <limits>

#include "case_name.h"
#include "nhwc.h"

using kernels::Nhwc;

namespace
{

struct Case {
    int n, c, h, w, k, r, s, stride_h, stride_w, top, left, bottom, right;
    bool bias, relu;
};

trib_window_geometry geometry(const Case &t, const Nhwc &x, int y_pitch)
{
    trib_window_geometry g = {};
    g.n = t.n, g.c = t.c, g.h = t.h, g.w = t.w, g.k = t.k, g.r = t.r, g.s = t.s;
    g.stride_h = t.stride_h, g.stride_w = t.stride_w;
    g.pad_top = t.top, g.pad_left = t.left, g.pad_bottom = t.bottom, g.pad_right = t.right;
    g.p = (t.h + t.top + t.bottom - t.r) / t.stride_h + 1;
    g.q = (t.w + t.left + t.right - t.s) / t.stride_w + 1;
    g.x_pitch = x.pitch, g.y_pitch = y_pitch, g.relu = t.relu;
    return g;
}

// The other way round than the kernel: each input element is added to every output it takes part in.
std::vector<double> scatter(const trib_window_geometry &g, const Nhwc &x, const std::vector<float> &w,
                            const float *bias)
{
    std::vector<double> y(std::size_t(g.n) * g.p * g.q * g.k);
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = bias ? bias[i % g.k] : 0;
    for (int n = 0; n < g.n; ++n)
        for (int h = 0; h < g.h; ++h)
            for (int v = 0; v < g.w; ++v)
                for (int r = 0; r < g.r; ++r)
                    for (int s = 0; s < g.s; ++s) {
                        int ph = h + g.pad_top - r, qw = v + g.pad_left - s;
                        if (ph < 0 || qw < 0 || ph % g.stride_h || qw % g.stride_w) continue;
                        int p = ph / g.stride_h, q = qw / g.stride_w;
                        if (p >= g.p || q >= g.q) continue;
                        for (int k = 0; k < g.k; ++k)
                            for (int c = 0; c < g.c; ++c)
                                y[((std::size_t(n) * g.p + p) * g.q + q) * g.k + k] +=
                                    double(x.at(n, h, v, c)) * w[((std::size_t(k) * g.c + c) * g.r + r) * g.s + s];
                    }
    if (g.relu)
        for (double &value : y) value = std::max(value, 0.0);
    return y;
}

class Conv2d : public testing::TestWithParam<Case>
{
};

TEST_P(Conv2d, MatchesScattering)
{
    const Case &t = GetParam();
    Nhwc x(t.n, t.h, t.w, t.c, 2, 3);
    x.randomise(1);
    std::vector<float> w = kernels::random_values(std::size_t(t.k) * t.c * t.r * t.s, 2);
    std::vector<float> bias = kernels::random_values(t.k, 3);
    trib_window_geometry g = geometry(t, x, t.k + 4);
    Nhwc y(t.n, g.p, g.q, t.k, 3, 1);
    trib_ref_conv2d(&g, x.data(), w.data(), t.bias ? bias.data() : nullptr, y.data());
    std::vector<double> wanted = scatter(g, x, w, t.bias ? bias.data() : nullptr);
    std::size_t i = 0;
    for (int n = 0; n < t.n; ++n)
        for (int p = 0; p < g.p; ++p)
            for (int q = 0; q < g.q; ++q)
                for (int k = 0; k < t.k; ++k) kernels::expect_near(y.at(n, p, q, k), wanted[i++]);
    y.expect_canaries();
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Conv2d,
    testing::Values(Case { 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, false, false },
                    Case { 2, 5, 6, 7, 8, 1, 1, 1, 1, 0, 0, 0, 0, true, false },
                    Case { 1, 3, 15, 13, 9, 7, 7, 2, 2, 3, 3, 3, 3, true, true },
                    Case { 2, 4, 5, 5, 17, 3, 3, 1, 1, 1, 1, 1, 1, false, true },
                    Case { 1, 6, 4, 9, 7, 5, 5, 1, 1, 2, 2, 2, 2, true, false },
                    Case { 1, 2, 8, 5, 16, 2, 4, 3, 1, 0, 1, 1, 2, true, false },
                    Case { 1, 2, 2, 3, 3, 5, 5, 1, 1, 2, 2, 2, 2, true, true },
                    Case { 3, 1, 9, 4, 10, 4, 1, 2, 3, 3, 0, 0, 0, true, false }),
    [](const auto &info) {
        return kernels::window_name(info.param, { { "bias", info.param.bias }, { "relu", info.param.relu } });
    });

TEST(Conv2dByHand, OneChannel)
{
    // 1 2 3      1 0      1*1 + 5*2  2*1 + 6*2      11 14
    // 4 5 6  by  0 2  is  4*1 + 8*2  5*1 + 9*2   =  20 23, plus 0.5
    // 7 8 9
    const float x[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, w[] = { 1, 0, 0, 2 }, bias[] = { 0.5f };
    float y[4];
    trib_window_geometry g = {};
    g.n = g.c = g.k = 1, g.h = g.w = 3, g.r = g.s = g.p = g.q = 2, g.stride_h = g.stride_w = 1;
    g.x_pitch = g.y_pitch = 1;
    trib_ref_conv2d(&g, x, w, bias, y);
    const float wanted[] = { 11.5f, 14.5f, 20.5f, 23.5f };
    for (int i = 0; i < 4; ++i) EXPECT_EQ(y[i], wanted[i]) << i;
}

TEST(Conv2dByHand, WeightsAreOutputInputRowColumn)
{
    // One pixel of two channels, two filters of 1x2 with the right column in the padding.
    const float x[] = { 10, 100 }, w[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    float y[2];
    trib_window_geometry g = {};
    g.n = g.h = g.w = g.p = g.q = g.r = 1, g.c = g.k = g.s = 2, g.stride_h = g.stride_w = 1, g.pad_right = 1;
    g.x_pitch = g.y_pitch = 2;
    trib_ref_conv2d(&g, x, w, nullptr, y);
    EXPECT_EQ(y[0], 10 * 1 + 100 * 3);
    EXPECT_EQ(y[1], 10 * 5 + 100 * 7);
}

TEST(Conv2dByHand, SumsInDouble)
{
    const float x[] = { 1e8f, 1, -1e8f }, w[] = { 1, 1, 1 };
    float y;
    trib_window_geometry g = {};
    g.n = g.h = g.w = g.p = g.q = g.r = g.s = g.k = 1, g.c = 3, g.stride_h = g.stride_w = 1;
    g.x_pitch = 3, g.y_pitch = 1;
    trib_ref_conv2d(&g, x, w, nullptr, &y);
    EXPECT_EQ(y, 1.0f);
}

TEST(Conv2dByHand, NaNStaysNaNThroughRelu)
{
    const float x[] = { std::numeric_limits<float>::quiet_NaN() }, w[] = { 1 };
    float y = 0;
    trib_window_geometry g = {};
    g.n = g.h = g.w = g.p = g.q = g.r = g.s = g.k = g.c = 1, g.stride_h = g.stride_w = 1;
    g.x_pitch = g.y_pitch = 1, g.relu = true;
    trib_ref_conv2d(&g, x, w, nullptr, &y);
    EXPECT_TRUE(std::isnan(y));
}

} // namespace

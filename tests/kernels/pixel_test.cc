// SPDX-License-Identifier: Apache-2.0
// Kernels that work on single pixels.
#include "tributary/kernels.h"

#include <cmath>
#include <limits>

#include "nhwc.h"

using kernels::Nhwc;

namespace
{

const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

trib_pixel_geometry geometry(const Nhwc &x, const Nhwc &y, bool relu = false)
{
    return { int64_t(x.n) * x.h * x.w, x.c, x.pitch, y.pitch, relu };
}

TEST(Lrn, ByHand)
{
    // size 3, alpha 3, beta 0.5, k 1: x / sqrt(1 + sum of squares of the neighbours)
    const float x[] = { 1, 2, 2, 4 };
    float y[4];
    trib_pixel_geometry g = { 1, 4, 4, 4, false };
    trib_ref_lrn(&g, 3, 3, 0.5f, 1, x, y);
    kernels::expect_near(y[0], 1 / std::sqrt(1.0 + 1 + 4));
    kernels::expect_near(y[1], 2 / std::sqrt(1.0 + 1 + 4 + 4));
    kernels::expect_near(y[2], 2 / std::sqrt(1.0 + 4 + 4 + 16));
    kernels::expect_near(y[3], 4 / std::sqrt(1.0 + 4 + 16));
}

TEST(Lrn, MatchesScatteringOnASlice)
{
    Nhwc x(2, 3, 2, 11, 2, 1), y(2, 3, 2, 11, 1, 4);
    x.randomise(3);
    for (int size : { 1, 3, 5, 31 }) {
        trib_pixel_geometry g = geometry(x, y, true);
        trib_ref_lrn(&g, size, 0.7f, 0.75f, 2, x.data(), y.data());
        for (int n = 0; n < 2; ++n)
            for (int h = 0; h < 3; ++h)
                for (int w = 0; w < 2; ++w) {
                    double squares[11] = {};
                    for (int from = 0; from < 11; ++from)
                        for (int to = 0; to < 11; ++to)
                            if (std::abs(from - to) <= size / 2)
                                squares[to] += double(x.at(n, h, w, from)) * x.at(n, h, w, from);
                    for (int c = 0; c < 11; ++c) {
                        double wanted = x.at(n, h, w, c) / std::pow(2 + double(0.7f) / size * squares[c], 0.75);
                        kernels::expect_near(y.at(n, h, w, c), std::max(0.0, wanted));
                    }
                }
        y.expect_canaries();
    }
}

TEST(ScaleShift, PerChannelOnASlice)
{
    Nhwc x(1, 2, 2, 3, 1, 1), y(1, 2, 2, 3, 2, 2);
    x.fill([](int, int h, int w, int c) { return float(h * 4 + w * 2 + c); });
    const float scale[] = { 1, -1, 0.5f }, shift[] = { 10, 1, 0 };
    for (bool relu : { false, true }) {
        trib_pixel_geometry g = geometry(x, y, relu);
        trib_ref_scale_shift(&g, scale, shift, x.data(), y.data());
        EXPECT_EQ(y.at(0, 0, 0, 0), 10);
        EXPECT_EQ(y.at(0, 1, 1, 0), 16);
        EXPECT_EQ(y.at(0, 1, 1, 1), relu ? 0 : -6);
        EXPECT_EQ(y.at(0, 1, 0, 2), 3);
        y.expect_canaries();
    }
}

TEST(Copy, MovesASliceAndClips)
{
    Nhwc x(2, 2, 3, 4, 3, 0), y(2, 2, 3, 4, 1, 6);
    x.randomise(5);
    x.at(1, 1, 2, 3) = nan;
    x.at(1, 1, 2, 2) = -infinity;
    for (bool relu : { false, true }) {
        trib_pixel_geometry g = geometry(x, y, relu);
        trib_ref_copy(&g, x.data(), y.data());
        for (int n = 0; n < 2; ++n)
            for (int h = 0; h < 2; ++h)
                for (int w = 0; w < 3; ++w)
                    for (int c = 0; c < 4; ++c) {
                        float from = x.at(n, h, w, c), to = y.at(n, h, w, c);
                        if (std::isnan(from))
                            EXPECT_TRUE(std::isnan(to));
                        else
                            EXPECT_EQ(to, relu && from < 0 ? 0 : from);
                    }
        y.expect_canaries();
    }
}

TEST(Copy, InPlace)
{
    std::vector<float> x = { -1, 2, -3, 4 };
    trib_pixel_geometry g = { 2, 2, 2, 2, true };
    trib_ref_copy(&g, x.data(), x.data());
    EXPECT_EQ(x, (std::vector<float> { 0, 2, 0, 4 }));
}

TEST(Reorder, EveryPairOfLayoutsOnSlices)
{
    // 2 images of 2x3 pixels, 3 channels of 4 or 5; y has 4 channels of 6.
    const auto at = [](bool nchw, int pitch, int n, int pixel, int c) {
        return std::size_t(nchw ? (n * pitch + c) * 6 + pixel : (n * 6 + pixel) * pitch + c);
    };
    for (int layouts = 0; layouts < 8; ++layouts) {
        const bool from_nchw = layouts & 1, to_nchw = layouts & 2, relu = layouts & 4;
        std::vector<float> x(2 * 6 * 5, nan), y(2 * 6 * 6, kernels::canary);
        const auto value = [](int n, int pixel, int c) { return float(100 * n + 10 * pixel + c - 40); };
        for (int n = 0; n < 2; ++n)
            for (int pixel = 0; pixel < 6; ++pixel)
                for (int c = 0; c < 3; ++c) x[at(from_nchw, 5, n, pixel, c)] = value(n, pixel, c);
        const trib_reorder_geometry g = { 2, 3, 2, 3, 4, from_nchw, to_nchw, 5, 6, relu };
        trib_ref_reorder(&g, x.data(), y.data());
        for (int n = 0; n < 2; ++n)
            for (int pixel = 0; pixel < 6; ++pixel)
                for (int c = 0; c < 6; ++c) {
                    float wanted = c < 3 ? value(n, pixel, c) : c < 4 ? 0 : kernels::canary;
                    if (relu && c < 3) wanted = std::max(0.0f, wanted);
                    EXPECT_EQ(y[at(to_nchw, 6, n, pixel, c)], wanted)
                        << layouts << " " << n << " " << pixel << " " << c;
                }
    }
}

TEST(Reorder, NaNStaysNaNThroughRelu)
{
    const float x[] = { nan, -infinity };
    float y[2];
    const trib_reorder_geometry g = { 1, 2, 1, 1, 2, false, true, 2, 2, true };
    trib_ref_reorder(&g, x, y);
    EXPECT_TRUE(std::isnan(y[0]));
    EXPECT_EQ(y[1], 0);
}

std::vector<float> softmax(const std::vector<float> &x)
{
    std::vector<float> y(x.size(), kernels::canary);
    trib_pixel_geometry g = { 1, int(x.size()), int(x.size()), int(x.size()), false };
    trib_ref_softmax(&g, x.data(), y.data());
    return y;
}

TEST(Softmax, ByHand)
{
    std::vector<float> y = softmax({ 0, std::log(2.0f), std::log(5.0f) });
    kernels::expect_near(y[0], 0.125);
    kernels::expect_near(y[1], 0.25);
    kernels::expect_near(y[2], 0.625);
    EXPECT_EQ(softmax({ 42 })[0], 1);
}

TEST(Softmax, LargeValuesDoNotOverflow)
{
    std::vector<float> y = softmax({ 3e38f, 3e38f, -3e38f, -infinity });
    EXPECT_EQ(y, (std::vector<float> { 0.5f, 0.5f, 0, 0 }));
}

TEST(Softmax, NaNMakesTheRowNaNAndNoOther)
{
    Nhwc x(2, 1, 1, 4, 1, 1), y(2, 1, 1, 4, 2, 1);
    x.randomise(1);
    x.at(0, 0, 0, 2) = nan;
    trib_pixel_geometry g = geometry(x, y);
    trib_ref_softmax(&g, x.data(), y.data());
    double sum = 0;
    for (int c = 0; c < 4; ++c) {
        EXPECT_TRUE(std::isnan(y.at(0, 0, 0, c)));
        sum += y.at(1, 0, 0, c);
    }
    kernels::expect_near(float(sum), 1);
    y.expect_canaries();
}

TEST(Softmax, NothingFiniteIsNaN)
{
    EXPECT_TRUE(std::isnan(softmax({ -infinity, -infinity })[0]));
    EXPECT_TRUE(std::isnan(softmax({ infinity, 0 })[0]));
}

} // namespace

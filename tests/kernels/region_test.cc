// SPDX-License-Identifier: Apache-2.0
// Regions of pictures against their definition, written down in double.
#include <cmath>
#include <random>

#include "support/support.h"
#include "tributary/kernels.h"
#include "tributary/region_kernels.h"

namespace
{

struct Picture {
    int width, height;
    std::vector<std::uint8_t> rgb;
};

Picture picture(int width, int height, unsigned seed)
{
    std::mt19937 random(seed);
    Picture p { width, height, std::vector<std::uint8_t>(std::size_t(3 * width * height)) };
    for (std::uint8_t &byte : p.rgb) byte = std::uint8_t(random());
    return p;
}

trib_region_row row(const Picture &p, float x, float y, float width, float height, bool mirror = false)
{
    return { 0, p.width, p.height, x, y, width, height, mirror, 0 };
}

// n = 1, NHWC with 3 channels.
trib_regions_geometry geometry(int h, int w, bool bgr = false)
{
    return { 1, h, w, 3, 3 * h * w, 3, 1, bgr, { 0.5f, 0.25f, 2 }, { -3, 1, 0.125f } };
}

std::vector<float> cut(const trib_regions_geometry &g, const Picture &p, const trib_region_row &r)
{
    std::vector<float> y(std::size_t(g.image), NAN);
    trib_ref_regions(&g, &r, p.rgb.data(), y.data());
    return y;
}

// A pixel; beyond the edge it is the edge.
double at(const Picture &p, long x, long y, int c)
{
    x = std::min(std::max(x, 0L), long(p.width - 1));
    y = std::min(std::max(y, 0L), long(p.height - 1));
    return p.rgb[std::size_t(3 * (y * p.width + x) + c)];
}

std::vector<float> defined(const trib_regions_geometry &g, const Picture &p, const trib_region_row &r)
{
    std::vector<float> result;
    for (int i = 0; i < g.h; ++i)
        for (int j = 0; j < g.w; ++j) {
            const double x = r.x + ((r.mirror ? g.w - 1 - j : j) + 0.5) * r.width / g.w - 0.5;
            const double y = r.y + (i + 0.5) * r.height / g.h - 0.5;
            const bool outside = x < -0.5 || y < -0.5 || x > p.width - 0.5 || y > p.height - 0.5;
            const long left = long(std::floor(x)), top = long(std::floor(y));
            const double a = x - double(left), b = y - double(top);
            for (int c = 0; c < 3; ++c) {
                const int s = g.bgr ? 2 - c : c;
                const double value = (1 - b) * ((1 - a) * at(p, left, top, s) + a * at(p, left + 1, top, s)) +
                                     b * ((1 - a) * at(p, left, top + 1, s) + a * at(p, left + 1, top + 1, s));
                result.push_back(outside ? 0 : float(value * g.scale[c] + g.shift[c]));
            }
        }
    return result;
}

TEST(RegionReference, IsTheDefinition)
{
    std::mt19937 random(1);
    const auto between = [&](double low, double high) {
        return float(std::uniform_real_distribution<double>(low, high)(random));
    };
    for (int k = 0; k < 300; ++k) {
        const Picture p = picture(1 + int(random() % 40), 1 + int(random() % 40), unsigned(k));
        const trib_regions_geometry g = geometry(1 + int(random() % 20), 1 + int(random() % 90), k % 2);
        const trib_region_row r = row(p, between(-1.5 * p.width, p.width), between(-1.5 * p.height, p.height),
                                      between(0.1, 2 * p.width), between(0.1, 2 * p.height), k % 3 == 0);
        const std::vector<float> y = cut(g, p, r), expected = defined(g, p, r);
        for (std::size_t i = 0; i < y.size(); ++i) ASSERT_LE(std::fabs(y[i] - expected[i]), 1e-2) << "case " << k;
    }
}

TEST(RegionReference, CopiesHaveTheBitsOfPixels)
{
    const Picture p = picture(97, 83, 7);
    for (bool bgr : { false, true })
        for (bool mirror : { false, true })
            for (int corner : { 0, 13 }) {
                const int h = 61, w = 70;
                const trib_regions_geometry g = geometry(h, w, bgr);
                const trib_normalise_geometry n = { h, w, 3, 3 * p.width, bgr, false };
                std::vector<float> expected(std::size_t(3 * h * w)), y;
                trib_normalise_u8(&n, &p.rgb[std::size_t(3 * (corner * p.width + corner))], g.scale, g.shift,
                                  expected.data());
                y = cut(g, p, row(p, float(corner), float(corner), float(w), float(h), mirror));
                for (int i = 0; mirror && i < h; ++i) // turned back
                    for (int j = 0; j < w / 2; ++j)
                        for (int c = 0; c < 3; ++c)
                            std::swap(y[std::size_t(3 * (i * w + j) + c)], y[std::size_t(3 * (i * w + w - 1 - j) + c)]);
                EXPECT_EQ(y, expected);
            }
}

TEST(RegionReference, CopiesAreExactAtTheFarEndOfTheLargestPictures)
{
    Picture p { TRIB_PICTURE_MOST_SIDE, 1, std::vector<std::uint8_t>(3 * std::size_t(TRIB_PICTURE_MOST_SIDE)) };
    for (std::size_t i = 0; i < 99; ++i) p.rgb[p.rgb.size() - 1 - i] = std::uint8_t(2 * i + 1);
    const trib_regions_geometry g = geometry(1, 5);
    const int first = p.width - 5;
    const std::vector<float> y = cut(g, p, row(p, float(first), 0, 5, 1));
    for (int j = 0; j < 5; ++j) EXPECT_EQ(y[std::size_t(3 * j)], float(at(p, first + j, 0, 0)) * 0.5f - 3) << j;
}

TEST(RegionReference, OutsideIsZeroAndTheEdgeIsRepeated)
{
    const Picture p { 2, 1, { 10, 20, 30, 90, 80, 70 } };
    trib_regions_geometry g = geometry(1, 8);
    // Samples at -0.875, -0.625, ..., 0.875: the first two are outside, the next two left of the first centre.
    const std::vector<float> y = cut(g, p, row(p, -0.5f, 0, 2, 1));
    EXPECT_EQ(std::vector<float>(y.begin(), y.begin() + 6), std::vector<float>(6, 0.0f));
    EXPECT_EQ(y[6], 10 * 0.5f - 3);
    EXPECT_EQ(y[9], 10 * 0.5f - 3);
    EXPECT_EQ(y[12], (10 + 80 * 0.125f) * 0.5f - 3);
    EXPECT_EQ(cut(g, p, row(p, 2, 0, 8, 1)), std::vector<float>(24, 0.0f));
    EXPECT_EQ(cut(g, p, trib_region_row {}), std::vector<float>(24, 0.0f));
}

// What a host refuses before may not make a device read outside, either.
TEST(RegionReference, NumbersThatAreNoneReadNothing)
{
    const Picture p = picture(3, 3, 5);
    const trib_regions_geometry g = geometry(2, 2);
    const std::vector<float> nothing(12, 0.0f);
    for (float bad : { NAN, INFINITY, -INFINITY, 1e38f }) {
        EXPECT_EQ(cut(g, p, row(p, bad, 0, 2, 2)), nothing) << bad;
        EXPECT_EQ(cut(g, p, row(p, 0, bad, 2, 2)), nothing) << bad;
        EXPECT_EQ(cut(g, p, row(p, 0, 0, bad, 2)), nothing) << bad;
        EXPECT_EQ(cut(g, p, row(p, 0, 0, 2, bad)), nothing) << bad;
    }
}

} // namespace

// SPDX-License-Identifier: Apache-2.0
// What grouping compares: colours, textures, regions and their neighbours.
#include <cmath>
#include <set>

#include "detect/pictures.h"
#include "host/detect/colour_planes.h"
#include "host/detect/regions.h"
#include "host/detect/texture.h"

namespace
{

std::vector<int> colour(trib_colour_space space, std::vector<int> rgb)
{
    Picture picture(1, 1);
    picture.fill({ 0, 0, 1, 1 }, rgb);
    trib_image image = picture.image();
    std::vector<uint8_t> out(std::size_t(trib_colour_channels(space)));
    EXPECT_OK(trib_colour_planes(&image, space, out.data()));
    return { out.begin(), out.end() };
}

using Values = std::vector<int>;

TEST(Colours, OfHsv)
{
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 255, 0, 0 }), (Values { 0, 255, 255 }));
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 0, 255, 0 }), (Values { 85, 255, 255 }));
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 0, 0, 100 }), (Values { 170, 255, 100 }));
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 200, 0, 200 }), (Values { 213, 255, 200 })); // 5/6 of a turn: 212.5
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 200, 100, 100 }), (Values { 0, 128, 200 }));
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 77, 77, 77 }), (Values { 0, 0, 77 }));
    EXPECT_EQ(colour(TRIB_COLOURS_HSV, { 0, 0, 0 }), (Values { 0, 0, 0 }));
    EXPECT_EQ(colour(TRIB_COLOURS_HUE, { 0, 255, 0 }), (Values { 85 }));
}

TEST(Colours, OfRgiAndIntensity)
{
    EXPECT_EQ(colour(TRIB_COLOURS_RGI, { 100, 100, 200 }), (Values { 64, 64, 111 }));
    EXPECT_EQ(colour(TRIB_COLOURS_RGI, { 0, 0, 0 }), (Values { 85, 85, 0 }));
    EXPECT_EQ(colour(TRIB_COLOURS_INTENSITY, { 255, 255, 255 }), (Values { 255 }));
    EXPECT_EQ(colour(TRIB_COLOURS_INTENSITY, { 255, 0, 0 }), (Values { 76 }));
}

// Lab as CIE defines it, in double.
Values lab(const Values &rgb)
{
    double light[3], f[3];
    for (std::size_t c = 0; c < 3; ++c) {
        double v = rgb[c] / 255.0;
        light[c] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    }
    const double m[3][3] = { { 0.4124564, 0.3575761, 0.1804375 },
                             { 0.2126729, 0.7151522, 0.0721750 },
                             { 0.0193339, 0.1191920, 0.9503041 } };
    for (int i = 0; i < 3; ++i) {
        double sum = m[i][0] * light[0] + m[i][1] * light[1] + m[i][2] * light[2];
        double t = sum / (m[i][0] + m[i][1] + m[i][2]);
        f[i] = t > 216.0 / 24389 ? std::cbrt(t) : (24389.0 / 27 * t + 16) / 116;
    }
    return { int(std::lround((116 * f[1] - 16) * 2.55)), int(std::lround(500 * (f[0] - f[1]) + 128)),
             int(std::lround(200 * (f[1] - f[2]) + 128)) };
}

TEST(Colours, OfLabAreCies)
{
    EXPECT_EQ(colour(TRIB_COLOURS_LAB, { 255, 255, 255 }), (Values { 255, 128, 128 }));
    EXPECT_EQ(colour(TRIB_COLOURS_LAB, { 0, 0, 0 }), (Values { 0, 128, 128 }));
    EXPECT_EQ(colour(TRIB_COLOURS_LAB, { 255, 0, 0 }), (Values { 136, 208, 195 }));
    std::vector<Values> colours;
    for (int r = 0; r < 256; r += 15)
        for (int g = 0; g < 256; g += 17)
            for (int b = 0; b < 256; b += 51) colours.push_back({ r, g, b });
    const int count = int(colours.size());
    Picture picture(count, 1);
    for (int x = 0; x < count; ++x) picture.fill({ x, 0, x + 1, 1 }, colours[std::size_t(x)]);
    trib_image image = picture.image();
    std::vector<uint8_t> is(picture.pixels().size());
    ASSERT_OK(trib_colour_planes(&image, TRIB_COLOURS_LAB, is.data()));
    for (std::size_t x = 0; x < colours.size(); ++x) {
        Values wanted = lab(colours[x]);
        for (std::size_t c = 0; c < 3; ++c)
            EXPECT_NEAR(is[3 * x + c], wanted[c], 1) << testing::PrintToString(colours[x]);
    }
}

TEST(Colours, OfGrayAreThoseOfEqualRgb)
{
    Picture gray(3, 1, 1), rgb(3, 1);
    for (int x = 0; x < 3; ++x)
        gray.fill({ x, 0, x + 1, 1 }, { 60 * x }), rgb.fill({ x, 0, x + 1, 1 }, { 60 * x, 60 * x, 60 * x });
    for (int space = 0; space < TRIB_COLOUR_SPACES; ++space) {
        auto s = trib_colour_space(space);
        std::vector<uint8_t> a(std::size_t(3 * trib_colour_channels(s))), b(a.size());
        trib_image one = gray.image(), three = rgb.image();
        ASSERT_OK(trib_colour_planes(&one, s, a.data()));
        ASSERT_OK(trib_colour_planes(&three, s, b.data()));
        EXPECT_EQ(a, b);
    }
}

std::vector<uint8_t> texture(const Picture &picture, int channels)
{
    std::vector<uint8_t> out(picture.pixels().size() * TRIB_TEXTURE_AXES);
    EXPECT_OK(trib_texture_bins(picture.pixels().data(), picture.width(), picture.height(), channels, out.data()));
    return out;
}

TEST(Texture, OfStepsInFourDirections)
{
    Picture across(9, 9, 1), down(9, 9, 1), flat(9, 9, 1);
    across.fill({ 5, 0, 9, 9 }, { 255 });
    down.fill({ 0, 0, 9, 5 }, { 255 });
    auto a = texture(across, 1), d = texture(down, 1), f = texture(flat, 1);
    auto middle = [](const std::vector<uint8_t> &bins) {
        Values v;
        for (std::size_t axis = 0; axis < 4; ++axis) v.push_back(bins[(4 * 4 + axis) * 9 + 4]);
        return v;
    };
    // The steepest edge is in the last bin; 45 degrees away it is 0.707 as steep.
    EXPECT_EQ(middle(a), (Values { 9, 0, 7, 7 }));
    EXPECT_EQ(middle(d), (Values { 0, 19, 17, 7 }));
    EXPECT_EQ(f, std::vector<uint8_t>(f.size(), 0));
}

TEST(Texture, HasOneBinPerSignAndChannel)
{
    auto bins = texture(scene(5, 31, 17), 3);
    EXPECT_EQ(bins.size(), 31u * 17 * 12);
    for (uint8_t b : bins) EXPECT_TRUE(b < 20 && b != 10);
}

struct Regions {
    trib_regions r = {};
    ~Regions() { trib_regions_release(&r); }
};

// Two colours left and right of column 3, and a third below row 2.
TEST(Regions, AreMeasured)
{
    Picture picture(6, 4, 1);
    picture.fill({ 0, 0, 3, 2 }, { 10 }).fill({ 3, 0, 6, 2 }, { 100 }).fill({ 0, 2, 6, 4 }, { 255 });
    std::vector<int32_t> labels(24);
    for (std::size_t p = 0; p < 24; ++p) labels[p] = p / 6 < 2 ? p % 6 >= 3 : 2;
    std::vector<uint8_t> bins(24 * 4, 0);
    bins[0] = 3, bins[6] = 12; // pixel 0's, across and down
    trib_region_source source = { 6, 4, 1, picture.pixels().data(), bins.data() };
    Regions m;
    ASSERT_OK(trib_regions_make(&source, labels.data(), 3, &m.r));
    EXPECT_EQ(Values(m.r.sizes, m.r.sizes + 3), (Values { 6, 6, 12 }));
    EXPECT_EQ(m.r.boxes[1], (trib_proposal { 3, 0, 6, 2 }));
    EXPECT_EQ(m.r.boxes[2], (trib_proposal { 0, 2, 6, 4 }));
    ASSERT_EQ(m.r.pair_count, 3u);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(m.r.pairs[i].a, i == 2 ? 1 : 0);
        EXPECT_EQ(m.r.pairs[i].b, i == 0 ? 1 : 2);
    }
    ASSERT_EQ(m.r.colour_bins, 32);
    ASSERT_EQ(m.r.texture_bins, 80);
    const int32_t *first = m.r.histograms, *third = first + 2 * 112;
    EXPECT_EQ(first[0], 6); // 10 * 25 / 256
    EXPECT_EQ(third[24], 12);
    // Axis 0: five pixels in the first positive bin, one in the fourth; all six in the first negative one.
    EXPECT_EQ(Values(first + 32, first + 52), (Values { 5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0 }));
    EXPECT_EQ(first[52], 6);
    EXPECT_EQ(first[52 + 10], 5);
    EXPECT_EQ(first[52 + 12], 1);
}

TEST(Regions, HaveAllNeighboursOnce)
{
    for (uint32_t seed = 1; seed <= 8; ++seed) {
        int width = 23, height = 19, count = 40;
        std::vector<int32_t> labels(std::size_t(width * height));
        std::set<std::pair<int, int>> wanted;
        Picture picture = scene(seed, width, height);
        for (std::size_t p = 0; p < labels.size(); ++p)
            labels[p] = p < std::size_t(count) ? int(p) : (picture.pixels()[3 * p] + int(p / 29)) % count;
        for (int p = 0; p < width * height; ++p)
            for (int q : { p % width + 1 < width ? p + 1 : p, p + width < width * height ? p + width : p }) {
                auto pair = std::minmax(labels[std::size_t(p)], labels[std::size_t(q)]);
                if (pair.first != pair.second) wanted.insert({ pair.first, pair.second });
            }
        auto bins = texture(picture, 3);
        trib_region_source source = { width, height, 3, picture.pixels().data(), bins.data() };
        Regions m;
        ASSERT_OK(trib_regions_make(&source, labels.data(), count, &m.r));
        ASSERT_EQ(m.r.pair_count, wanted.size());
        auto next = wanted.begin();
        for (std::size_t i = 0; i < m.r.pair_count; ++i, ++next)
            EXPECT_EQ(std::make_pair(int(m.r.pairs[i].a), int(m.r.pairs[i].b)), *next);
        const std::size_t stride = std::size_t(m.r.colour_bins + m.r.texture_bins);
        for (int i = 0; i < count; ++i) { // each channel, and each of 8 directions, counts every pixel once
            const int32_t *h = m.r.histograms + std::size_t(i) * stride;
            int64_t colours = 0, textures = 0;
            for (int b = 0; b < m.r.colour_bins; ++b) colours += h[b];
            for (int b = 0; b < m.r.texture_bins; ++b) textures += h[m.r.colour_bins + b];
            EXPECT_EQ(colours, 3 * m.r.sizes[i]);
            EXPECT_EQ(textures, 24 * m.r.sizes[i]);
        }
    }
}

} // namespace

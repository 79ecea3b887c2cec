// SPDX-License-Identifier: Apache-2.0
// Boxes on pictures, by their pixels; pictures as PNG.
#include "detect/draw_boxes.h"

#include "formats/fail_each.h"
#include "image/png_write.h"
#include "plot/font.h"
#include "support/support.h"
#include "tributary/internal/alloc.h"

namespace
{

using Pixel = std::array<int, 3>;

struct Picture {
    std::vector<std::uint8_t> pixels;
    trib_image image = {};

    Picture(int width, int height, int channels = 3) : pixels((std::size_t)(width * height * channels), 100)
    {
        image.width = width;
        image.height = height;
        image.channels = channels;
        image.pixels = pixels.data();
    }
    Pixel at(int x, int y) const
    {
        const std::uint8_t *p = &pixels[3 * (std::size_t)(y * image.width + x)];
        return { p[0], p[1], p[2] };
    }
    int count(Pixel wanted) const
    {
        int n = 0;
        for (int y = 0; y < image.height; ++y)
            for (int x = 0; x < image.width; ++x) n += at(x, y) == wanted;
        return n;
    }
};

const trib_colour red = { 200, 10, 20 };
const Pixel red_pixel = { 200, 10, 20 }, ground = { 100, 100, 100 }, white = { 255, 255, 255 };

TEST(DrawBoxes, TheFrameIsMadeOfPixelsOfTheBox)
{
    Picture p(60, 40);
    const trib_box box = { 10, 20, 7, 5 };
    trib_draw_box(&p.image, &box, red, "");
    for (int y = 0; y < 40; ++y)
        for (int x = 0; x < 60; ++x) {
            const bool in = x >= 10 && x < 17 && y >= 20 && y<25, inner = x> 10 && x < 16 && y > 20 && y < 24;
            ASSERT_EQ(p.at(x, y), in && !inner ? red_pixel : ground) << x << " " << y;
        }
}

TEST(DrawBoxes, WhatReachesBeyondThePictureIsCutOff)
{
    for (trib_box box : { trib_box { -50, -50, 1000, 1000 }, trib_box { 1e300, 0, 1e300, 5 }, trib_box { -9, -9, 3, 3 },
                          trib_box { 59, 39, 0, 0 } }) {
        Picture p(60, 40);
        trib_draw_box(&p.image, &box, red, "a long label that does not fit in at all");
    }
    Picture p(60, 40);
    const trib_box all = { -50, -50, 1000, 1000 };
    trib_draw_box(&p.image, &all, red, "");
    EXPECT_EQ(p.count(red_pixel), 2 * 60 + 2 * 38);
}

TEST(DrawBoxes, PicturesTooSmallForLettersHaveNone)
{
    for (int side : { 1, 2, 5 }) {
        Picture p(side, side);
        const trib_box box = { 0, 0, 1, 1 };
        trib_draw_box(&p.image, &box, red, "label");
        EXPECT_EQ(p.at(0, 0), red_pixel);
    }
}

TEST(DrawBoxes, TheLabelStandsAboveTheBoxOrInside)
{
    for (int y : { 20, 3 }) {
        Picture p(60, 60);
        const trib_box box = { 10, (double)y, 30, 25 };
        trib_draw_box(&p.image, &box, red, "I");
        const int top = y == 20 ? 20 - 10 : 3;
        EXPECT_EQ(p.at(10, top), red_pixel);
        EXPECT_EQ(p.at(10 + 1 + 2, top + 1), white); /* the stem of the I */
        EXPECT_EQ(p.count(white), 3 + 5 + 3);
    }
}

TEST(DrawBoxes, TheLabelStaysInThePicture)
{
    Picture p(60, 60);
    const trib_box box = { 55, 30, 5, 5 };
    trib_draw_box(&p.image, &box, red, "HHHH");
    EXPECT_EQ(p.count(white), 4 * 17);
    Picture narrow(20, 60);
    trib_draw_box(&narrow.image, &box, red, "HHHHHHHHHHHH"); /* three fit */
    EXPECT_EQ(narrow.count(white), 3 * 17);
}

TEST(DrawBoxes, LettersGrowWithThePicture)
{
    Picture p(900, 40);
    const trib_box box = { 100, 5, 30, 30 };
    trib_draw_box(&p.image, &box, red, "I");
    EXPECT_EQ(p.count(white), 4 * (3 + 5 + 3));
    EXPECT_EQ(p.at(100, 20), red_pixel);
    EXPECT_EQ(p.at(102, 34), red_pixel);
    EXPECT_EQ(p.at(103, 31), ground); /* lines are 3 wide */
}

TEST(DrawBoxes, CharactersBeyondAsciiAreFrames)
{
    for (const char *text : { "\xC3\xA4", "\xE2\x82\xAC", "\xFF", "\x01", "\x7F" }) {
        Picture p(60, 60);
        const trib_box box = { 0, 30, 5, 5 };
        trib_draw_box(&p.image, &box, red, text);
        EXPECT_EQ(p.count(white), 2 * 5 + 2 * 5) << text;
    }
}

TEST(DrawBoxes, LabelsAreReadableOnEveryColour)
{
    std::set<std::tuple<int, int, int>> colours;
    for (int klass = 0; klass < 30; ++klass) {
        const trib_colour c = trib_class_colour(klass);
        colours.insert({ c.r, c.g, c.b });
        EXPECT_EQ(std::max({ c.r, c.g, c.b }), 255);
    }
    EXPECT_EQ(colours.size(), 30u);
}

TEST(Font, EveryCharacterDiffersFromEveryOther)
{
    std::map<std::string, int> seen;
    for (int c = 32; c < 128; ++c) {
        std::string art;
        for (int row = 0; row < TRIB_GLYPH_HEIGHT; ++row)
            for (int column = 0; column < TRIB_GLYPH_WIDTH; ++column)
                art += trib_glyph_has((unsigned char)c, row, column) ? '#' : '.';
        const auto added = seen.emplace(art, c);
        EXPECT_TRUE(added.second) << (char)c << " is drawn as " << (char)added.first->second;
    }
    EXPECT_FALSE(trib_glyph_has('A', -1, 0) || trib_glyph_has('A', 0, TRIB_GLYPH_WIDTH) || trib_glyph_has(' ', 3, 3));
    EXPECT_TRUE(trib_glyph_has(200, 0, 0));
}

#define SKIP_WITHOUT_PNG                           \
    {                                              \
        trib_status can = trib_png_can_write();    \
        if (trib_failed(&can)) {                   \
            EXPECT_EQ(can.code, TRIB_UNSUPPORTED); \
            GTEST_SKIP() << can.message;           \
        }                                          \
    }

TEST(PngWrite, IsReadBack)
{
    SKIP_WITHOUT_PNG
    for (int channels : { 1, 3 }) {
        Picture p(37, 21, channels);
        for (std::size_t i = 0; i < p.pixels.size(); ++i) p.pixels[i] = (std::uint8_t)(i * i / 7);
        std::uint8_t *bytes = nullptr;
        std::size_t size = 0;
        ASSERT_OK(trib_png_write(&p.image, "a program", &bytes, &size));
        trib_image back = {};
        ASSERT_OK(trib_image_decode(bytes, size, nullptr, &back));
        EXPECT_EQ(back.width, 37);
        EXPECT_EQ(back.height, 21);
        EXPECT_EQ(back.channels, channels);
        EXPECT_EQ(std::vector<std::uint8_t>(back.pixels, back.pixels + p.pixels.size()), p.pixels);
        const std::size_t head = std::min<std::size_t>(size, TRIB_PNG_SOFTWARE_BYTES);
        EXPECT_TRUE(trib_png_is_by(bytes, head, "a program"));
        EXPECT_FALSE(trib_png_is_by(bytes, head, "another"));
        EXPECT_FALSE(trib_png_is_by(bytes, 20, "a program"));
        trib_image_release(&back);
        trib_free(bytes);
    }
}

TEST(PngWrite, EachFailureOfMemoryIsReported)
{
    SKIP_WITHOUT_PNG
    Picture p(200, 100);
    for (bool from_then_on : { false, true }) {
        const int faults = files::fail_each(
            [&](int) {
                std::uint8_t *bytes = nullptr;
                std::size_t size = 0;
                const trib_status s = trib_png_write(&p.image, "a program", &bytes, &size);
                EXPECT_EQ(bytes == nullptr, trib_failed(&s));
                trib_free(bytes);
                return s;
            },
            from_then_on);
        EXPECT_GE(faults, 4);
    }
}

TEST(PngWrite, ImpossiblePicturesAreRefused)
{
    SKIP_WITHOUT_PNG
    Picture p(2, 2);
    p.image.width = 0;
    std::uint8_t *bytes = nullptr;
    std::size_t size = 0;
    EXPECT_FAILS(trib_png_write(&p.image, "a program", &bytes, &size), TRIB_INVALID_ARGUMENT, "libspng");
    p.image.width = 2;
    EXPECT_FAILS(trib_png_write(&p.image, std::string(1000, 'a').c_str(), &bytes, &size), TRIB_INVALID_ARGUMENT,
                 "libspng");
}

} // namespace

// SPDX-License-Identifier: Apache-2.0
// The crops of an image: every box and pixel against Pillow's (tests/data/crops), weights, memory, and what is refused.
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "host/image/crops.h"
#include "host/image/png_chunks.h"
#include "image/images.h"
#include "support/heap.h"
#include "support/sanitized.h"
#include "tributary/internal/fault.h"

namespace
{

trib_preprocess input_of(int size)
{
    trib_preprocess p = trib_preprocess_torchvision();
    p.resize = p.crop_height = p.crop_width = size;
    return p;
}

trib_crops crops_of(int size, int policy, const std::vector<int> &scales = {})
{
    trib_preprocess p = input_of(size);
    trib_crops crops = {};
    EXPECT_OK(trib_crops_init(&p, policy, scales.data(), int(scales.size()), &crops));
    return crops;
}

// Pictures that release themselves.
struct Pictures {
    trib_image images[TRIB_MOST_CROP_PICTURES] = {};
    ~Pictures()
    {
        for (trib_image &i : images) trib_image_release(&i);
    }
};

// The image of tests/data/crops/make_crops.py.
Image *picture(int width, int height)
{
    std::vector<uint8_t> pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
            for (int c = 0; c < 3; ++c) pixels.push_back(uint8_t(x * 7 + y * 3 + x * y / 5 + 85 * c));
    return new Image(width, height, 3, pixels);
}

std::vector<uint8_t> pixels_of(const trib_image *pictures, const trib_crop &crop)
{
    const trib_image &p = pictures[crop.picture];
    EXPECT_EQ(p.channels, 3);
    EXPECT_GE(crop.x, 0);
    EXPECT_GE(crop.y, 0);
    EXPECT_LE(crop.x + crop.width, p.width);
    EXPECT_LE(crop.y + crop.height, p.height);
    std::vector<uint8_t> out;
    out.reserve(std::size_t(3 * crop.width * crop.height));
    for (int i = 0; i < crop.height; ++i)
        for (int j = 0; j < crop.width; ++j) {
            int x = crop.x + (crop.mirror ? crop.width - 1 - j : j);
            const uint8_t *at = p.pixels + 3 * (std::size_t(crop.y + i) * std::size_t(p.width) + std::size_t(x));
            out.insert(out.end(), at, at + 3);
        }
    return out;
}

// A crop in the words of the file: sizes of the resized image, a square of it, mirrored, times and checksum.
std::string describe(const trib_crop_layout &layout, const trib_image *pictures, const trib_crop &crop)
{
    const trib_crop_picture *own = &layout.pictures[crop.picture], *source = own;
    int x = crop.x, y = crop.y, side = crop.width;
    if (own->from >= 0) {
        source = &layout.pictures[own->from];
        x = own->part.left, y = own->part.top, side = own->part.width;
        EXPECT_EQ(own->part.height, side);
    }
    std::vector<uint8_t> pixels = pixels_of(pictures, crop);
    char text[120];
    snprintf(text, sizeof text, "%d %d %d %d %d %d %d %08x", source->x.out, source->y.out, source->x.first + x,
             source->y.first + y, side, int(crop.mirror), crop.times, trib_png_checksum(pixels.data(), pixels.size()));
    return text;
}

void compare_case(std::istringstream header, std::istream &lines)
{
    std::string word, line;
    int width, height, size, policy;
    header >> word >> width >> height >> size >> policy;
    std::vector<int> scales;
    for (int scale; header >> scale;) scales.push_back(scale);
    trib_crops crops = crops_of(size, policy, scales);
    trib_crop_layout layout;
    Pictures pictures;
    std::unique_ptr<Image> image(picture(width, height));
    ASSERT_OK(trib_crops_layout(&crops, width, height, &layout));
    ASSERT_OK(trib_crops_pictures(&crops, &layout, image->get(), pictures.images));
    double sum = 0;
    int times = 0;
    for (int i = 0; i < layout.crop_count; ++i) {
        ASSERT_TRUE(std::getline(lines, line));
        ASSERT_EQ(describe(layout, pictures.images, layout.crops[i]), line);
        sum += layout.crops[i].weight;
        times += layout.crops[i].times;
    }
    EXPECT_TRUE(std::fabs(sum - 1) <= 1e-14) << sum;
    EXPECT_EQ(times, trib_crops_evaluations(&crops));
}

TEST(Crops, BoxesAndPixelsAreThoseOfAnEnumerationInPython)
{
    std::ifstream lines(support::data_file("crops/crops.txt"));
    int cases = 0;
    for (std::string line; std::getline(lines, line); ++cases) {
        SCOPED_TRACE(line);
        ASSERT_EQ(line.rfind("case ", 0), 0u) << "more crops than expected before this line";
        ASSERT_NO_FATAL_FAILURE(compare_case(std::istringstream(line), lines));
    }
    EXPECT_EQ(cases, 16);
}

TEST(Crops, ScalesOfThePaperFollowTheInput)
{
    const int expected[][5] = { { 224, 256, 288, 320, 352 }, { 64, 73, 82, 91, 101 }, { 96, 110, 123, 137, 151 } };
    for (const auto &e : expected) {
        trib_crops crops = crops_of(e[0], 144);
        EXPECT_EQ(std::vector<int>(crops.scales, crops.scales + crops.scale_count), std::vector<int>(e + 1, e + 5));
        EXPECT_EQ(trib_crops_evaluations(&crops), 144);
        crops = crops_of(e[0], 10);
        EXPECT_EQ(crops.scale_count, 1);
        EXPECT_EQ(crops.scales[0], e[1]);
        EXPECT_EQ(trib_crops_evaluations(&crops), 10);
    }
    trib_crops crops = crops_of(224, 10, { 300, 240, 256 });
    EXPECT_EQ(crops.scales[0], 240);
    crops = crops_of(224, 144, { 300, 240 });
    EXPECT_EQ(trib_crops_evaluations(&crops), 72);
}

// Of inputs so small that scales of the paper coincide, crops do too.
TEST(Crops, EqualScalesAreListedOnce)
{
    trib_crops twice = crops_of(32, 144, { 40, 40 }), once = crops_of(32, 144, { 40 });
    trib_crop_layout a, b;
    ASSERT_OK(trib_crops_layout(&twice, 60, 50, &a));
    ASSERT_OK(trib_crops_layout(&once, 60, 50, &b));
    ASSERT_EQ(a.crop_count, b.crop_count);
    EXPECT_EQ(a.picture_count, b.picture_count);
    for (int i = 0; i < a.crop_count; ++i) EXPECT_EQ(a.crops[i].weight, b.crops[i].weight);
    trib_crops tiny = crops_of(1, 144);
    ASSERT_OK(trib_crops_layout(&tiny, 5, 7, &a));
    int times = 0;
    for (int i = 0; i < a.crop_count; ++i) times += a.crops[i].times;
    EXPECT_EQ(times, 144);
}

TEST(Crops, OneCropIsTheModelsPreprocessing)
{
    Noise noise(5);
    for (trib_resize_mode mode : { TRIB_RESIZE_SHORT_SIDE, TRIB_RESIZE_SQUASH, TRIB_RESIZE_NONE })
        for (int channels : { 1, 3 }) {
            Image image(50, 40, channels, noise.bytes(std::size_t(50 * 40 * channels))), expected;
            trib_preprocess p = trib_preprocess_torchvision();
            p.resize_mode = mode, p.resize = 36, p.crop_height = 20, p.crop_width = 30;
            trib_crops crops;
            trib_crop_layout layout;
            Pictures pictures;
            ASSERT_OK(trib_crops_init(&p, 1, nullptr, 0, &crops));
            ASSERT_OK(trib_crops_layout(&crops, 50, 40, &layout));
            ASSERT_OK(trib_crops_pictures(&crops, &layout, image.get(), pictures.images));
            ASSERT_OK(trib_preprocess_pixels(&p, image.get(), expected.put()));
            ASSERT_EQ(layout.crop_count, 1);
            EXPECT_EQ(layout.crops[0].weight, 1);
            EXPECT_EQ(trib_crops_evaluations(&crops), 1);
            EXPECT_TRUE(pixels_of(pictures.images, layout.crops[0]) == expected.bytes());
        }
}

// What a model does to an image for one crop does not matter for several; how it interpolates does.
TEST(Crops, SameOnlyIfThePixelsAre)
{
    auto same = [](int policy, void (*change)(trib_preprocess *), std::vector<int> scales = {}) {
        trib_preprocess p = input_of(32);
        change(&p);
        trib_crops a = crops_of(32, policy), b;
        EXPECT_OK(trib_crops_init(&p, policy, scales.data(), int(scales.size()), &b));
        return trib_crops_same(&a, &b) && trib_crops_same(&b, &a);
    };
    for (int policy : { 1, 10, 144 }) {
        EXPECT_TRUE(same(policy, [](trib_preprocess *p) { p->mean[0] = 0, p->bgr = true; }));
        EXPECT_EQ(same(policy, [](trib_preprocess *p) { p->resize = 40; }), policy > 1);
        EXPECT_EQ(same(policy, [](trib_preprocess *p) { p->resize_mode = TRIB_RESIZE_SQUASH; }), policy > 1);
        EXPECT_FALSE(same(policy, [](trib_preprocess *p) { p->resize = p->crop_height = p->crop_width = 33; }));
        EXPECT_FALSE(same(policy, [](trib_preprocess *p) { p->interpolation = TRIB_BICUBIC; }));
        EXPECT_FALSE(same(policy, [](trib_preprocess *p) { p->resample_order = TRIB_CHEAPER_FIRST; }));
    }
    auto nothing = [](trib_preprocess *) {};
    EXPECT_TRUE(same(144, nothing, { 37, 41, 46, 50 }));
    EXPECT_FALSE(same(144, nothing, { 37, 41, 46 }));
    EXPECT_FALSE(same(144, nothing, { 37, 41, 50, 46 }));
    EXPECT_TRUE(same(10, nothing, { 50, 37 }));
    trib_crops ten = crops_of(32, 10), one = crops_of(32, 1);
    EXPECT_FALSE(trib_crops_same(&ten, &one));
}

// The model's resize mode is for one crop; its interpolation is for all.
TEST(Crops, InterpolationIsTheModels)
{
    std::unique_ptr<Image> image(picture(50, 40));
    for (trib_interpolation how : { TRIB_BILINEAR, TRIB_BICUBIC, TRIB_NEAREST, TRIB_AREA }) {
        trib_preprocess p = input_of(20);
        p.interpolation = how, p.resize_mode = TRIB_RESIZE_SQUASH;
        const int scale = 24;
        trib_crops crops;
        trib_crop_layout layout;
        Pictures pictures;
        Image whole;
        ASSERT_OK(trib_crops_init(&p, 144, &scale, 1, &crops));
        ASSERT_OK(trib_crops_layout(&crops, 50, 40, &layout));
        ASSERT_OK(trib_crops_pictures(&crops, &layout, image->get(), pictures.images));
        ASSERT_OK(trib_image_resize(image->get(), 30, 24, how, TRIB_HORIZONTAL_FIRST, whole.put()));
        EXPECT_EQ(pictures.images[0].width, 30);
        EXPECT_EQ(memcmp(pictures.images[0].pixels, whole->pixels, 3 * 30 * 24), 0);
    }
}

TEST(Crops, GrayGivesThePixelsOfItsColourPicture)
{
    Noise noise(6);
    Image gray(41, 57, 1, noise.bytes(41 * 57)), colour(41, 57, 3, gray.rgb());
    trib_crops crops = crops_of(32, 144);
    trib_crop_layout layout;
    Pictures a, b;
    ASSERT_OK(trib_crops_layout(&crops, 41, 57, &layout));
    ASSERT_OK(trib_crops_pictures(&crops, &layout, gray.get(), a.images));
    ASSERT_OK(trib_crops_pictures(&crops, &layout, colour.get(), b.images));
    for (int i = 0; i < layout.crop_count; ++i)
        EXPECT_TRUE(pixels_of(a.images, layout.crops[i]) == pixels_of(b.images, layout.crops[i]));
}

// An elongated image's squares are made by themselves: 4096 x 2 would be 589,824 columns at a scale of 288.
TEST(Crops, MemoryIsBoundedAndKnown)
{
    for (const auto &size : { std::pair(28, 28), { 1, 1 }, { 500, 375 }, { 375, 500 }, { 2000, 200 }, { 4096, 2 } })
        for (int channels : { 1, 3 })
            for (int policy : { 1, 10, 144 }) {
                trib_crops crops = crops_of(224, policy);
                const int64_t bound = trib_crops_bytes(&crops, size.first, size.second, channels);
                Image image(size.first, size.second, channels,
                            std::vector<uint8_t>(std::size_t(size.first) * std::size_t(size.second * channels)));
                trib_crop_layout layout;
                Pictures pictures;
                support::Heap heap;
                ASSERT_OK(trib_crops_layout(&crops, size.first, size.second, &layout));
                ASSERT_OK(trib_crops_pictures(&crops, &layout, image.get(), pictures.images));
                EXPECT_LE(bound, 8 << 20);
                if (support::sanitized) continue;
                const int64_t rounding = 4096 * (1 + layout.picture_count); // of each block, to a page
                EXPECT_LE(heap.peak(), bound + rounding) << size.first << " x " << size.second << ": " << policy;
                EXPECT_GE(heap.peak() + 65536, bound) << size.first << " x " << size.second << ": " << policy;
            }
    trib_crops crops = crops_of(224, 144);
    EXPECT_EQ(trib_crops_bytes(&crops, 1 << 21, 1, 3), 0);
    EXPECT_EQ(trib_crops_bytes(&crops, 0, 1, 3), 0);
}

TEST(Crops, WhatIsRefused)
{
    trib_preprocess p = input_of(224), wide = p;
    wide.crop_height = 128;
    trib_crops crops;
    const int small[] = { 256, 223 }, many[9] = { 256 }, huge[] = { 16385 };
    EXPECT_FAILS(trib_crops_init(&p, 5, nullptr, 0, &crops), TRIB_INVALID_ARGUMENT, "5 crops");
    EXPECT_FAILS(trib_crops_init(&p, 1, small, 2, &crops), TRIB_INVALID_ARGUMENT, "the model's own");
    EXPECT_FAILS(trib_crops_init(&p, 144, small, 2, &crops), TRIB_INVALID_ARGUMENT, "223 pixels is smaller");
    EXPECT_FAILS(trib_crops_init(&p, 10, small, 2, &crops), TRIB_INVALID_ARGUMENT, "223 pixels is smaller");
    EXPECT_FAILS(trib_crops_init(&p, 144, many, 9, &crops), TRIB_INVALID_ARGUMENT, "9 scales");
    EXPECT_FAILS(trib_crops_init(&p, 144, many, -1, &crops), TRIB_INVALID_ARGUMENT, "-1 scales");
    EXPECT_FAILS(trib_crops_init(&p, 144, huge, 1, &crops), TRIB_INVALID_ARGUMENT, "16385");
    EXPECT_FAILS(trib_crops_init(&wide, 10, nullptr, 0, &crops), TRIB_INVALID_ARGUMENT, "224 x 128");
    EXPECT_FAILS(trib_crops_init(nullptr, 10, nullptr, 0, &crops), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_OK(trib_crops_init(&wide, 1, nullptr, 0, &crops));
    crops = crops_of(224, 144);
    trib_crop_layout layout;
    EXPECT_FAILS(trib_crops_layout(&crops, 1 << 21, 1, &layout), TRIB_BAD_DATA, "elongated");
    EXPECT_FAILS(trib_crops_layout(&crops, 0, 1, &layout), TRIB_INVALID_ARGUMENT, "0 x 1");
    trib_image none = {}, pictures[TRIB_MOST_CROP_PICTURES];
    EXPECT_FAILS(trib_crops_pictures(&crops, &layout, &none, pictures), TRIB_INVALID_ARGUMENT, "empty");
}

TEST(Crops, EveryAllocationMayFail)
{
    Noise noise(7);
    Image image(30, 20, 1, noise.bytes(600));
    trib_crops crops = crops_of(16, 144);
    trib_crop_layout layout;
    ASSERT_OK(trib_crops_layout(&crops, 30, 20, &layout));
    trib_image pictures[TRIB_MOST_CROP_PICTURES];
    trib_fault_arm(0, false);
    ASSERT_OK(trib_crops_pictures(&crops, &layout, image.get(), pictures));
    const int64_t allocations = trib_fault_disarm();
    for (int i = 0; i < layout.picture_count; ++i) trib_image_release(&pictures[i]);
    for (int64_t k = 1; k <= allocations; ++k) {
        trib_fault_arm(k, false);
        trib_status s = trib_crops_pictures(&crops, &layout, image.get(), pictures);
        trib_fault_disarm();
        EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << s.message;
        for (int i = 0; i < layout.picture_count; ++i) EXPECT_EQ(pictures[i].pixels, nullptr);
    }
}

} // namespace

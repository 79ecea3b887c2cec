// SPDX-License-Identifier: Apache-2.0
// Random views: presets, their statistics, PIL's colours, and that a key decides everything.
#include "tributary/sampling.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "host/image/draw.h"
#include "host/image/view.h"
#include "image/images.h"
#include "support/heap.h"
#include "tributary/internal/fault.h"

namespace
{

const trib_sampling &preset(const char *name) { return *trib_sampling_find(name); }

trib_preprocess square(int crop, int resize)
{
    trib_preprocess p = trib_preprocess_torchvision();
    p.crop_width = p.crop_height = crop;
    p.resize = resize;
    return p;
}

std::vector<uint8_t> pixels(const trib_sampling &sampling, const trib_preprocess &p, const Image &image, uint64_t key)
{
    Image out;
    EXPECT_OK(trib_sampling_pixels(&sampling, &p, image.get(), key, out.put()));
    return out.bytes();
}

std::vector<trib_image_view> views(const trib_sampling &sampling, const trib_preprocess &p, int w, int h, int count)
{
    std::vector<trib_image_view> list { std::size_t(count) };
    for (int i = 0; i < count; ++i)
        EXPECT_OK(trib_image_view_draw(&sampling, &p, w, h, trib_key_with(1, uint64_t(i)), &list[std::size_t(i)]));
    return list;
}

double mean(const std::vector<trib_image_view> &list, const std::function<double(const trib_image_view &)> &of)
{
    double sum = 0;
    for (const auto &view : list) sum += of(view);
    return sum / double(list.size());
}

} // namespace

TEST(Sampling, PresetsHaveNames)
{
    std::vector<std::string> names;
    for (int i = 0; trib_sampling_at(i); ++i) {
        names.push_back(trib_sampling_at(i)->name);
        EXPECT_EQ(trib_sampling_find(names.back().c_str()), trib_sampling_at(i));
        EXPECT_OK(trib_sampling_check(trib_sampling_at(i)));
    }
    EXPECT_EQ(names, std::vector<std::string>({ "none", "mirror", "caffe", "paper" }));
    EXPECT_EQ(trib_sampling_find("Paper"), nullptr);
    EXPECT_EQ(trib_sampling_find(nullptr), nullptr);
    EXPECT_EQ(trib_sampling_at(-1), nullptr);
}

TEST(Sampling, NoneIsTheEvaluationAndMirrorItsMirrorImage)
{
    Noise noise(1);
    Image image(37, 29, 3, noise.bytes(37 * 29 * 3)), plain;
    trib_preprocess p = square(16, 20);
    ASSERT_OK(trib_preprocess_pixels(&p, image.get(), plain.put()));
    std::vector<uint8_t> mirrored;
    for (int y = 0; y < 16; ++y)
        for (int x = 15; x >= 0; --x)
            for (int c = 0; c < 3; ++c) mirrored.push_back(plain->pixels[(y * 16 + x) * 3 + c]);
    int as_is = 0, other = 0;
    for (uint64_t key = 0; key < 400; ++key) {
        EXPECT_EQ(pixels(preset("none"), p, image, key), plain.bytes());
        auto got = pixels(preset("mirror"), p, image, key);
        as_is += got == plain.bytes();
        other += got == mirrored;
    }
    EXPECT_EQ(as_is + other, 400);
    EXPECT_NEAR(as_is, 200, 50); // five standard deviations
}

TEST(Sampling, WindowsLieAnywhereInTheSquashedImage)
{
    trib_preprocess p = square(224, 224);
    p.interpolation = TRIB_BICUBIC;
    auto list = views(preset("caffe"), p, 500, 375, 20000);
    std::vector<int> x(33), y(33);
    for (const auto &view : list) {
        EXPECT_EQ(view.x.in, 500);
        EXPECT_EQ(view.y.in, 375);
        ASSERT_EQ(view.x.out, 256);
        ASSERT_EQ(view.y.out, 256);
        ASSERT_EQ(view.x.count, 224);
        EXPECT_EQ(view.interpolation, TRIB_BICUBIC);
        ++x.at(std::size_t(view.x.first));
        ++y.at(std::size_t(view.y.first));
    }
    for (int i = 0; i < 33; ++i) { // 606 expected, deviation 24
        EXPECT_NEAR(x[std::size_t(i)], 606, 125);
        EXPECT_NEAR(y[std::size_t(i)], 606, 125);
    }
    for (int crop : { 1, 2, 64, 96 }) {
        auto small = views(preset("caffe"), square(crop, crop), 30, 40, 50);
        for (const auto &view : small) EXPECT_LE(view.x.first + view.x.count, view.x.out);
    }
}

TEST(Sampling, AreasAndAspectRatiosAreSpreadAsStated)
{
    const int w = 500, h = 400;
    auto list = views(preset("paper"), square(224, 256), w, h, 20000);
    std::vector<int> interpolations(4), orders(27);
    for (const auto &view : list) {
        const trib_image_part &b = view.box;
        double area = double(b.width) * b.height / (double(w) * h), aspect = double(b.width) / b.height;
        ASSERT_TRUE(b.left >= 0 && b.top >= 0 && b.left + b.width <= w && b.top + b.height <= h);
        ASSERT_TRUE(area > 0.08 - 0.005 && area <= 1);
        ASSERT_TRUE(aspect > 0.75 - 0.01 && aspect < 4.0 / 3 + 0.02);
        ASSERT_TRUE(view.x.in == b.width && view.x.out == 224 && view.x.first == 0 && view.x.count == 224);
        ++interpolations[std::size_t(view.interpolation)];
        ++orders[std::size_t(view.order[0] * 9 + view.order[1] * 3 + view.order[2])];
        for (float f : view.factor) ASSERT_TRUE(f >= 0.5f && f <= 1.5f);
    }
    // What an even spread gives, without the crops that are larger than the image.
    std::vector<double> wanted(10), got(10);
    double fitting = 0, log_aspect = 0;
    for (int i = 0; i < 1000; ++i)
        for (int j = 0; j < 1000; ++j) {
            double area = 0.08 + 0.92 * (i + 0.5) / 1000, a = std::log(4.0 / 3) * ((j + 0.5) / 500 - 1);
            if (std::sqrt(area * w * h * std::exp(a)) > w || std::sqrt(area * w * h / std::exp(a)) > h) continue;
            ++fitting;
            log_aspect += a;
            ++wanted[std::size_t(area * 10)];
        }
    for (const auto &view : list)
        ++got[std::min<std::size_t>(9, std::size_t(view.box.width) * view.box.height * 10 / (w * h))];
    for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(got[i] / 20000, wanted[i] / fitting, 0.012) << i;
    EXPECT_NEAR(mean(list, [](const trib_image_view &v) { return std::log(double(v.box.width) / v.box.height); }),
                log_aspect / fitting, 0.005);
    EXPECT_NEAR(mean(list, [](const trib_image_view &v) { return v.mirror; }), 0.5, 0.02);
    for (int i = 0; i < 3; ++i) EXPECT_NEAR(mean(list, [&](const trib_image_view &v) { return v.factor[i]; }), 1, 0.01);
    for (int count : interpolations) EXPECT_NEAR(count, 5000, 310);
    std::sort(orders.begin(), orders.end());
    for (std::size_t i = 0; i < 21; ++i) EXPECT_EQ(orders[i], 0);
    for (std::size_t i = 21; i < 27; ++i) EXPECT_NEAR(orders[i], 3333, 270);
    // Position among those possible: the middle on average.
    EXPECT_NEAR(mean(list, [&](const trib_image_view &v) { return (v.box.left + 0.5) / (w - v.box.width + 1); }), 0.5,
                0.01);
    EXPECT_NEAR(mean(list, [&](const trib_image_view &v) { return (v.box.top + 0.5) / (h - v.box.height + 1); }), 0.5,
                0.01);
    // The first component is nearly gray: red and blue move together, with a deviation of 255 x 0.2175 x 0.1 x 0.57.
    double red = std::sqrt(mean(list, [](const trib_image_view &v) { return v.shift[0] * v.shift[0]; }));
    EXPECT_NEAR(red, 3.17, 0.1);
    EXPECT_GT(mean(list, [](const trib_image_view &v) { return v.shift[0] * v.shift[2]; }), 8);
}

TEST(Sampling, ImagesOfAnyShapeHaveACrop)
{
    const int sizes[][2] = { { 1, 1 }, { 1, 1000 }, { 1000, 1 }, { 3, 2 }, { 30000, 7 }, { 17, 5000 } };
    for (const auto &size : sizes)
        for (const auto &view : views(preset("paper"), square(8, 8), size[0], size[1], 200)) {
            const trib_image_part &b = view.box;
            ASSERT_TRUE(b.left >= 0 && b.top >= 0 && b.width >= 1 && b.height >= 1);
            ASSERT_TRUE(b.left + b.width <= size[0] && b.top + b.height <= size[1]);
        }
    // Nothing fits: the middle, as wide as is permitted.
    auto list = views(preset("paper"), square(8, 8), 1000, 10, 1);
    EXPECT_EQ(list[0].box.width, 13);
    EXPECT_EQ(list[0].box.left, 493);
    EXPECT_EQ(list[0].box.height, 10);
}

TEST(Sampling, DistortionsArePils)
{
    const struct {
        trib_distortion kind;
        float factor;
        std::vector<uint8_t> pixels; // of Image.frombytes("RGB", (4, 2), ...) through ImageEnhance
    } cases[] = {
        { TRIB_CONTRAST, 0.5f, { 60,  90,  127, 171, 94,  152, 89,  161, 112, 70,  163, 135,
                                 114, 100, 93,  93,  100, 114, 135, 163, 70,  112, 161, 89 } },
        { TRIB_CONTRAST, 1.375f, { 0,   37, 139, 255, 48, 208, 34,  232, 98, 0,  238, 161,
                                   103, 65, 45,  45,  65, 103, 161, 238, 0,  98, 232, 34 } },
        { TRIB_BRIGHTNESS, 0.8125f, { 0,  48, 108, 180, 55, 149, 47,  164, 84, 16, 167, 121,
                                      87, 65, 53,  53,  65, 87,  121, 167, 16, 84, 164, 47 } },
        { TRIB_BRIGHTNESS, 1.375f, { 0,   82,  184, 255, 93,  253, 79,  255, 143, 27,  255, 206,
                                     148, 110, 90,  90,  110, 148, 206, 255, 27,  143, 255, 79 } },
        { TRIB_COLOUR, 0.5f, { 25, 55, 92, 174, 97, 155, 103, 175, 126, 82,  175, 147,
                               97, 83, 76, 72,  79, 93,  159, 187, 94,  130, 179, 107 } },
        { TRIB_COLOUR, 1.375f, { 0,   63, 165, 255, 45, 205, 24,  222, 87, 0,  229, 152,
                                 115, 77, 58,  61,  80, 118, 143, 220, 0,  84, 219, 21 } },
        { TRIB_COLOUR, 1, { 0,   60, 134, 222, 68, 184, 58,  202, 104, 20,  206, 150,
                            108, 80, 66,  66,  80, 108, 150, 206, 20,  104, 202, 58 } },
    };
    for (const auto &c : cases) {
        std::vector<uint8_t> bytes;
        for (int i = 0; i < 24; ++i) bytes.push_back(uint8_t(i * 53 + i * i * 7));
        Image image(4, 2, 3, bytes), copy;
        trib_image view = *image.get(); // the same pixels
        trib_distort(&view, c.kind, c.factor);
        EXPECT_EQ(image.bytes(), c.pixels) << c.kind << " " << c.factor;
    }
}

TEST(Sampling, AKeyDecidesEverythingAndDifferentKeysDiffer)
{
    Noise noise(2);
    Image image(60, 50, 3, noise.bytes(60 * 50 * 3));
    trib_preprocess p = square(24, 30);
    for (const char *name : { "paper", "caffe" }) {
        auto first = pixels(preset(name), p, image, 7);
        EXPECT_EQ(pixels(preset(name), p, image, 7), first);
        int same = 0;
        for (uint64_t key = 8; key < 40; ++key) same += pixels(preset(name), p, image, key) == first;
        EXPECT_LE(same, 2) << name; // 2 x 16 windows
    }
}

TEST(Sampling, FloatsAreTheNormalisedPixels)
{
    Noise noise(3);
    for (int channels : { 1, 3 }) {
        Image image(40, 30, channels, noise.bytes(std::size_t(40 * 30 * channels))), view;
        trib_preprocess p = trib_preprocess_caffe();
        p.crop_width = p.crop_height = 16;
        for (const char *name : { "paper", "caffe", "mirror", "none" })
            for (trib_layout layout : { TRIB_NCHW, TRIB_NHWC }) {
                std::vector<float> y(16 * 16 * 3), wanted(y.size());
                ASSERT_OK(trib_sampling_image(&preset(name), &p, image.get(), 5, layout, y.data()));
                ASSERT_OK(trib_sampling_pixels(&preset(name), &p, image.get(), 5, view.put()));
                ASSERT_EQ(view->channels, 3);
                p.resize_mode = TRIB_RESIZE_NONE;
                ASSERT_OK(trib_preprocess_image(&p, view.get(), layout, wanted.data()));
                p.resize_mode = TRIB_RESIZE_SQUASH;
                EXPECT_EQ(y, wanted) << name;
            }
    }
}

TEST(Sampling, ArgumentsAreChecked)
{
    trib_preprocess p = square(8, 10);
    Image image(9, 9, 3, std::vector<uint8_t>(9 * 9 * 3)), out;
    auto fails = [&](const char *text, const std::function<void(trib_sampling *)> &change) {
        trib_sampling s = preset("paper");
        change(&s);
        EXPECT_FAILS(trib_sampling_pixels(&s, &p, image.get(), 1, out.put()), TRIB_INVALID_ARGUMENT, text);
        EXPECT_EQ(trib_sampling_bytes(&s, &p, 9, 9, 3), 0);
    };
    const double nan = std::nan("");
    fails("crop is 9", [](trib_sampling *s) { s->crop = trib_sampling_crop(9); });
    fails("area", [](trib_sampling *s) { s->min_area = 0; });
    fails("area", [](trib_sampling *s) { s->max_area = 1.1; });
    fails("area", [&](trib_sampling *s) { s->max_area = nan; });
    fails("aspect", [](trib_sampling *s) { s->min_aspect = 2; });
    fails("distortion", [](trib_sampling *s) { s->distortion = 1.5; });
    fails("distortion", [&](trib_sampling *s) { s->distortion = nan; });
    fails("lighting", [](trib_sampling *s) { s->lighting = -1; });
    EXPECT_FAILS(trib_sampling_check(nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    float y[8 * 8 * 3];
    EXPECT_FAILS(trib_sampling_image(&preset("none"), &p, image.get(), 1, TRIB_NCHW8C, y), TRIB_INVALID_ARGUMENT,
                 "layout");
    EXPECT_FAILS(trib_sampling_image(&preset("none"), &p, image.get(), 1, TRIB_NCHW, nullptr), TRIB_INVALID_ARGUMENT,
                 "out");
    EXPECT_FAILS(trib_sampling_pixels(&preset("none"), &p, image.get(), 1, nullptr), TRIB_INVALID_ARGUMENT, "out");
    Image empty;
    EXPECT_FAILS(trib_sampling_pixels(&preset("none"), &p, empty.get(), 1, out.put()), TRIB_INVALID_ARGUMENT, "empty");
    p.crop_width = 0;
    EXPECT_FAILS(trib_sampling_pixels(&preset("none"), &p, image.get(), 1, out.put()), TRIB_INVALID_ARGUMENT,
                 "crop_width");
}

TEST(Sampling, MemoryIsBoundedAsStated)
{
    std::vector<trib_sampling> samplings;
    for (int i = 0; trib_sampling_at(i); ++i) samplings.push_back(*trib_sampling_at(i));
    samplings.push_back(preset("caffe"));
    samplings.back().any_interpolation = true;
    const int sizes[][2] = { { 20, 20 }, { 48, 48 }, { 500, 375 }, { 2000, 40 }, { 40, 2000 } };
    for (const auto &size : sizes)
        for (int channels : { 1, 3 })
            for (const trib_sampling &sampling : samplings) {
                Image image(size[0], size[1], channels,
                            std::vector<uint8_t>(std::size_t(size[0]) * std::size_t(size[1] * channels)));
                trib_preprocess p = square(48, 64);
                int64_t bound = trib_sampling_bytes(&sampling, &p, size[0], size[1], channels);
                for (uint64_t key = 0; key < 30; ++key) {
                    Image out;
                    support::Heap heap;
                    ASSERT_OK(trib_sampling_pixels(&sampling, &p, image.get(), key, out.put()));
                    if (!support::sanitized) {
                        EXPECT_LE(heap.peak(), bound + 4096) << sampling.name << " " << size[0];
                    }
                }
            }
}

TEST(Sampling, EveryFailedAllocationIsReported)
{
    Noise noise(4);
    Image image(50, 40, 1, noise.bytes(50 * 40));
    trib_preprocess p = square(16, 20);
    for (int i = 0; trib_sampling_at(i); ++i)
        for (int64_t k = 1;; ++k) {
            Image out;
            trib_fault_arm(k, false);
            trib_status s = trib_sampling_pixels(trib_sampling_at(i), &p, image.get(), 3, out.put());
            if (trib_fault_disarm() < k) break;
            EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY);
            EXPECT_EQ(out->pixels, nullptr);
        }
}

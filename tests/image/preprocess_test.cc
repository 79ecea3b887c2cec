// SPDX-License-Identifier: Apache-2.0
// From images to a network's input: sizes, crops, channel order, layout and normalisation.
#include <cmath>
#include <limits>
#include <memory>

#include "image/images.h"
#include "tributary/internal/fault.h"
#include "tributary/kernels.h"

namespace
{

// A gradient whose pixel values tell where a crop came from.
Image *ramp(int width, int height)
{
    std::vector<uint8_t> pixels;
    for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x) pixels.insert(pixels.end(), { uint8_t(x), uint8_t(y), uint8_t(x + y) });
    return new Image(width, height, 3, pixels);
}

trib_preprocess only_crop(int height, int width)
{
    trib_preprocess p = trib_preprocess_torchvision();
    p.resize_mode = TRIB_RESIZE_NONE;
    p.crop_height = height;
    p.crop_width = width;
    return p;
}

// int(round((size - crop) / 2.0)) by Python, for crop 4 and sizes 4 ...
TEST(Preprocess, CropOffsetRoundsHalfToEven)
{
    const int offsets[] = { 0, 0, 1, 2, 2, 2, 3, 4, 4, 4, 5 };
    for (int extra = 0; extra < 11; ++extra) {
        std::unique_ptr<Image> wide(ramp(4 + extra, 4)), tall(ramp(4, 4 + extra));
        Image out;
        trib_preprocess p = only_crop(4, 4);
        ASSERT_OK(trib_preprocess_pixels(&p, wide->get(), out.put()));
        EXPECT_EQ(out->pixels[0], offsets[extra]);
        ASSERT_OK(trib_preprocess_pixels(&p, tall->get(), out.put()));
        EXPECT_EQ(out->pixels[1], offsets[extra]);
    }
}

TEST(Preprocess, ShortSideKeepsTheAspectAsPythonDoes)
{
    // int(8 * 19 / 7) = 21: the crop of 8 starts at column int(round(13 / 2.0)) = 6.
    std::unique_ptr<Image> image(ramp(19, 7)), upright(ramp(7, 19));
    trib_preprocess p = only_crop(8, 8);
    p.resize_mode = TRIB_RESIZE_SHORT_SIDE;
    p.resize = 8;
    for (Image *in : { image.get(), upright.get() }) {
        int width = in->get()->width > 7 ? 21 : 8, height = width == 21 ? 8 : 21;
        Image whole, crop, expected;
        ASSERT_OK(trib_image_resize(in->get(), width, height, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, whole.put()));
        trib_preprocess cut = only_crop(8, 8);
        ASSERT_OK(trib_preprocess_pixels(&cut, whole.get(), expected.put()));
        ASSERT_OK(trib_preprocess_pixels(&p, in->get(), crop.put()));
        EXPECT_EQ(crop.bytes(), expected.bytes());
    }
}

TEST(Preprocess, SquashLosesTheAspect)
{
    std::unique_ptr<Image> image(ramp(50, 10));
    trib_preprocess p = trib_preprocess_caffe();
    p.resize = p.crop_height = p.crop_width = 20;
    Image a, b;
    ASSERT_OK(trib_preprocess_pixels(&p, image->get(), a.put()));
    ASSERT_OK(trib_image_resize(image->get(), 20, 20, TRIB_BILINEAR, TRIB_HORIZONTAL_FIRST, b.put()));
    EXPECT_EQ(a.bytes(), b.bytes());
}

TEST(Preprocess, WithoutAResizeSmallImagesAreErrors)
{
    std::unique_ptr<Image> image(ramp(10, 6));
    Image out;
    std::vector<float> y(3 * 8 * 8);
    trib_preprocess p = only_crop(8, 8);
    EXPECT_FAILS(trib_preprocess_pixels(&p, image->get(), out.put()), TRIB_BAD_DATA, "smaller than the crop");
    EXPECT_FAILS(trib_preprocess_image(&p, image->get(), TRIB_NCHW, y.data()), TRIB_BAD_DATA, "10 x 6");
}

TEST(Preprocess, EveryLayoutOrderAndChannelCount)
{
    Noise noise(1);
    for (int channels : { 1, 3 })
        for (bool bgr : { false, true })
            for (trib_layout layout : { TRIB_NCHW, TRIB_NHWC })
                for (int width : { 1, 15, 16, 37 }) {
                    const int height = 5;
                    Image image(width, height, channels, noise.bytes(std::size_t(width) * height * channels));
                    trib_preprocess p = only_crop(height, width);
                    p.bgr = bgr;
                    std::vector<float> y(3 * std::size_t(width) * height + 1, 1234.0f);
                    ASSERT_OK(trib_preprocess_image(&p, image.get(), layout, y.data()));
                    EXPECT_EQ(y.back(), 1234.0f) << "written past the end";
                    auto rgb = image.rgb();
                    for (int i = 0; i < width * height; ++i)
                        for (int c = 0; c < 3; ++c) {
                            double value = rgb[std::size_t(3 * i + (bgr ? 2 - c : c))] / 255.0;
                            double wanted = (value - p.mean[c]) / p.std[c];
                            double got = y[std::size_t(layout == TRIB_NCHW ? c * width * height + i : 3 * i + c)];
                            ASSERT_TRUE(std::fabs(got - wanted) <= 1e-6) << got << " " << wanted;
                        }
                }
}

TEST(Preprocess, CaffeSubtractsMeansInItsOrder)
{
    Image image(1, 1, 3, { 10, 20, 30 });
    trib_preprocess p = trib_preprocess_caffe();
    p.resize = p.crop_height = p.crop_width = 1;
    float y[3];
    ASSERT_OK(trib_preprocess_image(&p, image.get(), TRIB_NCHW, y));
    EXPECT_EQ(y[0], 30.0f - 104);
    EXPECT_EQ(y[1], 20.0f - 117);
    EXPECT_EQ(y[2], 10.0f - 123);
}

// What a device is given to normalise with, against the definition: (pixel * scale - mean) / std, channels of the
// network.
TEST(Preprocess, NormaliseForADevice)
{
    trib_preprocess p = trib_preprocess_torchvision();
    trib_normalise n = trib_preprocess_normalise(&p);
    EXPECT_FALSE(n.bgr);
    for (int c = 0; c < 3; ++c)
        for (int pixel : { 0, 1, 128, 255 }) {
            double wanted = (pixel / 255.0 - double(p.mean[c])) / double(p.std[c]);
            EXPECT_NEAR(double(n.scale[c]) * pixel + double(n.shift[c]), wanted, 1e-6);
        }
    p = trib_preprocess_caffe();
    n = trib_preprocess_normalise(&p);
    EXPECT_TRUE(n.bgr);
    for (int c = 0; c < 3; ++c) {
        EXPECT_EQ(n.scale[c], 1);
        EXPECT_EQ(n.shift[c], -p.mean[c]);
    }
}

TEST(Preprocess, GrayBecomesThreeEqualChannels)
{
    Image image(2, 2, 1, { 1, 2, 3, 4 }), out;
    trib_preprocess p = only_crop(2, 2);
    ASSERT_OK(trib_preprocess_pixels(&p, image.get(), out.put()));
    EXPECT_EQ(out->channels, 3);
    EXPECT_EQ(out.bytes(), std::vector<uint8_t>({ 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4 }));
}

TEST(Preprocess, RowsMayBePadded)
{
    std::vector<uint8_t> pixels = { 1, 2, 3, 99, 99, 4, 5, 6 };
    const float scale[3] = { 1, 10, 100 }, shift[3] = { 0.5f, 0, -1 };
    trib_normalise_geometry g = { 2, 1, 3, 5, false, false };
    std::vector<float> y(6), planes(6);
    trib_normalise_u8(&g, pixels.data(), scale, shift, y.data());
    EXPECT_EQ(y, std::vector<float>({ 1.5f, 20, 299, 4.5f, 50, 599 }));
    g.nchw = true;
    trib_normalise_u8(&g, pixels.data(), scale, shift, planes.data());
    EXPECT_EQ(planes, std::vector<float>({ 1.5f, 4.5f, 20, 50, 299, 599 }));
}

TEST(Preprocess, ExtremeStripsAreHandled)
{
    trib_preprocess p = trib_preprocess_torchvision();
    Image strip(1 << 20, 1, 1, std::vector<uint8_t>(1 << 20, 9)), out;
    ASSERT_OK(trib_preprocess_pixels(&p, strip.get(), out.put())); // 2^28 columns wide in full
    EXPECT_EQ(out.bytes(), std::vector<uint8_t>(224 * 224 * 3, 9));
    Image longer(1 << 21, 1, 1, std::vector<uint8_t>(1 << 21, 9));
    EXPECT_FAILS(trib_preprocess_pixels(&p, longer.get(), out.put()), TRIB_BAD_DATA, "elongated");
    Image pixel(1, 1, 3, { 1, 2, 3 });
    ASSERT_OK(trib_preprocess_pixels(&p, pixel.get(), out.put()));
    EXPECT_EQ(out->pixels[224 * 224 * 3 - 1], 3);
}

TEST(Preprocess, DefaultsPassTheirOwnCheck)
{
    trib_preprocess torchvision = trib_preprocess_torchvision(), caffe = trib_preprocess_caffe();
    EXPECT_OK(trib_preprocess_check(&torchvision));
    EXPECT_OK(trib_preprocess_check(&caffe));
}

TEST(Preprocess, CheckNamesTheField)
{
    const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
    auto expect = [](const char *field, void (*spoil)(trib_preprocess *, float), float value) {
        trib_preprocess p = trib_preprocess_torchvision();
        spoil(&p, value);
        EXPECT_FAILS(trib_preprocess_check(&p), TRIB_INVALID_ARGUMENT, field);
        Image image(1, 1, 1, { 0 }), out;
        float unused = 0;
        EXPECT_FAILS(trib_preprocess_pixels(&p, image.get(), out.put()), TRIB_INVALID_ARGUMENT, field);
        EXPECT_FAILS(trib_preprocess_image(&p, image.get(), TRIB_NCHW, &unused), TRIB_INVALID_ARGUMENT, field);
    };
    for (float bad : { 0.0f, -3.0f, 16385.0f }) {
        expect(
            "crop_height", [](trib_preprocess *p, float v) { p->crop_height = int(v); }, bad);
        expect(
            "crop_width", [](trib_preprocess *p, float v) { p->crop_width = int(v); }, bad);
        expect(
            "resize", [](trib_preprocess *p, float v) { p->resize = int(v); }, bad);
    }
    expect(
        "larger than resize", [](trib_preprocess *p, float) { p->crop_width = 257; }, 0);
    expect(
        "resize_mode", [](trib_preprocess *p, float v) { p->resize_mode = trib_resize_mode(int(v)); }, 7);
    expect(
        "interpolation", [](trib_preprocess *p, float v) { p->interpolation = trib_interpolation(int(v)); }, 4);
    expect(
        "resample_order", [](trib_preprocess *p, float v) { p->resample_order = trib_resample_order(int(v)); }, 2);
    for (float bad : { 0.0f, -1.0f, nan, infinity }) {
        expect(
            "scale", [](trib_preprocess *p, float v) { p->scale = v; }, bad);
        expect(
            "std[2]", [](trib_preprocess *p, float v) { p->std[2] = v; }, bad);
    }
    for (float bad : { nan, infinity })
        expect(
            "mean[1]", [](trib_preprocess *p, float v) { p->mean[1] = v; }, bad);
    expect(
        "std[0]", [](trib_preprocess *p, float v) { p->std[0] = v; }, 1e-44f);
    EXPECT_FAILS(trib_preprocess_check(nullptr), TRIB_INVALID_ARGUMENT, "NULL");
}

TEST(Preprocess, ArgumentsAreChecked)
{
    trib_preprocess p = trib_preprocess_torchvision();
    Image image(1, 1, 1, { 0 }), out;
    float unused = 0;
    EXPECT_FAILS(trib_preprocess_image(&p, image.get(), TRIB_NCHW8C, &unused), TRIB_INVALID_ARGUMENT, "layout");
    EXPECT_FAILS(trib_preprocess_image(&p, image.get(), TRIB_NCHW, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_preprocess_image(&p, nullptr, TRIB_NCHW, &unused), TRIB_INVALID_ARGUMENT, "empty");
    EXPECT_FAILS(trib_preprocess_pixels(&p, image.get(), nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_preprocess_pixels(&p, out.get(), out.put()), TRIB_INVALID_ARGUMENT, "empty");
}

TEST(Preprocess, EveryAllocationMayFail)
{
    Noise noise(3);
    Image image(20, 30, 1, noise.bytes(600)), out;
    trib_preprocess p = trib_preprocess_torchvision();
    p.resize = p.crop_height = p.crop_width = 8;
    float y[3 * 8 * 8];
    trib_fault_arm(0, false);
    EXPECT_OK(trib_preprocess_pixels(&p, image.get(), out.put()));
    int64_t allocations = trib_fault_disarm();
    EXPECT_GE(allocations, 4);
    for (int64_t k = 1; k <= allocations; ++k) {
        trib_fault_arm(k, true);
        trib_status s = trib_preprocess_pixels(&p, image.get(), out.put());
        trib_status t = trib_preprocess_image(&p, image.get(), TRIB_NHWC, y);
        trib_fault_disarm();
        EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << s.message;
        EXPECT_EQ(t.code, TRIB_OUT_OF_MEMORY) << t.message; // every later call fails too
    }
}

TEST(Preprocess, Names)
{
    EXPECT_STREQ(trib_interpolation_name(TRIB_BICUBIC), "bicubic");
    EXPECT_STREQ(trib_interpolation_name(trib_interpolation(9)), "unknown");
    EXPECT_STREQ(trib_resize_mode_name(TRIB_RESIZE_SQUASH), "squash");
    EXPECT_STREQ(trib_resize_mode_name(trib_resize_mode(9)), "unknown");
}

} // namespace

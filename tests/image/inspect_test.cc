// SPDX-License-Identifier: Apache-2.0
// What an image takes is known before it is decoded: never less than it then takes.
#include <algorithm>
#include <filesystem>

#include "host/image/png_chunks.h"
#include "image/images.h"
#include "support/heap.h"

namespace
{

std::vector<std::string> image_names()
{
    std::vector<std::string> names;
    for (const auto &entry : std::filesystem::directory_iterator(support::data_file("images"))) {
        const std::string extension = entry.path().extension();
        if (extension == ".jpg" || extension == ".png" || extension == ".webp")
            names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

// Decodes while counting: never more than inspecting predicted, and an image of the predicted size, or on its side.
void expect_bounded(const std::string &bytes, const trib_decode_options *options = nullptr)
{
    trib_image_info info = {};
    trib_status told = trib_image_inspect(bytes.data(), bytes.size(), options, &info);
    support::Heap heap;
    trib_image image = {};
    trib_status s = trib_image_decode(bytes.data(), bytes.size(), options, &image);
    const int64_t peak = heap.peak();
    if (trib_failed(&told)) {
        EXPECT_EQ(told.code, s.code) << told.message << "; decoding: " << s.message;
        return;
    }
    EXPECT_LE(peak, info.decode_bytes) << info.width << " x " << info.height << " " << s.message;
    if (trib_failed(&s)) return;
    const bool turned = options && options->apply_orientation && image.width == info.height;
    EXPECT_EQ(image.width, turned ? info.height : info.width);
    EXPECT_EQ(image.height, turned ? info.width : info.height);
    EXPECT_EQ(image.channels, info.channels);
    trib_image_release(&image);
}

TEST(Inspect, BoundsTheMemoryOfEveryImage)
{
    int seen = 0;
    for (const std::string &name : image_names()) {
        if (!can_decode(name)) continue;
        SCOPED_TRACE(name);
        const std::string bytes = image_file(name);
        expect_bounded(bytes);
        trib_image_info info = {};
        trib_status told = trib_image_inspect(bytes.data(), bytes.size(), nullptr, &info);
        if (trib_failed(&told)) continue; // as decoding does
        EXPECT_GE(info.decode_bytes, int64_t(info.width) * info.height * info.channels);
        EXPECT_LE(info.doubtful_bytes, info.decode_bytes);
        ++seen;
    }
    EXPECT_GT(seen, 0);
}

// The header chunk, whose name is at `at`, with the checksum it must have.
std::string with_checksum(std::string bytes, std::size_t at)
{
    uint32_t sum = trib_png_checksum(reinterpret_cast<const uint8_t *>(bytes.data()) + at, 4 + TRIB_PNG_HEADER_BYTES);
    for (int i = 0; i < 4; ++i) bytes[at + 4 + TRIB_PNG_HEADER_BYTES + std::size_t(i)] = char(sum >> (24 - 8 * i));
    return bytes;
}

// The place of the image's size in the file; "" if it does not look as expected.
std::string with_size(std::string bytes, const std::string &name, int width, int height)
{
    auto put = [&](std::size_t at, std::initializer_list<int> values) {
        for (int value : values) bytes[at++] = char(value);
    };
    const std::string extension = name.substr(name.rfind('.'));
    if (extension == ".png") {
        const std::size_t at = bytes.find("IHDR");
        if (at != std::string::npos) put(at + 4, { 0, 0, width >> 8, width & 255, 0, 0, height >> 8, height & 255 });
        return at == std::string::npos ? "" : with_checksum(bytes, at);
    }
    if (extension == ".jpg") {
        for (std::size_t i = 2; i + 9 < bytes.size();
             i += 2 + std::size_t(uint8_t(bytes[i + 2]) << 8 | uint8_t(bytes[i + 3])))
            if (bytes[i + 1] == '\xC0' || bytes[i + 1] == '\xC1' || bytes[i + 1] == '\xC2') {
                put(i + 5, { height >> 8, height & 255, width >> 8, width & 255 });
                return bytes;
            }
        return "";
    }
    const std::size_t extended = bytes.find("VP8X"), lossy = bytes.find("VP8 "), lossless = bytes.find("VP8L");
    const int w = width - 1, h = height - 1;
    if (extended != std::string::npos) put(extended + 12, { w & 255, w >> 8, 0, h & 255, h >> 8, 0 });
    if (lossy != std::string::npos) put(lossy + 14, { width & 255, width >> 8, height & 255, height >> 8 });
    if (lossless != std::string::npos) {
        const int alpha = bytes[lossless + 12] & 16;
        put(lossless + 9, { w & 255, (w >> 8) | (h & 3) << 6, h >> 2 & 255, h >> 10 | alpha });
    }
    return bytes;
}

// A header that promises more than there is: libraries allocate memory by the header.
TEST(Inspect, BoundsTheMemoryOfHeadersThatLie)
{
    const int sizes[][2] = { { 1, 16000 }, { 16000, 1 }, { 17, 5000 }, { 5000, 17 }, { 1999, 1501 }, { 4000, 3000 } };
    int seen = 0;
    for (const std::string &name : image_names()) {
        if (!can_decode(name)) continue;
        for (const auto &size : sizes) {
            SCOPED_TRACE(name + " as " + std::to_string(size[0]) + " x " + std::to_string(size[1]));
            const std::string bytes = with_size(image_file(name), name, size[0], size[1]);
            if (bytes.empty()) continue; // damaged on purpose
            trib_image_info info = {};
            trib_status s = trib_image_inspect(bytes.data(), bytes.size(), nullptr, &info);
            seen += !trib_failed(&s) && info.width == size[0] && info.height == size[1];
            expect_bounded(bytes);
        }
    }
    EXPECT_GT(seen, 100);
}

// The file that took 2.9 GB and 9 s: a header of 16384 x 16384 pixels in CMYK, and one scan of one byte.
TEST(Inspect, AProgressiveBombIsRefusedBeforeMemoryIsTaken)
{
    if (!can_decode("cmyk.jpg")) GTEST_SKIP() << "built without libjpeg";
    const std::string bomb = image_file("hostile/progressive-bomb.jpg");
    ASSERT_EQ(bomb.size(), 172u);
    const int64_t little = 1 << 20;
    trib_image_info info = {};
    trib_image image = {};
    support::Heap heap;
    EXPECT_FAILS(trib_image_decode(bomb.data(), bomb.size(), nullptr, &image), TRIB_BAD_DATA,
                 "raise trib_decode_options.max_pixels");
    EXPECT_FAILS(trib_image_inspect(bomb.data(), bomb.size(), nullptr, &info), TRIB_BAD_DATA,
                 "raise trib_decode_options.max_pixels");
    const trib_decode_options raised = { int64_t(1) << 40, false };
    EXPECT_FAILS(trib_image_decode(bomb.data(), bomb.size(), &raised, &image), TRIB_BAD_DATA, "decompression bomb");
    EXPECT_FAILS(trib_image_inspect(bomb.data(), bomb.size(), &raised, &info), TRIB_BAD_DATA, "decompression bomb");
    EXPECT_LT(heap.peak(), little);
}

// Coefficients are counted: 16 bits for each sample of each component, in whole blocks.
TEST(Inspect, CountsTheCoefficientsOfAProgressiveImage)
{
    if (!can_decode("cmyk.jpg")) GTEST_SKIP() << "built without libjpeg";
    const std::string bytes = with_size(image_file("progressive.jpg"), "progressive.jpg", 4000, 3000);
    trib_image_info info = {};
    ASSERT_OK(trib_image_inspect(bytes.data(), bytes.size(), nullptr, &info));
    const int64_t pixels = 4000 * 3000;
    EXPECT_GE(info.decode_bytes, pixels * (3 + 3)); // 4:2:0 has half as many samples of colour as of light
    EXPECT_LE(info.decode_bytes, pixels * (3 + 3) + (2 << 20));
    const std::string plain = with_size(image_file("420.jpg"), "420.jpg", 4000, 3000);
    ASSERT_OK(trib_image_inspect(plain.data(), plain.size(), nullptr, &info));
    EXPECT_LE(info.decode_bytes, pixels * 3 + (2 << 20));
}

// PNG has 32 bits for it, and an image 31.
TEST(Inspect, ASideThatNoImageCanHaveIsRefused)
{
    if (!can_decode("rgb.png")) GTEST_SKIP() << "built without libspng";
    std::string bytes = image_file("rgb.png");
    const std::size_t at = bytes.find("IHDR");
    bytes.replace(at + 4, 8, std::string("\x80\0\0\1\0\0\0\1", 8));
    bytes = with_checksum(bytes, at);
    trib_image_info info = {};
    trib_image image = {};
    const trib_decode_options raised = { int64_t(1) << 40, false };
    EXPECT_FAILS(trib_image_inspect(bytes.data(), bytes.size(), &raised, &info), TRIB_BAD_DATA, "2147483649 x 1");
    EXPECT_FAILS(trib_image_decode(bytes.data(), bytes.size(), &raised, &image), TRIB_BAD_DATA, "");
}

TEST(Inspect, RefusesWhatDecodingRefuses)
{
    trib_image_info info = {};
    const trib_decode_options negative = { -1, false }, small = { 100, false }, upright = { 0, true };
    EXPECT_FAILS(trib_image_inspect(nullptr, 1, nullptr, &info), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_image_inspect("x", 1, nullptr, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_image_inspect("x", 1, &negative, &info), TRIB_INVALID_ARGUMENT, "max_pixels");
    EXPECT_FAILS(trib_image_inspect("", 0, nullptr, &info), TRIB_BAD_DATA, "empty");
    EXPECT_FAILS(trib_image_inspect("GIF89a", 6, nullptr, &info), TRIB_UNSUPPORTED, "GIF");
    for (const std::string &name : image_names()) {
        if (!can_decode(name)) continue;
        SCOPED_TRACE(name);
        const std::string bytes = image_file(name);
        if (name != "one.png" && name.rfind("refused", 0) != 0)
            EXPECT_FAILS(trib_image_inspect(bytes.data(), bytes.size(), &small, &info), TRIB_BAD_DATA,
                         "raise trib_decode_options.max_pixels");
        expect_bounded(bytes, &upright);
        for (std::size_t length = 1; length < bytes.size(); length += 1 + length / 8)
            expect_bounded(bytes.substr(0, length));
    }
}

// What resizing takes, whatever the way and the shape.
void expect_preprocess_bounded(const trib_preprocess &p, const trib_image *image)
{
    std::vector<float> out(std::size_t(p.crop_width) * std::size_t(p.crop_height) * 3);
    support::Heap heap;
    trib_status s = trib_preprocess_image(&p, image, TRIB_NHWC, out.data());
    trib_image pixels = {};
    trib_status raw = trib_preprocess_pixels(&p, image, &pixels);
    trib_image_release(&pixels);
    EXPECT_EQ(s.code, raw.code);
    EXPECT_LE(heap.peak(),
              trib_preprocess_bytes(&p, image->width, image->height, image->channels) + 1024) // what malloc rounds up
        << image->width << " x " << image->height << " channels " << image->channels << " mode " << p.resize_mode
        << " way " << p.interpolation << " order " << p.resample_order << " crop " << p.crop_width << ": " << s.message;
}

TEST(Inspect, BoundsTheMemoryOfPreprocessing)
{
    const int sizes[][2] = {
        { 1, 1 }, { 3000, 20 }, { 20, 3000 }, { 900, 700 }, { 64, 64 }, { 65, 64 }, { 2000, 1500 }
    };
    for (const auto &size : sizes)
        for (int channels : { 1, 3 }) {
            const std::size_t bytes = std::size_t(size[0]) * std::size_t(size[1]) * std::size_t(channels);
            Image image(size[0], size[1], channels, std::vector<uint8_t>(bytes));
            for (int mode = TRIB_RESIZE_SHORT_SIDE; mode <= TRIB_RESIZE_NONE; ++mode)
                for (int way = TRIB_BILINEAR; way <= TRIB_AREA; ++way)
                    for (trib_resample_order order : { TRIB_HORIZONTAL_FIRST, TRIB_CHEAPER_FIRST })
                        for (int crop : { 1, 48, 64 }) {
                            trib_preprocess p = trib_preprocess_torchvision();
                            p.crop_width = p.crop_height = crop;
                            p.resize = 64;
                            p.resize_mode = trib_resize_mode(mode);
                            p.interpolation = trib_interpolation(way);
                            p.resample_order = order;
                            expect_preprocess_bounded(p, image.get());
                        }
        }
}

} // namespace

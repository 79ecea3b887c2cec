// SPDX-License-Identifier: Apache-2.0
// Decoders give what PIL gives, and refuse damaged files without harm.
#include <algorithm>
#include <cstring>

#include "host/image/decoders.h"
#include "image/images.h"
#include "tributary/internal/fault.h"

namespace
{

trib_status decode(const std::string &bytes, Image &out)
{
    return trib_image_decode(bytes.data(), bytes.size(), nullptr, out.put());
}

std::vector<std::string> decodable()
{
    std::vector<std::string> names;
    for (const Golden &g : read_goldens("decode.safetensors"))
        if (can_decode(g.name)) names.push_back(g.name);
    return names;
}

TEST(Decode, EveryKindEqualsPil)
{
    int compared = 0;
    for (const Golden &g : read_goldens("decode.safetensors")) {
        if (!can_decode(g.name)) continue;
        SCOPED_TRACE(g.name);
        Image image;
        ASSERT_OK(decode(image_file(g.name), image));
        EXPECT_EQ(image->height, g.shape[0]);
        EXPECT_EQ(image->width, g.shape[1]);
        EXPECT_EQ(image->channels, g.name.rfind("gray", 0) == 0 ? 1 : 3);
        EXPECT_TRUE(image.rgb() == g.bytes);
        ++compared;
    }
    if (can_decode("420.jpg") && can_decode("rgb.png") && can_decode("lossy.webp")) {
        EXPECT_EQ(compared, 35);
    }
}

TEST(Decode, PrefixesFailUnlessAllPixelsAreThere)
{
    for (const std::string &name : decodable()) {
        SCOPED_TRACE(name);
        std::string whole = image_file(name);
        Image complete;
        ASSERT_OK(decode(whole, complete));
        for (std::size_t length = 0; length < whole.size(); ++length) {
            std::string prefix(whole.data(), length); // its own allocation: sanitizers see reads past the end
            prefix.shrink_to_fit();
            Image image;
            trib_status s = decode(prefix, image);
            if (s.code == TRIB_OK) {
                EXPECT_EQ(image.bytes(), complete.bytes()) << length << " bytes";
                EXPECT_GT(length + 24, whole.size()) << "only checksums and bytes after the image may be missing";
            } else {
                EXPECT_EQ(s.code, TRIB_BAD_DATA) << length << " bytes: " << s.message;
                EXPECT_EQ(image->pixels, nullptr);
            }
        }
    }
}

TEST(Decode, HalfAFileIsCalledTruncated)
{
    for (const std::string &name : decodable()) {
        SCOPED_TRACE(name);
        std::string whole = image_file(name);
        Image image;
        EXPECT_FAILS(decode(whole.substr(0, whole.size() / 2), image), TRIB_BAD_DATA, "truncated");
    }
}

TEST(Decode, DamagedBytesNeverHarm)
{
    Noise noise(1);
    for (const std::string &name : decodable()) {
        std::string whole = image_file(name);
        for (int round = 0; round < 300; ++round) {
            std::string damaged = whole;
            damaged[std::size_t(noise.below(int(whole.size())))] = char(noise.next() >> 7);
            Image image;
            const trib_decode_options small { 1 << 20, false };
            trib_status s = trib_image_decode(damaged.data(), damaged.size(), &small, image.put());
            EXPECT_EQ(s.code == TRIB_OK, image->pixels != nullptr) << name;
            EXPECT_NE(s.code, TRIB_INTERNAL) << name;
            EXPECT_LE(int64_t(image->width) * image->height, 1 << 20) << name;
        }
    }
}

TEST(Decode, PngChecksumsAreChecked)
{
    if (!can_decode("rgb-text.png")) return;
    const std::string whole = image_file("rgb-text.png");
    for (const char *chunk : { "IHDR", "tEXt", "IDAT" }) {
        std::string damaged = whole;
        std::size_t at = damaged.find(chunk), length = uint8_t(damaged[at - 2]) << 8 | uint8_t(damaged[at - 1]);
        damaged[at + 4 + length] ^= 1; // the checksum itself
        Image image;
        EXPECT_FAILS(decode(damaged, image), TRIB_BAD_DATA, "checksum");
    }
}

TEST(Decode, WhatIsNotAnImage)
{
    Image image;
    EXPECT_FAILS(decode("", image), TRIB_BAD_DATA, "empty");
    EXPECT_FAILS(decode("hello, I am called photo.jpg", image), TRIB_BAD_DATA, "not an image");
    EXPECT_FAILS(decode(std::string(1000, '\0'), image), TRIB_BAD_DATA, "not an image");
    EXPECT_FAILS(decode(std::string("\xFF\xD8", 2), image), TRIB_BAD_DATA, "not an image");
    EXPECT_FAILS(decode("RIFF\1\2\3\4WAVEfmt ", image), TRIB_BAD_DATA, "not an image");
    EXPECT_FAILS(decode("GIF89a........", image), TRIB_UNSUPPORTED, "GIF");
    EXPECT_FAILS(decode("BM............", image), TRIB_UNSUPPORTED, "BMP");
    EXPECT_FAILS(trib_image_decode(nullptr, 5, nullptr, image.put()), TRIB_INVALID_ARGUMENT, "NULL");
    EXPECT_FAILS(trib_image_decode("x", 1, nullptr, nullptr), TRIB_INVALID_ARGUMENT, "NULL");
}

TEST(Decode, Recognised)
{
    for (const char *name : { "420.jpg", "rgb.png", "lossy.webp", "animated.webp" }) {
        std::string bytes = image_file(name);
        EXPECT_TRUE(trib_image_recognised(bytes.data(), bytes.size())) << name;
        EXPECT_FALSE(trib_image_recognised(bytes.data(), 2)) << name;
    }
    EXPECT_FALSE(trib_image_recognised("plain text", 10));
    EXPECT_FALSE(trib_image_recognised("GIF89a", 6));
    EXPECT_FALSE(trib_image_recognised(nullptr, 0));
}

TEST(Decode, AnimationsAreRefused)
{
    if (!can_decode("animated.webp")) return;
    Image image;
    EXPECT_FAILS(decode(image_file("animated.webp"), image), TRIB_UNSUPPORTED, "animation");
}

// Headers that promise sizes: JPEG keeps height and width after the frame marker and its precision.
std::string jpeg_of_size(int width, int height)
{
    std::string bytes = image_file("progressive.jpg");
    std::size_t at = bytes.find("\xFF\xC2") + 5;
    for (int value : { height, width }) bytes[at++] = char(value >> 8), bytes[at++] = char(value);
    return bytes;
}

uint32_t crc32(const std::string &text)
{
    uint32_t crc = ~0u;
    for (unsigned char c : text) {
        crc ^= c;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

std::string png_of_size(uint32_t width, uint32_t height)
{
    std::string bytes = image_file("rgb.png");
    auto put = [&](std::size_t at, uint32_t v) {
        for (int shift : { 24, 16, 8, 0 }) bytes[at++] = char(v >> shift);
    };
    put(16, width);
    put(20, height);
    put(29, crc32(bytes.substr(12, 17)));
    return bytes;
}

TEST(Decode, SizesAreRefusedBeforeMemoryIsTaken)
{
    std::vector<std::string> bombs;
    if (can_decode("progressive.jpg"))
        for (int width : { 65535, 65000, 16385, 0 }) bombs.push_back(jpeg_of_size(width, width));
    if (can_decode("rgb.png"))
        for (uint32_t width : { 0u, 16385u, 65535u, 0x7FFFFFFFu, 0xFFFFFFFFu })
            bombs.push_back(png_of_size(width, width));
    for (const std::string &bomb : bombs) {
        Image image;
        trib_fault_arm(1, true); // nothing is allocated, or this would be out of memory
        trib_status s = decode(bomb, image);
        trib_fault_disarm();
        EXPECT_EQ(s.code, TRIB_BAD_DATA) << s.message;
    }
    Image image;
    if (!can_decode("rgb.png")) return;
    EXPECT_FAILS(decode(png_of_size(65535, 65535), image), TRIB_BAD_DATA, "limit");
    EXPECT_OK(decode(png_of_size(37, 23), image)); // the bombs fail for their size alone
}

TEST(Decode, EndlessScansAreRefused)
{
    if (!can_decode("progressive.jpg")) return;
    std::string bytes = image_file("progressive.jpg");
    // The first scan (DC) is repeated: libjpeg decodes it again each time, with a warning only.
    std::size_t first = bytes.find("\xFF\xDA"), second = bytes.find("\xFF\xC4", first);
    ASSERT_NE(second, std::string::npos);
    std::string scan = bytes.substr(first, second - first), bomb = bytes.substr(0, first);
    for (int i = 0; i < 600; ++i) bomb += scan;
    Image image;
    EXPECT_FAILS(decode(bomb + bytes.substr(first), image), TRIB_BAD_DATA, "scans");
}

TEST(Decode, EveryAllocationMayFail)
{
    for (const std::string &name : decodable()) {
        SCOPED_TRACE(name);
        std::string bytes = image_file(name);
        Image image;
        trib_fault_arm(0, false);
        EXPECT_OK(decode(bytes, image));
        int64_t allocations = trib_fault_disarm();
        EXPECT_GE(allocations, 1);
        for (int64_t k = 1; k <= allocations; ++k) {
            trib_fault_arm(k, false);
            trib_status s = decode(bytes, image);
            trib_fault_disarm();
            EXPECT_EQ(s.code, TRIB_OUT_OF_MEMORY) << s.message;
            EXPECT_EQ(image->pixels, nullptr);
        }
    }
}

TEST(Decode, AMissingLibraryIsNamed)
{
    trib_status s = trib_decoder_missing("PNG", "libspng", "libspng-dev");
    EXPECT_EQ(s.code, TRIB_UNSUPPORTED);
    for (const char *part : { "PNG", "libspng", "libspng-dev" }) EXPECT_NE(strstr(s.message, part), nullptr);
}

TEST(Decode, ReleaseIsForgiving)
{
    trib_image_release(nullptr);
    trib_image empty = {};
    trib_image_release(&empty);
    EXPECT_EQ(empty.pixels, nullptr);
}

} // namespace

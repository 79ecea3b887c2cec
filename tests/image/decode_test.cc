// SPDX-License-Identifier: Apache-2.0
// Decoders give what PIL gives, and refuse damaged files without harm.
#include <algorithm>
#include <cstring>

#include "host/image/decoders.h"
#include "host/image/exif.h"
#include "image/images.h"
#include "tributary/internal/fault.h"

namespace
{

trib_status decode(const std::string &bytes, Image &out)
{
    return trib_image_decode(bytes.data(), bytes.size(), nullptr, out.put());
}

std::vector<std::string> decodable(const char *goldens = "decode.safetensors")
{
    std::vector<std::string> names;
    for (const Golden &g : read_goldens(goldens))
        if (g.name.find(".upright") == std::string::npos && can_decode(g.name)) names.push_back(g.name);
    return names;
}

std::vector<std::string> decodable_and_odd()
{
    std::vector<std::string> names = decodable(), odd = decodable("odd.safetensors");
    names.insert(names.end(), odd.begin(), odd.end());
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
    for (const std::string &name : decodable_and_odd()) {
        std::string whole = image_file(name);
        for (int round = 0; round < 300; ++round) {
            std::string damaged = whole;
            damaged[std::size_t(noise.below(int(whole.size())))] = char(noise.next() >> 7);
            Image image;
            const trib_decode_options small { 1 << 20, round % 2 == 0 };
            trib_status s = trib_image_decode(damaged.data(), damaged.size(), &small, image.put());
            EXPECT_EQ(s.code == TRIB_OK, image->pixels != nullptr) << name;
            EXPECT_NE(s.code, TRIB_INTERNAL) << name;
            EXPECT_LE(int64_t(image->width) * image->height, 1 << 20) << name;
        }
    }
}

// Files that are not quite as their format wants them, which PIL reads all the same.
TEST(Decode, OddFilesEqualPil)
{
    const trib_decode_options upright { 0, true };
    for (const Golden &g : read_goldens("odd.safetensors")) {
        SCOPED_TRACE(g.name);
        const std::size_t turned = g.name.find(".upright");
        const std::string name = g.name.substr(0, turned), bytes = image_file(name);
        if (!can_decode(name)) continue;
        const bool turn = turned != std::string::npos;
        Image image;
        ASSERT_OK(trib_image_decode(bytes.data(), bytes.size(), turn ? &upright : nullptr, image.put()));
        EXPECT_EQ(image->height, g.shape[0]);
        EXPECT_EQ(image->width, g.shape[1]);
        EXPECT_TRUE(image.rgb() == g.bytes);
        EXPECT_EQ(image->note != nullptr, name.rfind("animated", 0) == 0);
        if (turn) continue;
        Image asked; // without EXIF data, turning changes nothing
        ASSERT_OK(trib_image_decode(bytes.data(), bytes.size(), &upright, asked.put()));
        if (name.rfind("rotated", 0) != 0) {
            EXPECT_EQ(asked.bytes(), image.bytes());
        }
    }
}

TEST(Decode, WhatPilRefusesIsRefusedWithTheReason)
{
    const struct {
        const char *name, *reason;
    } cases[] = {
        { "no-end.jpg", "ends before row 15 of 23" },
        { "two-zeros-for-end.jpg", "ends before row 17 of 23" },
        { "progressive-zeros-for-end.jpg", "without an end marker" },
        { "text-checksum-before.png", "checksum of its tEXt" },
        { "palette-checksum.png", "checksum of its PLTE" },
        { "header-checksum.png", "checksum of its IHDR" },
        { "zlib-checksum.png", "libspng says" },
        { "cut-text.png", "in a chunk after its pixels" },
        { "text-among-pixels.png", "not all of its pixels" },
        { "no-pixels.png", "no IDAT chunk" },
        { "animated-cut.webp", "truncated" },
    };
    for (const auto &c : cases) {
        const std::string name = std::string("refused-") + c.name;
        if (!can_decode(name)) continue;
        SCOPED_TRACE(name);
        Image image;
        EXPECT_FAILS(decode(image_file(name), image), TRIB_BAD_DATA, c.reason);
        EXPECT_EQ(image->pixels, nullptr);
    }
}

// The pixels' checksums, the end chunk's head and what comes after them may be cut off, as in PIL.
TEST(Decode, PngsMayEndWithTheirPixels)
{
    for (const std::string &name : decodable()) {
        if (name.find(".png") == std::string::npos) continue;
        const std::string whole = image_file(name);
        for (std::size_t missing = 1; missing <= 16; ++missing) {
            Image image;
            trib_status s = decode(whole.substr(0, whole.size() - missing), image);
            EXPECT_EQ(s.code, TRIB_OK) << name << " without " << missing << ": " << s.message;
        }
    }
}

TEST(Decode, ThePixelLimitIsPilsAndCanBeRaised)
{
    EXPECT_EQ(TRIB_MAX_IMAGE_PIXELS, 178956970);
    if (!can_decode("rgb.png")) return;
    const std::string bytes = image_file("rgb.png");
    for (int64_t limit : { 37 * 23 - 1, 37 * 23 }) {
        const trib_decode_options options { limit, false };
        Image image;
        trib_status s = trib_image_decode(bytes.data(), bytes.size(), &options, image.put());
        EXPECT_EQ(s.code, limit < 37 * 23 ? TRIB_BAD_DATA : TRIB_OK) << s.message;
    }
    const trib_decode_options negative { -1, false };
    Image image;
    EXPECT_FAILS(trib_image_decode(bytes.data(), bytes.size(), &negative, image.put()), TRIB_INVALID_ARGUMENT, "-1");
}

// Orientations that are none, tables that reach beyond the data, offsets that do: upright.
TEST(Decode, DamagedExifIsIgnored)
{
    const std::string good("MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0", 26);
    auto orientation = [](const std::string &exif) {
        return trib_exif_orientation(reinterpret_cast<const uint8_t *>(exif.data()), exif.size());
    };
    EXPECT_EQ(orientation(good), 6);
    EXPECT_EQ(orientation(std::string("Exif\0\0", 6) + good), 6);
    for (std::size_t length = 0; length < 20; ++length) {
        std::string prefix(good.data(), length);
        prefix.shrink_to_fit();
        EXPECT_EQ(orientation(prefix), 1) << length;
    }
    for (std::size_t at = 0; at < good.size(); ++at)
        for (int value = 0; value < 256; ++value) {
            std::string damaged = good;
            damaged[at] = char(value);
            EXPECT_GE(orientation(damaged), 1);
            EXPECT_LE(orientation(damaged), 8);
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
    for (const std::string &name : decodable_and_odd()) {
        SCOPED_TRACE(name);
        std::string bytes = image_file(name);
        const trib_decode_options upright { 0, true };
        auto decode_upright = [&](Image &image) {
            return trib_image_decode(bytes.data(), bytes.size(), &upright, image.put());
        };
        Image image;
        trib_fault_arm(0, false);
        EXPECT_OK(decode_upright(image));
        int64_t allocations = trib_fault_disarm();
        EXPECT_GE(allocations, 1);
        for (int64_t k = 1; k <= allocations; ++k) {
            trib_fault_arm(k, false);
            trib_status s = decode_upright(image);
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

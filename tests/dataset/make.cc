// SPDX-License-Identifier: Apache-2.0
#include "dataset/make.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace make
{

static uint32_t crc32(const std::string &bytes)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (unsigned char c : bytes) {
        crc ^= c;
        for (int i = 0; i < 8; ++i) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static uint32_t adler32(const std::string &bytes)
{
    uint32_t a = 1, b = 0;
    for (unsigned char c : bytes) {
        a = (a + c) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

static std::string little_endian(uint32_t value, int bytes)
{
    std::string out;
    for (int i = 0; i < bytes; ++i) out += char(value >> 8 * i & 255);
    return out;
}

// Deflate without compressing: blocks of at most 65535 bytes as they are.
static std::string stored(const std::string &bytes)
{
    std::string out;
    size_t at = 0;
    do {
        size_t n = std::min<size_t>(bytes.size() - at, 65535);
        out += char(at + n == bytes.size());
        out += little_endian(uint32_t(n), 2) + little_endian(~uint32_t(n), 2) + bytes.substr(at, n);
        at += n;
    } while (at < bytes.size());
    return out;
}

std::string big_endian(uint32_t value)
{
    std::string bytes = little_endian(value, 4);
    return std::string(bytes.rbegin(), bytes.rend());
}

static std::string chunk(const std::string &type, const std::string &data)
{
    return big_endian(uint32_t(data.size())) + type + data + big_endian(crc32(type + data));
}

std::string png(int width, int height, int value)
{
    std::string rows, row = std::string(1, '\0') + std::string(size_t(width) * 3, char(value));
    for (int y = 0; y < height; ++y) rows += row;
    std::string header = big_endian(uint32_t(width)) + big_endian(uint32_t(height)) + std::string("\x08\x02\0\0\0", 5);
    return "\x89PNG\r\n\x1A\n" + chunk("IHDR", header) +
           chunk("IDAT", "\x78\x01" + stored(rows) + big_endian(adler32(rows))) + chunk("IEND", "");
}

std::string gzip(const std::string &bytes)
{
    return std::string("\x1F\x8B\x08\0\0\0\0\0\0\xFF", 10) + stored(bytes) + little_endian(crc32(bytes), 4) +
           little_endian(uint32_t(bytes.size()), 4);
}

std::string member(const std::string &name, const std::string &bytes, char type, const std::string &link)
{
    char h[512] = {};
    snprintf(h, 100, "%s", name.c_str());
    snprintf(h + 100, 8, "0000644");
    snprintf(h + 108, 8, "0000000");
    snprintf(h + 116, 8, "0000000");
    snprintf(h + 124, 12, "%011o", unsigned(bytes.size()));
    snprintf(h + 136, 12, "00000000000");
    h[156] = type;
    snprintf(h + 157, 100, "%s", link.c_str());
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    memset(h + 148, ' ', 8);
    unsigned sum = 0;
    for (char c : h) sum += (unsigned char)c;
    snprintf(h + 148, 8, "%06o", sum);
    return std::string(h, 512) + bytes + std::string((512 - bytes.size() % 512) % 512, '\0');
}

std::string pax(const std::vector<std::pair<std::string, std::string>> &records, const std::string &member_bytes)
{
    std::string text;
    for (const auto &r : records) {
        std::string rest = " " + r.first + "=" + r.second + "\n";
        size_t size = rest.size() + 1;
        while (std::to_string(size).size() + rest.size() != size) ++size;
        text += std::to_string(size) + rest;
    }
    return member("PaxHeaders/x", text, 'x') + member_bytes;
}

std::string tar_end() { return std::string(1024, '\0'); }

std::string tar(const std::vector<std::pair<std::string, std::string>> &members)
{
    std::string out;
    for (const auto &m : members) out += member(m.first, m.second);
    return out + tar_end();
}

std::string idx_images(uint32_t count, uint32_t height, uint32_t width, int first)
{
    std::string out = big_endian(0x803) + big_endian(count) + big_endian(height) + big_endian(width);
    for (uint32_t i = 0; i < count; ++i) out += std::string(size_t(height) * width, char(first + int(i)));
    return out;
}

std::string idx_labels(const std::vector<int> &labels)
{
    std::string out = big_endian(0x801) + big_endian(uint32_t(labels.size()));
    for (int label : labels) out += char(label);
    return out;
}

Source::Source(const std::vector<std::string> &inputs, trib_source_options options)
{
    std::vector<const char *> pointers;
    for (const std::string &input : inputs) pointers.push_back(input.c_str());
    status = trib_source_open(pointers.data(), int(pointers.size()), &options, &source);
}

std::vector<Item> Source::all()
{
    std::vector<Item> items;
    for (bool end = false; !end;) {
        trib_item item = {};
        trib_status s = trib_source_next(source, &item, &end);
        EXPECT_EQ(s.code, TRIB_OK) << s.message;
        if (trib_failed(&s) || end) break;
        items.push_back({ item.index, item.name, std::string(reinterpret_cast<char *>(item.bytes), item.size),
                          item.path ? item.path : "", item.status.message, item.label,
                          item.image.pixels ? item.image.width : 0, item.status.code });
        trib_item_release(&item);
    }
    return items;
}

std::vector<std::string> Source::notes() const
{
    std::vector<std::string> out;
    for (int i = 0; const char *note = trib_source_note(source, i); ++i) out.push_back(note);
    return out;
}

std::string Source::passed_over() const
{
    char text[1024];
    int count = 0;
    const trib_passed_over *kinds = trib_source_passed_over(source, &count);
    trib_passed_over_text(kinds, count, text, sizeof text);
    return text;
}

std::vector<Item> read_all(const std::vector<std::string> &inputs, trib_source_options options)
{
    Source source(inputs, options);
    EXPECT_EQ(source.status.code, TRIB_OK) << source.status.message;
    if (trib_failed(&source.status)) return {};
    return source.all();
}

std::vector<std::string> names(const std::vector<Item> &items)
{
    std::vector<std::string> out;
    for (const Item &item : items) out.push_back(item.name);
    return out;
}

static bool supported(const std::string &name, const std::string &bytes)
{
    support::TemporaryFolder folder;
    support::write_file(folder.file(name), bytes);
    Source source({ folder.file(name) });
    return source.status.code != TRIB_UNSUPPORTED;
}

bool built_with_tar() { return supported("a.tar", tar_end()); }
bool built_with_gzip() { return supported("a.gz", gzip("x")); }

} // namespace make

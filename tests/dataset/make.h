// SPDX-License-Identifier: Apache-2.0
// Inputs made by the tests themselves, byte by byte: PNG, gzip, tar and IDX files.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/support.h"

namespace make
{

std::string png(int width, int height, int value); // every pixel (value, value, value)
std::string gzip(const std::string &bytes);

// One member with its padding; `type` '0' file, '1' hard link, '2' symbolic link, '5' folder.
std::string member(const std::string &name, const std::string &bytes, char type = '0', const std::string &link = "");
// The same with a pax header before it, of records "path", "linkpath", "size" ...
std::string pax(const std::vector<std::pair<std::string, std::string>> &records, const std::string &member);
std::string tar_end(); // the end marker
std::string tar(const std::vector<std::pair<std::string, std::string>> &members);

std::string big_endian(uint32_t value);
// `count` images of height x width, all pixels of image i being (first + i) & 255.
std::string idx_images(uint32_t count, uint32_t height, uint32_t width, int first = 0);
std::string idx_labels(const std::vector<int> &labels);

// One item, copied out of a source.
struct Item {
    int64_t index;
    std::string name, bytes, path, message;
    int label, width;
    trib_code code;
};

// A source that is closed at the end; reads everything it has.
struct Source {
    trib_source *source = nullptr;
    trib_status status;
    explicit Source(const std::vector<std::string> &inputs, trib_source_options options = {});
    ~Source() { trib_source_close(source); }
    Source(const Source &) = delete;
    Source &operator=(const Source &) = delete;
    std::vector<Item> all();
    int64_t count() const { return trib_source_count(source); }
    std::vector<std::string> notes() const;
    std::string passed_over() const; // "3 .gif, 2 hidden"
};

// Reads the source to its end.
std::vector<Item> read_all(const std::vector<std::string> &inputs, trib_source_options options = {});
std::vector<std::string> names(const std::vector<Item> &items);
bool built_with_tar();
bool built_with_gzip();

} // namespace make

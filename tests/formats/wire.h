// SPDX-License-Identifier: Apache-2.0
// Protocol buffers, written by hand: right or wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tributary.h"

namespace wire
{

inline std::string varint(std::uint64_t value)
{
    std::string bytes;
    for (; value > 127; value >>= 7) bytes += char((value & 127) | 128);
    return bytes + char(value);
}
inline std::string key(unsigned field, unsigned type) { return varint(std::uint64_t(field) << 3 | type); }
inline std::string number(unsigned field, std::int64_t value) { return key(field, 0) + varint(std::uint64_t(value)); }
inline std::string bytes(unsigned field, const std::string &content)
{
    return key(field, 2) + varint(content.size()) + content;
}
template <class Number>
std::string raw(Number value)
{
    return std::string(reinterpret_cast<const char *>(&value), sizeof value);
}
inline std::string single(unsigned field, float value) { return key(field, 5) + raw(value); }
inline std::string twice(unsigned field, double value) { return key(field, 1) + raw(value); }

// Caffe's BlobProto.
inline std::string shape(const std::vector<std::int64_t> &dims)
{
    std::string packed;
    for (std::int64_t d : dims) packed += varint(std::uint64_t(d));
    return bytes(7, bytes(1, packed));
}
inline std::string floats(const std::vector<float> &values)
{
    return std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float));
}

// The newer kind of layer: name, type, blobs and messages of numbers.
inline std::string layer(const std::string &name, const std::string &type, const std::string &rest)
{
    return bytes(100, bytes(1, name) + bytes(2, type) + rest);
}

} // namespace wire

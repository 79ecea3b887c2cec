// SPDX-License-Identifier: Apache-2.0
// Safetensors files built by hand, right or wrong.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "support/support.h"

namespace files
{

// `length` overrides the header's true length.
inline std::string raw(const std::string &header, const std::string &data, std::uint64_t length)
{
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += char(length >> (8 * i) & 0xFF);
    return bytes + header + data;
}
inline std::string raw(const std::string &header, const std::string &data) { return raw(header, data, header.size()); }

// One tensor's entry: entry("a", "F32", "2,3", "0,24").
inline std::string entry(const std::string &name, const std::string &dtype, const std::string &shape,
                         const std::string &offsets)
{
    return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + offsets +
           "]}";
}

struct Close {
    void operator()(trib_safetensors *file) const { trib_safetensors_close(file); }
    void operator()(trib_model *model) const { trib_model_destroy(model); }
};
using File = std::unique_ptr<trib_safetensors, Close>;
using Model = std::unique_ptr<trib_model, Close>;

inline File parse(const std::string &bytes)
{
    trib_safetensors *file = nullptr;
    EXPECT_OK(trib_safetensors_parse(bytes.data(), bytes.size(), "memory", &file));
    return File(file);
}

inline File open(const std::string &path)
{
    trib_safetensors *file = nullptr;
    EXPECT_OK(trib_safetensors_open(path.c_str(), &file));
    return File(file);
}

inline trib_status load(const std::string &path, Model &model, const trib_model_options *options = nullptr)
{
    trib_model *loaded = nullptr;
    trib_status s = trib_model_load(path.c_str(), options, &loaded);
    EXPECT_EQ(loaded == nullptr, trib_failed(&s)); // outputs are left alone on failure
    model.reset(loaded);
    return s;
}

} // namespace files

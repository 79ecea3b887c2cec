// SPDX-License-Identifier: Apache-2.0
// Values of a slice as the bytes of a whole tensor, and back.
#include <cmath>
#include <cstring>
#include <sstream>

#include "conformance/op_case.h"

namespace conformance
{

namespace
{

template <typename T>
void append(std::vector<unsigned char> &bytes, T element)
{
    const auto *first = reinterpret_cast<const unsigned char *>(&element);
    bytes.insert(bytes.end(), first, first + sizeof element);
}

} // namespace

// NaN, which integers do not have, is -1 there: all bits set.
std::vector<unsigned char> stored(const std::vector<float> &values, trib_dtype dtype)
{
    std::vector<unsigned char> bytes;
    for (float value : values) {
        const float whole = std::isfinite(value) ? value : -1;
        switch (dtype) {
        case TRIB_F16: append(bytes, trib_f32_to_f16(value)); break;
        case TRIB_BF16: append(bytes, trib_f32_to_bf16(value)); break;
        case TRIB_I32: append(bytes, std::int32_t(whole)); break;
        case TRIB_U8: append(bytes, std::uint8_t(std::int32_t(whole))); break;
        default: append(bytes, value);
        }
    }
    return bytes;
}

std::vector<float> loaded(const std::vector<unsigned char> &bytes, trib_dtype dtype)
{
    std::vector<float> values(bytes.size() / trib_dtype_size(dtype));
    if (trib_dtype_is_float(dtype)) trib_convert_to_f32(bytes.data(), dtype, values.size(), values.data());
    for (std::size_t i = 0; dtype == TRIB_I32 && i < values.size(); ++i) {
        std::int32_t whole;
        std::memcpy(&whole, &bytes[i * sizeof whole], sizeof whole);
        values[i] = float(whole);
    }
    for (std::size_t i = 0; dtype == TRIB_U8 && i < values.size(); ++i) values[i] = bytes[i];
    return values;
}

namespace
{

// Index of channel c of the whole tensor.
std::size_t place(const trib_view &v, int n, int c, int h, int w)
{
    const int block = trib_layout_block(v.layout), channels = (v.c_total + block - 1) / block * block;
    if (v.layout == TRIB_NHWC) return ((std::size_t(n) * v.h + h) * v.w + w) * v.c_total + c;
    return (((std::size_t(n) * (channels / block) + c / block) * v.h + h) * v.w + w) * block + c % block;
}

} // namespace

std::vector<float> pack(const trib_view &v, const Values &values, float canary)
{
    std::vector<float> whole(std::size_t(trib_view_bytes(&v)) / trib_dtype_size(v.dtype), canary);
    const int block = trib_layout_block(v.layout), channels = (v.c_total + block - 1) / block * block;
    std::size_t next = 0;
    for (int n = 0; n < v.n; ++n)
        for (int h = 0; h < v.h; ++h)
            for (int w = 0; w < v.w; ++w) {
                for (int c = 0; c < v.c; ++c) whole[place(v, n, v.c_offset + c, h, w)] = values[next++];
                for (int c = v.c_total; c < channels; ++c) whole[place(v, n, c, h, w)] = 0;
            }
    return whole;
}

Values unpack(const trib_view &v, const std::vector<float> &whole)
{
    Values values;
    for (int n = 0; n < v.n; ++n)
        for (int h = 0; h < v.h; ++h)
            for (int w = 0; w < v.w; ++w)
                for (int c = 0; c < v.c; ++c) values.push_back(whole[place(v, n, v.c_offset + c, h, w)]);
    return values;
}

} // namespace conformance

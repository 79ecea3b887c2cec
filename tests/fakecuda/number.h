// SPDX-License-Identifier: Apache-2.0
// Numbers as the device stores them.
#pragma once

#include "tributary/dtype.h"

#include <cstdint>
#include <cstring>

namespace fakecuda
{

enum class Stored { f32, f16, bf16 };

inline std::size_t bytes_of(Stored type) { return type == Stored::f32 ? 4 : 2; }

inline float load(const void *memory, std::int64_t i, Stored type)
{
    if (type == Stored::f32) return static_cast<const float *>(memory)[i];
    const std::uint16_t bits = static_cast<const std::uint16_t *>(memory)[i];
    return type == Stored::f16 ? trib_f16_to_f32(bits) : trib_bf16_to_f32(bits);
}

inline void store(void *memory, std::int64_t i, Stored type, float value)
{
    if (type == Stored::f32)
        static_cast<float *>(memory)[i] = value;
    else
        static_cast<std::uint16_t *>(memory)[i] =
            type == Stored::f16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
}

// A factor as tensor cores see float32: 10 bits of fraction. The hardware ignores the others; a library may round to
// nearest (even) before it gives a factor to it, or not.
inline float to_tf32(float value, bool rounds)
{
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7f800000u) == 0x7f800000u) return value;
    if (rounds) bits += 0x0fffu + ((bits >> 13) & 1u);
    bits &= ~0x1fffu;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace fakecuda

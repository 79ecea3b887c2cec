// SPDX-License-Identifier: Apache-2.0
// What PIL makes of Image.frombytes("L", (5, 3), bytes(range(0, 240, 16))).resize((width, height), interpolation).
#pragma once

#include <cstdint>
#include <vector>

#include "tributary/image.h"

struct SmallExample {
    int width, height;
    trib_interpolation interpolation;
    std::vector<uint8_t> pixels;
};

inline const SmallExample small_examples[] = {
    { 7, 4, TRIB_BILINEAR, { 0,   9,   21,  32,  43,  55,  64,  50,  59,  71,  82,  93,  105, 114,
                             110, 119, 131, 142, 153, 165, 174, 160, 169, 181, 192, 203, 215, 224 } },
    { 2, 2, TRIB_BILINEAR, { 46, 78, 146, 178 } },
    { 5, 1, TRIB_BILINEAR, { 80, 96, 112, 128, 144 } },
    { 3, 3, TRIB_BILINEAR, { 7, 32, 57, 87, 112, 137, 167, 192, 217 } },
    { 7, 4, TRIB_BICUBIC, { 0,   4,   17,  28,  39,  52,  61,  44,  53,  66,  77,  88,  101, 110,
                            114, 123, 136, 147, 158, 171, 180, 163, 172, 185, 196, 207, 220, 229 } },
    { 2, 2, TRIB_BICUBIC, { 39, 75, 149, 185 } },
    { 5, 1, TRIB_BICUBIC, { 80, 96, 112, 128, 144 } },
    { 3, 3, TRIB_BICUBIC, { 6, 32, 58, 86, 112, 138, 166, 192, 218 } },
    { 7, 4, TRIB_NEAREST, { 0,  16, 16, 32,  48,  48,  64,  80,  96,  96,  112, 128, 128, 144,
                            80, 96, 96, 112, 128, 128, 144, 160, 176, 176, 192, 208, 208, 224 } },
    { 2, 2, TRIB_NEAREST, { 16, 48, 176, 208 } },
    { 5, 1, TRIB_NEAREST, { 80, 96, 112, 128, 144 } },
    { 3, 3, TRIB_NEAREST, { 0, 32, 64, 80, 112, 144, 160, 192, 224 } },
    { 7, 4, TRIB_AREA, { 0,  16, 16, 32,  48,  48,  64,  80,  96,  96,  112, 128, 128, 144,
                         80, 96, 96, 112, 128, 128, 144, 160, 176, 176, 192, 208, 208, 224 } },
    { 2, 2, TRIB_AREA, { 56, 96, 176, 216 } },
    { 5, 1, TRIB_AREA, { 80, 96, 112, 128, 144 } },
    { 3, 3, TRIB_AREA, { 8, 32, 56, 88, 112, 136, 168, 192, 216 } },
};

// SPDX-License-Identifier: Apache-2.0
// Ops that cut regions out of pictures, which lie in the device's memory.
#pragma once

#include "conformance/conformance.h"
#include "conformance/op_case.h"
#include "tributary/region_kernels.h"

namespace conformance
{

// Several pictures, one of them a pixel, another one a row.
class RegionCases
{
  public:
    explicit RegionCases(trib_device *device);
    // A batch: by chance copies, mirrored, partly or wholly outside, thin, of a huge scale, of no picture.
    OpCase make(unsigned seed, trib_layout layout, trib_dtype dtype, int channels) const;
    // Copies of one picture of 20x13 pixels that begin at its corner, and its pixels: n of them.
    OpCase copies(int n, trib_layout layout, trib_dtype dtype, int channels) const;
    std::vector<std::uint8_t> whole(int n) const;

  private:
    struct Picture {
        int width, height;
        std::size_t first; // byte
    };
    // For a desc whose output is there. `rows` name pictures by their first byte.
    OpCase with(trib_op_desc desc, std::vector<trib_region_row> rows) const;

    std::vector<Picture> pictures_;
    std::vector<std::uint8_t> bytes_;
    Stream stream_;
    Memory memory_;
};

} // namespace conformance

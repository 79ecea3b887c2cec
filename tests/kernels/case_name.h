// SPDX-License-Identifier: Apache-2.0
// Names of cases with a window: "n2_c4_7x8_window3x3_stride2x2_pad1100_bias_relu".
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

namespace kernels
{

template <typename Case>
std::string window_name(const Case &t, std::initializer_list<std::pair<const char *, bool>> flags)
{
    const auto number = [](int i) { return std::to_string(i); };
    std::string name = "n" + number(t.n) + "_c" + number(t.c) + "_" + number(t.h) + "x" + number(t.w) + "_window" +
                       number(t.r) + "x" + number(t.s) + "_stride" + number(t.stride_h) + "x" + number(t.stride_w) +
                       "_pad" + number(t.top) + number(t.left) + number(t.bottom) + number(t.right);
    for (const auto &flag : flags)
        if (flag.second) name += std::string("_") + flag.first;
    return name;
}

} // namespace kernels

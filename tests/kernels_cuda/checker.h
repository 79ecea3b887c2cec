// SPDX-License-Identifier: Apache-2.0
// Runs a kernel of the table on one problem and compares it with its reference.
#pragma once

#include <cstdint>
#include <string>

#include "table/table.h"

namespace checker
{

struct Options {
    std::uint64_t seed = 1;
    bool not_a_number = false; // some of the first input
};

// Empty when the kernel is right; else what is wrong, where, and the problem.
std::string check(const trib_kernel &kernel, const trib_kernel_problem &problem, trib_dtype dtype,
                  const Options &options);

} // namespace checker

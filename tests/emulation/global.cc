// SPDX-License-Identifier: Apache-2.0
#include "global.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

#include "block.h"

namespace emulation
{

static thread_local std::vector<const GlobalRange *> ranges;

GlobalRange::GlobalRange(const void *first, std::size_t bytes, bool writable)
    : first_(static_cast<const char *>(first)), bytes_(bytes), writable_(writable)
{
    ranges.push_back(this);
}

GlobalRange::~GlobalRange() { ranges.erase(std::find(ranges.begin(), ranges.end(), this)); }

bool GlobalRange::contains(const void *p, std::size_t size) const
{
    const auto first = reinterpret_cast<std::uintptr_t>(first_), at = reinterpret_cast<std::uintptr_t>(p);
    return at >= first && at + size <= first + bytes_;
}

void check_global(const void *p, std::size_t size, bool write)
{
    const char *access = write ? "global memory: store of " : "global memory: load of ";
    const Block &block = *running("global memory").block;
    if (reinterpret_cast<std::uintptr_t>(p) % size)
        block.fail(access + std::to_string(size) + " bytes at a misaligned address");
    if (ranges.empty()) return;
    for (const GlobalRange *range : ranges)
        if (range->contains(p, size)) {
            if (write && !range->writable()) block.fail(access + std::to_string(size) + " bytes to an input");
            return;
        }
    block.fail(access + std::to_string(size) + " bytes outside every buffer");
}

} // namespace emulation

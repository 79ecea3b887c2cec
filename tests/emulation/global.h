// SPDX-License-Identifier: Apache-2.0
// What of memory a kernel may touch. While a test has buffers registered, every load and store a kernel makes through
// platform.cuh must be inside one of them, and stores inside a writable one.
#pragma once

#include <cstddef>

namespace emulation
{

class GlobalRange
{
  public:
    GlobalRange(const void *first, std::size_t bytes, bool writable);
    ~GlobalRange();
    GlobalRange(const GlobalRange &) = delete;
    GlobalRange &operator=(const GlobalRange &) = delete;

    bool contains(const void *p, std::size_t size) const;
    bool writable() const { return writable_; }

  private:
    const char *first_;
    std::size_t bytes_;
    bool writable_;
};

// Complain about a misaligned address or one outside the registered ranges.
void check_global(const void *p, std::size_t size, bool write);

} // namespace emulation

// SPDX-License-Identifier: Apache-2.0
// How much memory a piece of code takes, the image libraries included: every allocation of the process is counted.
#pragma once

#include <cstdint>

namespace support
{

// Counts all threads' allocations from here on. One at a time.
class Heap
{
  public:
    Heap();
    int64_t peak() const;    // most bytes at a time beyond those at the start
    int64_t current() const; // beyond those at the start; negative when more was freed

  private:
    int64_t before_;
};

} // namespace support

// SPDX-License-Identifier: Apache-2.0
// Memory of what the kernels under test run on, and its quirks: the emulation, or a GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tributary/status.h"

namespace device
{

// As large as its contents, no byte more; on the emulation nothing outside buffers may be touched, and inputs not
// written.
class Buffer
{
  public:
    Buffer(const std::vector<std::byte> &contents, bool writable);
    ~Buffer();
    std::byte *at(std::size_t offset) const;
    void read(std::vector<std::byte> &out) const;

  private:
    struct Memory;
    std::unique_ptr<Memory> memory_;
};

// Why there is nothing to run kernels on; empty when there is.
std::string missing();
// Where that can be chosen, blocks and warps of later launches run in an order drawn from the seed, and for an even
// seed the grid is small, so that kernels loop.
void vary(std::uint64_t seed);
// Waits for what was launched.
trib_status finish();

} // namespace device

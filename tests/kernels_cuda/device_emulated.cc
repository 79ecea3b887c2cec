// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "device.h"
#include "emulation/block.h"
#include "emulation/global.h"
#include "emulation/launch.cuh"

namespace device
{

struct Buffer::Memory {
    std::unique_ptr<std::byte[]> bytes; // operator new aligns to 16, which is all a kernel may rely on
    std::size_t size;
    emulation::GlobalRange range;
};

Buffer::Buffer(const std::vector<std::byte> &contents, bool writable)
{
    std::unique_ptr<std::byte[]> bytes(new std::byte[contents.size()]);
    std::memcpy(bytes.get(), contents.data(), contents.size());
    const std::byte *first = bytes.get();
    memory_.reset(new Memory { std::move(bytes), contents.size(), { first, contents.size(), writable } });
}

Buffer::~Buffer() = default;

std::byte *Buffer::at(std::size_t offset) const { return memory_->bytes.get() + offset; }

void Buffer::read(std::vector<std::byte> &out) const { out.assign(at(0), at(memory_->size)); }

std::string missing() { return ""; }

void vary(std::uint64_t seed)
{
    emulation::set_order(seed);
    emulation::set_grid_row_limit(seed % 2 ? 65535 : 1);
}

trib_status finish() { return trib_success(); }

} // namespace device

// SPDX-License-Identifier: Apache-2.0
#include "shared.h"

#include <algorithm>

#include "block.h"

namespace emulation
{

static constexpr std::size_t copy_bytes = 16;

void AsyncCopies::begin(std::size_t offset, const void *source) { copies_.push_back({ offset, source, groups_ }); }

void AsyncCopies::wait(SharedMemory &memory, const Thread &thread, int left)
{
    const auto last =
        std::find_if(copies_.begin(), copies_.end(), [&](const Copy &copy) { return copy.group >= groups_ - left; });
    for (auto copy = copies_.begin(); copy != last; ++copy) memory.finish_copy(copy->offset, copy->source, thread);
    copies_.erase(copies_.begin(), last);
}

SharedMemory::SharedMemory(std::size_t dynamic_bytes) : dynamic_((dynamic_bytes + 15) / 16 * 16)
{
    bytes_.resize(dynamic_);
    records_.resize(dynamic_ / granule);
}

void SharedMemory::reset()
{
    epoch_ = 1;
    std::fill(bytes_.begin(), bytes_.end(), std::byte(0xFF));
    if (accounts_) std::fill(records_.begin(), records_.end(), Record { 0, 0, nobody, nobody, unwritten });
}

std::size_t SharedMemory::declare(Thread &thread, std::size_t bytes)
{
    const std::size_t offset = dynamic_ + thread.shared_used;
    thread.shared_used += (bytes + 15) / 16 * 16;
    if (dynamic_ + thread.shared_used > limit) complain("more than 48 KB of shared memory, static and dynamic");
    if (bytes_.size() < dynamic_ + thread.shared_used) {
        bytes_.resize(dynamic_ + thread.shared_used, std::byte(0xFF));
        records_.resize(bytes_.size() / granule, Record { 0, 0, nobody, nobody, unwritten });
    }
    return offset;
}

void SharedMemory::fail(const char *what, std::size_t offset, const Thread &thread, int other)
{
    std::string by = other == many     ? " (several threads)"
                     : other != nobody ? " (thread " + std::to_string(other) + ")"
                                       : "";
    thread.block->fail(std::string("shared memory: ") + what + by + ", byte " + std::to_string(offset));
}

void SharedMemory::check_read(std::size_t offset, std::size_t size, const Thread &thread)
{
    const std::int16_t me = std::int16_t(thread.index);
    for (std::size_t i = offset / granule; i <= (offset + size - 1) / granule; ++i) {
        Record &r = records_[i];
        if (r.state == unwritten) fail("reads what nobody wrote", i * granule, thread);
        if (r.state == on_its_way) fail("reads before cp.async was waited for", i * granule, thread, r.writer);
        if (r.written_in == epoch_ && r.writer != me)
            fail("reads what another wrote, with no barrier between", i * granule, thread, r.writer);
        r.reader = r.read_in == epoch_ && r.reader != me ? many : me;
        r.read_in = epoch_;
    }
}

void SharedMemory::check_write(std::size_t offset, std::size_t size, const Thread &thread, bool pending)
{
    const std::int16_t me = std::int16_t(thread.index);
    for (std::size_t i = offset / granule; i <= (offset + size - 1) / granule; ++i) {
        Record &r = records_[i];
        if (r.state == on_its_way) fail("writes where cp.async still copies to", i * granule, thread, r.writer);
        if (r.written_in == epoch_ && r.writer != me)
            fail("writes where another wrote, with no barrier between", i * granule, thread, r.writer);
        if (r.read_in == epoch_ && r.reader != me)
            fail("writes what another reads, with no barrier between", i * granule, thread, r.reader);
        r.writer = me;
        r.written_in = epoch_;
        r.state = pending ? on_its_way : written;
    }
}

void SharedMemory::finish_copy(std::size_t offset, const void *source, const Thread &thread)
{
    for (std::size_t i = offset / granule; accounts_ && i < (offset + copy_bytes) / granule; ++i) {
        records_[i].state = written;
        records_[i].writer = std::int16_t(thread.index);
        records_[i].written_in = epoch_; /* visible to others after a barrier */
    }
    if (source)
        std::memcpy(at(offset), source, copy_bytes);
    else
        std::memset(at(offset), 0, copy_bytes);
}

void complain(const std::string &what) { running("shared memory").block->fail(what); }

void complain_of_access(std::ptrdiff_t byte, std::size_t size, std::size_t bytes)
{
    if (byte >= 0 && std::size_t(byte) + size <= bytes)
        complain("shared memory: misaligned access at byte " + std::to_string(byte));
    complain("shared memory: bytes " + std::to_string(byte) + " to " + std::to_string(byte + std::ptrdiff_t(size)) +
             " of an array of " + std::to_string(bytes));
}

void begin_copy(Thread &thread, std::size_t offset, const void *source) { thread.copies.begin(offset, source); }

} // namespace emulation

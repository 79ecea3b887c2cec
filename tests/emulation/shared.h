// SPDX-License-Identifier: Apache-2.0
// Shared memory that knows who wrote what since the last barrier.
//
// Refused, each with block, thread and byte: access outside an array, misaligned access, reading unwritten bytes,
// reading or writing what cp.async still brings, and two threads at one place, one of them writing, with no barrier
// between them. Unwritten bytes are 0xFF: NaN in every floating type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace emulation
{

struct Thread;
class SharedMemory;

// The cp.async copies a thread has begun, in groups. A copy happens when it is waited for, no earlier.
class AsyncCopies
{
  public:
    void begin(std::size_t offset, const void *source); // nullptr: zeros
    void commit() { ++groups_; }
    // All but the latest `left` groups are done.
    void wait(SharedMemory &memory, const Thread &thread, int left);
    bool pending() const { return !copies_.empty(); }

  private:
    struct Copy {
        std::size_t offset;
        const void *source;
        int group;
    };
    std::vector<Copy> copies_;
    int groups_ = 0;
};

class SharedMemory
{
  public:
    // Of a block, static and dynamic: more is refused unless cudaFuncSetAttribute has allowed it, and launch.cuh does
    // not call that. (Then it would be 99 KB, what the target with least has, sm_120.)
    static constexpr std::size_t limit = 48 << 10;

    explicit SharedMemory(std::size_t dynamic_bytes);
    void reset();
    void next_epoch() { ++epoch_; }

    // Whether it keeps account of who reads and writes what. Whole networks do without, and take half the time: their
    // kernels have been checked one by one. What cp.async still brings is NaN in any case.
    static void keep_account(bool yes) { accounts_ = yes; }
    static bool keeps_account() { return accounts_; }

    std::size_t dynamic_bytes() const { return dynamic_; }
    // The next static array of this thread; all threads declare the same ones in the same order.
    std::size_t declare(Thread &thread, std::size_t bytes);

    // `offset` is inside; complain otherwise.
    void check_read(std::size_t offset, std::size_t size, const Thread &thread);
    void check_write(std::size_t offset, std::size_t size, const Thread &thread, bool pending = false);
    void finish_copy(std::size_t offset, const void *source, const Thread &thread);
    std::byte *at(std::size_t offset) { return bytes_.data() + offset; }

  private:
    enum State : std::uint8_t { unwritten, written, on_its_way };
    static constexpr std::int16_t nobody = -1, many = -2;
    static constexpr std::size_t granule = 2; // bytes that share one record

    struct Record {
        std::uint32_t written_in, read_in; // epochs
        std::int16_t writer, reader;
        State state;
    };
    [[noreturn]] void fail(const char *what, std::size_t offset, const Thread &thread, int other = nobody);

    static inline bool accounts_ = true;
    std::size_t dynamic_;
    std::vector<std::byte> bytes_;
    std::vector<Record> records_;
    std::uint32_t epoch_ = 1;
};

// A typed array in shared memory, with a position in it: what T * is on a GPU.
template <class T>
class SharedArray
{
  public:
    SharedArray(SharedMemory *memory, std::size_t first, std::size_t bytes, std::ptrdiff_t position = 0)
        : memory_(memory), first_(first), bytes_(bytes), position_(position)
    {
    }

    class Reference
    {
      public:
        Reference(const SharedArray &array, std::ptrdiff_t index) : array_(array), index_(index) {}
        operator T() const { return array_.template read<T>(index_); }
        Reference &operator=(T value)
        {
            array_.template write<T>(index_, value);
            return *this;
        }
        Reference &operator=(const Reference &other) { return *this = T(other); }

      private:
        SharedArray array_;
        std::ptrdiff_t index_;
    };
    Reference operator[](std::ptrdiff_t index) const { return { *this, index }; }
    SharedArray operator+(std::ptrdiff_t count) const { return { memory_, first_, bytes_, position_ + count }; }

    template <class U>
    SharedArray<U> as() const
    {
        return { memory_, first_ + position_ * sizeof(T), bytes_ - position_ * sizeof(T) };
    }

    template <class V>
    V read(std::ptrdiff_t index) const
    {
        V value;
        std::memcpy(&value, reading(index, sizeof(V)), sizeof(V));
        return value;
    }
    template <class V>
    void write(std::ptrdiff_t index, V value) const
    {
        static_assert(std::is_trivially_copyable<V>::value, "shared memory holds plain data");
        std::memcpy(writing(index, sizeof(V)), &value, sizeof(V));
    }
    const std::byte *reading(std::ptrdiff_t index, std::size_t size) const;
    std::byte *writing(std::ptrdiff_t index, std::size_t size) const;
    void begin_copy(std::ptrdiff_t index, const void *source) const; // of 16 bytes
    std::size_t address(std::ptrdiff_t index) const { return first_ + (position_ + index) * sizeof(T); }

  private:
    std::size_t checked(std::ptrdiff_t index, std::size_t size) const;

    SharedMemory *memory_;
    std::size_t first_, bytes_; // of the whole array
    std::ptrdiff_t position_;
};

Thread &running(const char *what);
[[noreturn]] void complain(const std::string &what);
[[noreturn]] void complain_of_access(std::ptrdiff_t byte, std::size_t size, std::size_t bytes);
void begin_copy(Thread &thread, std::size_t offset, const void *source);

template <class T>
std::size_t SharedArray<T>::checked(std::ptrdiff_t index, std::size_t size) const
{
    const std::ptrdiff_t byte = (position_ + index) * std::ptrdiff_t(sizeof(T));
    if (byte < 0 || std::size_t(byte) + size > bytes_ || (first_ + byte) % size) complain_of_access(byte, size, bytes_);
    return first_ + byte;
}

template <class T>
const std::byte *SharedArray<T>::reading(std::ptrdiff_t index, std::size_t size) const
{
    const std::size_t offset = checked(index, size);
    if (SharedMemory::keeps_account()) memory_->check_read(offset, size, running("shared memory"));
    return memory_->at(offset);
}

template <class T>
std::byte *SharedArray<T>::writing(std::ptrdiff_t index, std::size_t size) const
{
    const std::size_t offset = checked(index, size);
    if (SharedMemory::keeps_account()) memory_->check_write(offset, size, running("shared memory"));
    return memory_->at(offset);
}

template <class T>
void SharedArray<T>::begin_copy(std::ptrdiff_t index, const void *source) const
{
    const std::size_t offset = checked(index, 16);
    if (SharedMemory::keeps_account()) memory_->check_write(offset, 16, running("cp.async"), true);
    std::memset(memory_->at(offset), 0xFF, 16);
    emulation::begin_copy(running("cp.async"), offset, source);
}

} // namespace emulation

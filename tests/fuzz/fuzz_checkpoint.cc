// SPDX-License-Identifier: Apache-2.0
// Any bytes as a checkpoint: refused with a reason; or all data can be read, as it can from the file as one of weights,
// and with any one bit changed it is refused. Few bytes have the right checksum for their header, so each input is also
// read with that put in.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "train/checkpoint.h"
#include "train/checkpoint_format.h"
#include "train/checkpoint_load.h"
#include "train/crc32c.h"

namespace
{

using Bytes = std::vector<std::uint8_t>;

void check(bool good)
{
    if (!good) std::abort();
}

struct MemoryFile {
    explicit MemoryFile(const Bytes &bytes)
        : fd(memfd_create("checkpoint", 0)), path("/proc/self/fd/" + std::to_string(fd))
    {
        check(fd >= 0 && write(fd, bytes.data(), bytes.size()) == ssize_t(bytes.size()));
    }
    MemoryFile(const MemoryFile &) = delete;
    MemoryFile &operator=(const MemoryFile &) = delete;
    ~MemoryFile() { close(fd); }

    const int fd;
    const std::string path;
};

// nullptr: refused.
trib_checkpoint *opened(const Bytes &bytes, bool data)
{
    const MemoryFile file(bytes);
    trib_checkpoint *c = nullptr;
    const trib_status s = (data ? trib_checkpoint_open : trib_checkpoint_open_header)(file.path.c_str(), &c);
    check(trib_failed(&s) ? !c && s.message[0] : c != nullptr);
    return c;
}

std::size_t bytes_of(const trib_tensor &tensor)
{
    std::int64_t count = 0;
    const trib_status s = trib_shape_count(&tensor.shape, &count);
    check(!trib_failed(&s));
    return std::size_t(count) * trib_dtype_size(tensor.dtype);
}

// The same tensors; the sanitizer objects if their data is outside.
void compare(const trib_checkpoint *c, const trib_weights_file *file)
{
    check(trib_checkpoint_count(c) == file->count);
    for (int i = 0; i < file->count; ++i) {
        const trib_tensor &a = trib_checkpoint_tensors(c)[i], &b = file->tensors[i];
        const std::size_t bytes = bytes_of(a);
        check(!std::strcmp(a.name, b.name) && trib_checkpoint_find(c, a.name) == &a && bytes == bytes_of(b));
        check(!bytes || !std::memcmp(a.data, b.data, bytes));
    }
    for (int i = 0; i < file->metadata_count; ++i) check(trib_checkpoint_metadata(c, file->metadata[i].key) != nullptr);
}

// Whether the file can be loaded as one of weights; what no checkpoint is may be one all the same.
bool loads(const Bytes &bytes, const trib_checkpoint *c)
{
    const MemoryFile in(bytes);
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open(in.path.c_str(), &file);
    if (!trib_failed(&s)) s = trib_checkpoint_load(file, in.path.c_str(), nullptr, nullptr);
    check(!trib_failed(&s) || s.message[0]);
    if (c && !trib_failed(&s)) compare(c, file);
    trib_weights_close(file);
    return !trib_failed(&s);
}

void read(Bytes bytes)
{
    trib_checkpoint *header = opened(bytes, false), *c = opened(bytes, true);
    const bool loaded = loads(bytes, c);
    check(!c || (header && loaded && trib_checkpoint_count(c) == trib_checkpoint_count(header)));
    const char *sums = header ? trib_checkpoint_metadata(header, TRIB_CHECKPOINT_DATA_KEY) : nullptr;
    check(!sums || c || !loaded); // where the header is intact, damaged data is found
    for (int i = 0; header && i < trib_checkpoint_count(header); ++i) check(!trib_checkpoint_tensors(header)[i].data);
    if (c) {
        const std::size_t bit = trib_crc32c(0, bytes.data(), bytes.size()) % (8 * bytes.size());
        bytes[bit / 8] ^= std::uint8_t(1 << bit % 8);
        check(!opened(bytes, true));
    }
    trib_checkpoint_close(c);
    trib_checkpoint_close(header);
}

// Puts in the header's checksum. False: there is no place for it.
bool sign(Bytes &bytes)
{
    std::uint64_t length = 0;
    if (bytes.size() < TRIB_CHECKPOINT_SMALLEST_HEADER) return false;
    for (int i = 0; i < 8; ++i) length |= std::uint64_t(bytes[std::size_t(i)]) << 8 * i;
    if (length > bytes.size() - 8 || length + 8 < TRIB_CHECKPOINT_SMALLEST_HEADER) return false;
    char digits[TRIB_CHECKPOINT_DIGITS + 1];
    std::memset(&bytes[TRIB_CHECKPOINT_DIGITS_AT], '0', TRIB_CHECKPOINT_DIGITS);
    std::snprintf(digits, sizeof digits, "%08x", trib_crc32c(0, bytes.data(), std::size_t(length) + 8));
    std::memcpy(&bytes[TRIB_CHECKPOINT_DIGITS_AT], digits, TRIB_CHECKPOINT_DIGITS);
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    Bytes bytes(data, data + size);
    read(bytes);
    if (sign(bytes)) read(bytes);
    return 0;
}

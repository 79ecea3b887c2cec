// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of weights, of whatever format: what is accepted has lists that are sound and data that can be
// read, and a safetensors file is the same to its own reader, byte for byte. Other formats may have data that turn out
// to be damaged when they are read.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "formats/weights_file.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

// A failure has a reason, and returns nothing. By reference: the call that sets `file` is an argument beside it.
template <typename File>
bool opened(const trib_status &status, File *const &file)
{
    check(trib_failed(&status) ? !file && status.message[0] : file != nullptr);
    return !trib_failed(&status);
}

std::size_t bytes_of(const trib_tensor &tensor)
{
    std::int64_t count = 0;
    const trib_status s = trib_shape_count(&tensor.shape, &count);
    check(!trib_failed(&s));
    return std::size_t(count) * trib_dtype_size(tensor.dtype);
}

void compare(const trib_weights_file *file, const trib_safetensors *own)
{
    check(trib_safetensors_count(own) == file->count);
    for (int i = 0; i < file->count; ++i) {
        const trib_tensor &a = file->tensors[i], &b = trib_safetensors_tensors(own)[i];
        check(!std::strcmp(a.name, b.name) && trib_safetensors_find(own, b.name) == &b);
        const std::size_t bytes = bytes_of(a);
        check(!bytes || !std::memcmp(a.data, b.data, bytes)); // the sanitizer objects if these are outside
    }
    for (int i = 0; i < file->metadata_count; ++i)
        check(trib_safetensors_metadata_get(own, file->metadata[i].key) != nullptr);
}

// Once with all tensors, once with every other one.
void read(const std::uint8_t *data, std::size_t size, bool all)
{
    trib_weights_file *file = nullptr;
    const auto wanted = [](const void *first, const trib_tensor *tensor) {
        return (tensor - static_cast<const trib_tensor *>(first)) % 2 == 0;
    };
    trib_status s = trib_weights_open_memory(data, size, "fuzz", &file);
    if (!opened(s, file)) return;
    for (int i = 0; i < file->count; ++i) check(!file->tensors[i].data);
    for (int i = 0; i < file->metadata_count; ++i)
        check(trib_weights_metadata(file, file->metadata[i].key) == file->metadata[i].value);
    const bool is_safetensors = !std::strcmp(file->driver->format, "safetensors");
    s = trib_weights_load(file, all ? nullptr : +wanted, file->tensors);
    check(!trib_failed(&s) || (!is_safetensors && s.message[0]));
    if (trib_failed(&s)) return trib_weights_close(file);
    if (all && is_safetensors) {
        trib_safetensors *own = nullptr;
        if (opened(trib_safetensors_parse(data, size, "fuzz", &own), own)) compare(file, own);
        trib_safetensors_close(own);
    }
    for (int i = 0; !all && i < file->count; ++i) check(!file->tensors[i].data == (i % 2 != 0));
    trib_weights_release_data(file);
    trib_weights_close(file);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    read(data, size, true);
    read(data, size, false);
    // A file that is not safetensors by its first bytes is refused by the safetensors reader as well.
    trib_safetensors *own = nullptr;
    if (opened(trib_safetensors_parse(data, size, "fuzz", &own), own)) check(size > 8 && data[8] == '{');
    trib_safetensors_close(own);
    return 0;
}

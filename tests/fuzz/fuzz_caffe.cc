// SPDX-License-Identifier: Apache-2.0
// Any bytes as a Caffe model, and as a mean image: what is accepted has tensors of the stated sizes, all of whose bytes
// can be read.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "formats/caffe.h"
#include "formats/weights_file.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

// Reads every byte, for the sanitizer.
void read_all(const void *data, trib_dtype dtype, const trib_shape &shape)
{
    std::int64_t count = 0;
    const trib_status s = trib_shape_count(&shape, &count);
    check(!trib_failed(&s) && data);
    std::vector<unsigned char> copy(std::size_t(count) * trib_dtype_size(dtype));
    if (!copy.empty()) std::memcpy(copy.data(), data, copy.size());
}

void as_model(const std::uint8_t *data, std::size_t size)
{
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open_memory(data, size, "fuzz", &file);
    check(trib_failed(&s) ? !file && s.message[0] : file != nullptr);
    if (!file) return;
    s = trib_weights_load(file, nullptr, nullptr);
    check(!trib_failed(&s));
    for (int i = 0; i < file->count; ++i)
        read_all(file->tensors[i].data, file->tensors[i].dtype, file->tensors[i].shape);
    trib_weights_close(file);
}

void as_blob(const std::uint8_t *data, std::size_t size)
{
    std::vector<std::uint8_t> own(data, data + size); // values are moved together in place
    trib_caffe_blob blob;
    const trib_status s = trib_caffe_read_blob(trib_pb_of(own.data(), own.size()), &blob);
    if (!trib_failed(&s)) read_all(trib_caffe_settle(&blob), blob.dtype, blob.shape);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    as_model(data, size);
    as_blob(data, size);
    return 0;
}

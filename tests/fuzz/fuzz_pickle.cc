// SPDX-License-Identifier: Apache-2.0
// Any bytes as the pickle of a PyTorch file, around it an archive that is right: the fuzzer need not find one. What is
// accepted has sound lists, and data that can be read.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "formats/torch_files.h"
#include "formats/weights_file.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

// Touches all data; the sanitizer objects if any of it is outside.
void touch(const trib_tensor &tensor)
{
    std::int64_t count = 0;
    const trib_status s = trib_shape_count(&tensor.shape, &count);
    check(!trib_failed(&s) && tensor.name && tensor.data);
    trib_find_non_finite(tensor.data, tensor.dtype, std::size_t(count));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string bytes = torch::zip(std::string(reinterpret_cast<const char *>(data), size),
                                         std::string(64, '\x3F'), size % 2 ? "little" : "big");
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open_memory(bytes.data(), bytes.size(), "fuzz", &file);
    check(trib_failed(&s) ? !file && s.message[0] : file != nullptr);
    if (!file) return 0;
    s = trib_weights_load(file, nullptr, nullptr);
    for (int i = 0; !trib_failed(&s) && i < file->count; ++i) touch(file->tensors[i]);
    trib_weights_close(file);
    return 0;
}

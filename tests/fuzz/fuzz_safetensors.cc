// SPDX-License-Identifier: Apache-2.0
// Any bytes as a safetensors file: whatever is accepted must lie inside them, byte for byte.
#include <cstdint>
#include <cstdlib>

#include "tributary/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    trib_safetensors *file = nullptr;
    trib_status s = trib_safetensors_parse(data, size, "fuzz", &file);
    if (trib_failed(&s)) {
        if (file || !s.message[0]) std::abort(); // a failure says why, and gives nothing
        return 0;
    }
    std::size_t total = 0;
    for (int i = 0; i < trib_safetensors_count(file); ++i) {
        const trib_tensor *t = &trib_safetensors_tensors(file)[i];
        std::int64_t count = 0;
        s = trib_shape_count(&t->shape, &count);
        if (trib_failed(&s) || trib_safetensors_find(file, t->name) != t) std::abort();
        const std::size_t bytes = std::size_t(count) * trib_dtype_size(t->dtype);
        total += bytes;
        if (!bytes) continue;
        const volatile std::uint8_t *p = static_cast<const std::uint8_t *>(t->data);
        (void)p[0]; // the sanitizer objects when these are outside
        (void)p[bytes - 1];
    }
    if (total > size) std::abort();
    for (int i = 0; i < trib_safetensors_metadata_count(file); ++i) {
        const trib_key_value *pair = &trib_safetensors_metadata(file)[i];
        if (trib_safetensors_metadata_get(file, pair->key) != pair->value) std::abort();
    }
    trib_safetensors_close(file);
    return 0;
}

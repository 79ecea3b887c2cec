// SPDX-License-Identifier: Apache-2.0
// Any bytes as an ONNX model: what is accepted has the tensors of a network, all of whose bytes can be read.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "formats/onnx.h"
#include "formats/weights_file.h"

namespace
{

void check(bool good)
{
    if (!good) std::abort();
}

void read_all(const trib_tensor &tensor)
{
    std::int64_t count = 0;
    const trib_status s = trib_shape_count(&tensor.shape, &count);
    check(!trib_failed(&s) && tensor.data);
    std::vector<unsigned char> copy(std::size_t(count) * trib_dtype_size(tensor.dtype));
    if (!copy.empty()) std::memcpy(copy.data(), tensor.data, copy.size());
}

void as_model(const std::uint8_t *data, std::size_t size)
{
    trib_weights_file *file = nullptr;
    trib_status s = trib_weights_open_memory(data, size, "fuzz", &file);
    check(trib_failed(&s) ? !file && s.message[0] : file != nullptr);
    if (!file) return;
    s = trib_weights_load(file, nullptr, nullptr);
    check(!trib_failed(&s));
    for (int i = 0; i < file->count; ++i) read_all(file->tensors[i]);
    trib_weights_close(file);
}

// Every value by itself, whether or not a network has it.
void as_values(const std::uint8_t *data, std::size_t size)
{
    trib_onnx_model model = {};
    trib_status s = trib_onnx_read(trib_pb_of(data, size), &model);
    for (std::size_t i = 0; !trib_failed(&s) && i < model.value_count && i < 200; ++i) {
        trib_onnx_constant constant;
        trib_onnx_affine affine;
        double numbers[8];
        int count = 0;
        const trib_status folded = trib_onnx_fold(&model, &model.values[i].name, &constant);
        check(!trib_failed(&folded) || folded.message[0]);
        if (!trib_failed(&folded) && constant.kind == TRIB_ONNX_VALUES &&
            trib_onnx_numbers(&constant.tensor, numbers, 8, &count))
            check(count == constant.tensor.count);
        const trib_status walked = trib_onnx_arithmetic(&model, &model.values[i].name, &affine);
        check(trib_failed(&walked) || affine.channels == 3);
    }
    trib_onnx_release(&model);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    as_model(data, size);
    as_values(data, size);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "checker.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <sstream>
#include <vector>

#include "device.h"

namespace checker
{

namespace
{

constexpr float canary = -12288.0f, byte_canary = 170; // exact in every type

trib_dtype storage(const trib_kernel_array &array, trib_dtype dtype)
{
    switch (array.element) {
    case TRIB_KERNEL_STORAGE: return dtype;
    case TRIB_KERNEL_F16: return TRIB_F16;
    case TRIB_KERNEL_BF16: return TRIB_BF16;
    case TRIB_KERNEL_U8: return TRIB_U8;
    default: return TRIB_F32;
    }
}

bool inside(const trib_kernel_array &array, std::size_t i)
{
    const int channel = int(i % array.pitch);
    return channel >= array.first && channel < array.first + array.c;
}

void put(const trib_kernel_array &array, trib_dtype dtype, std::byte *p, float value)
{
    if (array.element == TRIB_KERNEL_I32) {
        const std::int32_t integer = std::int32_t(value);
        std::memcpy(p, &integer, sizeof integer);
    } else if (dtype == TRIB_F32) {
        std::memcpy(p, &value, sizeof value);
    } else if (dtype == TRIB_U8) {
        const std::uint8_t byte = std::uint8_t(value);
        std::memcpy(p, &byte, sizeof byte);
    } else {
        const std::uint16_t half = dtype == TRIB_F16 ? trib_f32_to_f16(value) : trib_f32_to_bf16(value);
        std::memcpy(p, &half, sizeof half);
    }
}

float get(const trib_kernel_array &array, trib_dtype dtype, const std::byte *p)
{
    float value;
    std::int32_t integer;
    if (array.element == TRIB_KERNEL_I32) {
        std::memcpy(&integer, p, sizeof integer);
        return float(integer);
    }
    trib_convert_to_f32(p, dtype, 1, &value);
    return value;
}

// An array on the host in float32 and as the kernel sees it.
struct Operand {
    const trib_kernel_array &array;
    trib_dtype dtype;
    std::vector<float> values;
    std::vector<std::byte> bytes;

    Operand(const trib_kernel_array &a, trib_dtype kernel_dtype)
        : array(a), dtype(storage(a, kernel_dtype)),
          values(std::size_t(a.rows) * a.pitch, a.element == TRIB_KERNEL_U8 ? byte_canary : canary),
          bytes(values.size() * size())
    {
    }
    std::size_t size() const { return array.element == TRIB_KERNEL_I32 ? 4 : trib_dtype_size(dtype); }
    // What the kernel sees, and rounds the values to that.
    void encode()
    {
        for (std::size_t i = 0; i < values.size(); ++i) {
            put(array, dtype, &bytes[i * size()], values[i]);
            if (inside(array, i)) values[i] = get(array, dtype, &bytes[i * size()]);
        }
    }
    void decode()
    {
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = get(array, dtype, &bytes[i * size()]);
    }
};

// `beside` a slice: of an input NaN, so that reading it shows. `coarse`: few different values, many equal, and both
// zeros.
void fill(Operand &x, std::mt19937_64 &random, bool coarse, bool not_a_number, float beside)
{
    std::uniform_real_distribution<float> uniform(-x.array.scale, x.array.scale);
    std::uniform_int_distribution<int> byte(0, x.array.below > 0 ? x.array.below - 1 : 255);
    for (std::size_t i = 0; i < x.values.size(); ++i) {
        if (x.array.element == TRIB_KERNEL_U8)
            x.values[i] = float(byte(random));
        else if (!inside(x.array, i))
            x.values[i] = beside;
        else if (not_a_number && random() % 97 == 0)
            x.values[i] = std::numeric_limits<float>::quiet_NaN();
        else
            x.values[i] =
                coarse ? std::round(4 * uniform(random) / x.array.scale) / 4 * x.array.scale : uniform(random);
    }
    x.encode();
}

// The first element that is wrong.
std::string compare(const Operand &got, const std::vector<float> &wanted, double tolerance)
{
    if (got.array.element == TRIB_KERNEL_I32) tolerance = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        const double a = got.values[i], b = wanted[i];
        if (std::isnan(a) && std::isnan(b)) continue;
        if (std::abs(a - b) <= (inside(got.array, i) ? tolerance * (1 + std::abs(b)) : 0)) continue;
        std::ostringstream text;
        text << "row " << i / got.array.pitch << " channel " << std::ptrdiff_t(i % got.array.pitch) - got.array.first
             << ": " << a << " is not " << b << (inside(got.array, i) ? "" : " (beside the slice)");
        return text.str();
    }
    return "";
}

// Where the problem has another geometry than its arrays, the reference leaves something out.
bool leaves_out(const trib_kernel_array &array, const std::vector<float> &written)
{
    if (array.content != TRIB_KERNEL_RESULT || array.element == TRIB_KERNEL_U8) return false;
    for (std::size_t i = 0; i < written.size(); ++i)
        if (inside(array, i) && written[i] == canary) return true;
    return false;
}

} // namespace

std::string check(const trib_kernel &kernel, const trib_kernel_problem &problem, trib_dtype dtype,
                  const Options &options)
{
    const std::string name = std::string(kernel.name) + " " + trib_dtype_name(dtype) + " seed " +
                             std::to_string(options.seed) + ", " + problem.text + ": ";
    const bool coarse = options.seed % 3 == 0;
    std::mt19937_64 random(options.seed);
    std::vector<Operand> inputs, outputs;
    std::vector<std::unique_ptr<device::Buffer>> buffers;
    const float *host_inputs[TRIB_KERNEL_MAX_INPUTS] = {};
    float *host_outputs[TRIB_KERNEL_MAX_OUTPUTS] = {};
    const void *device_inputs[TRIB_KERNEL_MAX_INPUTS] = {};
    void *device_outputs[TRIB_KERNEL_MAX_OUTPUTS] = {};

    for (int i = 0; i < problem.input_count; ++i) {
        inputs.emplace_back(problem.inputs[i], dtype);
        Operand &x = inputs.back();
        fill(x, random, coarse, options.not_a_number && i == 0, std::numeric_limits<float>::quiet_NaN());
        if (x.array.element == TRIB_KERNEL_CONTROLS) std::memcpy(x.bytes.data(), &problem.controls, x.bytes.size());
        if (x.array.element == TRIB_KERNEL_REGIONS) {
            std::vector<trib_region_row> rows(std::size_t(x.array.rows));
            trib_region_rows(&problem, rows.data());
            std::memcpy(x.bytes.data(), rows.data(), x.bytes.size());
        }
        buffers.push_back(std::make_unique<device::Buffer>(x.bytes, false));
        host_inputs[i] = x.values.data() + x.array.first;
        device_inputs[i] = buffers.back()->at(x.array.first * x.size());
    }
    for (int i = 0; i < problem.output_count; ++i) {
        outputs.emplace_back(problem.outputs[i], dtype);
        Operand &y = outputs.back();
        if (y.array.content == TRIB_KERNEL_UPDATED && y.array.element == TRIB_KERNEL_CONTROLS) {
            std::memcpy(y.bytes.data(), &problem.controls, y.bytes.size());
            y.decode();
        } else if (y.array.content == TRIB_KERNEL_UPDATED)
            fill(y, random, coarse, false, canary);
        else
            y.encode();
        buffers.push_back(std::make_unique<device::Buffer>(y.bytes, true));
        device_outputs[i] = buffers.back()->at(y.array.first * y.size());
    }

    device::vary(options.seed);
    trib_status status = kernel.run(&problem, dtype, device_inputs, device_outputs, nullptr);
    if (status.code == TRIB_OK) status = device::finish();
    if (status.code != TRIB_OK) return name + status.message;

    std::vector<std::vector<float>> wanted;
    for (Operand &y : outputs) wanted.push_back(y.values);
    for (std::size_t i = 0; i < wanted.size(); ++i) host_outputs[i] = wanted[i].data() + outputs[i].array.first;
    kernel.reference(&problem, host_inputs, host_outputs);
    for (int i = 0; i < problem.output_count; ++i) {
        if (outputs[i].array.content == TRIB_KERNEL_SCRATCH) continue;
        if (leaves_out(outputs[i].array, wanted[i]))
            return name + "the reference leaves elements of output " + std::to_string(i) + " unwritten";
        buffers[problem.input_count + i]->read(outputs[i].bytes);
        outputs[i].decode();
        const std::string wrong = compare(outputs[i], wanted[i], kernel.tolerance[dtype]);
        if (!wrong.empty()) return name + "output " + std::to_string(i) + " " + wrong;
    }
    return "";
}

} // namespace checker

// SPDX-License-Identifier: Apache-2.0
#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>

#include "device.h"

namespace device
{

static void demand(cudaError_t error, const char *call)
{
    if (error != cudaSuccess) throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(error));
}

struct Buffer::Memory {
    std::byte *bytes = nullptr;
    std::size_t size;
};

Buffer::Buffer(const std::vector<std::byte> &contents, bool) : memory_(new Memory { nullptr, contents.size() })
{
    demand(cudaMalloc(reinterpret_cast<void **>(&memory_->bytes), contents.size()), "cudaMalloc");
    demand(cudaMemcpy(memory_->bytes, contents.data(), contents.size(), cudaMemcpyHostToDevice), "cudaMemcpy");
}

Buffer::~Buffer() { cudaFree(memory_->bytes); }

std::byte *Buffer::at(std::size_t offset) const { return memory_->bytes + offset; }

void Buffer::read(std::vector<std::byte> &out) const
{
    out.resize(memory_->size);
    demand(cudaMemcpy(out.data(), memory_->bytes, memory_->size, cudaMemcpyDeviceToHost), "cudaMemcpy");
}

std::string missing()
{
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess) return std::string("no GPU: ") + cudaGetErrorString(error);
    return count > 0 ? "" : "no GPU";
}

void vary(std::uint64_t) {}

trib_status finish()
{
    const cudaError_t error = cudaDeviceSynchronize();
    if (error == cudaSuccess) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_DEVICE_ERROR, int(error), "cudaDeviceSynchronize", "%s", cudaGetErrorString(error));
}

namespace
{

// At the end: compute-sanitizer looks for leaks when the device is reset, and only then.
class Reset : public testing::Environment
{
    void TearDown() override
    {
        if (!missing().empty()) return;
        EXPECT_EQ(cudaDeviceReset(), cudaSuccess);
    }
};
testing::Environment *const reset = testing::AddGlobalTestEnvironment(new Reset);

} // namespace

} // namespace device

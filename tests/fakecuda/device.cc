// SPDX-License-Identifier: Apache-2.0
// Devices: all of them an NVIDIA H200 with less memory; with another name if SIMULATED_CARD has one.
#include "fakecuda/machine.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

using namespace fakecuda;

namespace
{

cudaError_t check_device(int device)
{
    if (!machine().options.driver) return failed(cudaErrorInsufficientDriver);
    if (machine().options.devices == 0) return failed(cudaErrorNoDevice);
    return device < 0 || device >= machine().options.devices ? failed(cudaErrorInvalidDevice) : cudaSuccess;
}

} // namespace

cudaError_t cudaGetDeviceCount(int *count)
{
    FAKECUDA_CALL();
    *count = 0;
    cudaError_t error = check_device(0);
    if (error == cudaSuccess) *count = machine().options.devices;
    return error;
}

cudaError_t cudaSetDevice(int device)
{
    FAKECUDA_CALL();
    cudaError_t error = check_device(device);
    if (error == cudaSuccess) current_device = device;
    return error;
}

cudaError_t cudaGetDevice(int *device)
{
    FAKECUDA_CALL();
    *device = current_device;
    return check_device(current_device);
}

cudaError_t cudaDriverGetVersion(int *version)
{
    FAKECUDA_CALL();
    *version = machine().options.driver ? 13000 : 0;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    FAKECUDA_CALL();
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    FAKECUDA_CALL();
    cudaError_t error = check_device(device);
    if (error != cudaSuccess) return error;
    std::memset(p, 0, sizeof *p);
    const char *name = std::getenv("SIMULATED_CARD");
    std::snprintf(p->name, sizeof p->name, "%s", name ? name : "NVIDIA H200");
    p->totalGlobalMem = machine().options.memory;
    p->major = 9;
    p->minor = 0;
    p->multiProcessorCount = 132;
    p->warpSize = 32;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 2048;
    p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
    p->maxThreadsDim[2] = 64;
    p->maxGridSize[0] = 2147483647;
    p->maxGridSize[1] = p->maxGridSize[2] = 65535;
    p->regsPerBlock = p->regsPerMultiprocessor = 65536;
    p->sharedMemPerBlock = 49152;
    p->sharedMemPerBlockOptin = 232448;
    p->sharedMemPerMultiprocessor = 233472;
    p->reservedSharedMemPerBlock = 1024;
    p->l2CacheSize = 62914560;
    p->memoryBusWidth = 6144;
    p->memoryPoolsSupported = 1;
    p->concurrentKernels = 1;
    p->asyncEngineCount = 3;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    FAKECUDA_CALL();
    cudaError_t error = check_device(device);
    if (error != cudaSuccess) return error;
    switch (attribute) {
    case cudaDevAttrMemoryPoolsSupported: *value = 1; break;
    case cudaDevAttrMultiProcessorCount: *value = 132; break;
    case cudaDevAttrComputeCapabilityMajor: *value = 9; break;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin: *value = 232448; break;
    default: return failed(cudaErrorInvalidValue);
    }
    return cudaSuccess;
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest)
{
    FAKECUDA_CALL();
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

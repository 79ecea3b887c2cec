// SPDX-License-Identifier: Apache-2.0
// Emulated kernels on the simulated CUDA: they run when the simulated stream comes to them.
#pragma once

#include "emulation/hook.h"
#include "fakecuda/fakecuda.h"

namespace watch
{

inline trib_status on_simulated_stream(void *stream, std::function<trib_status()> work)
{
    const auto kernel = [work = std::move(work)] {
        trib_status status = work();
        if (!trib_failed(&status)) return cudaSuccess;
        fakecuda::kernel_violation(status.message);
        return cudaErrorIllegalAddress;
    };
    cudaError_t error = fakecuda::launch(static_cast<cudaStream_t>(stream), "kernel", kernel);
    if (error == cudaSuccess) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_DEVICE_ERROR, int(error), "cudaLaunchKernel", "cudaLaunchKernel: %s",
                             cudaGetErrorString(error));
}

} // namespace watch

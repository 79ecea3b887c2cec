/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/errors.h"

#include "cuda/device.h"

/* After these the process's context is broken: every later call returns the same error. */
static bool is_sticky(cudaError_t error)
{
    switch ((int)error) {
    case cudaErrorECCUncorrectable:
    case cudaErrorNvlinkUncorrectable:
    case 226: /* cudaErrorContained, since CUDA 12.8 */
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorContextIsDestroyed:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure:
    case 721: /* cudaErrorTensorMemoryLeak, since CUDA 12.9 */
    case cudaErrorMpsClientTerminated:
    case cudaErrorExternalDevice: return true;
    default: return false;
    }
}

trib_status trib_cuda_status(trib_cuda_device *device, cudaError_t error, const char *call, const char *file, int line)
{
    if (error == cudaSuccess) return trib_success();
    cudaGetLastError(); /* so that it is not taken for the failure of a later call */
    bool sticky = is_sticky(error);
    trib_code code = error == cudaErrorMemoryAllocation ? TRIB_OUT_OF_MEMORY : TRIB_DEVICE_ERROR;
    trib_status status =
        trib_make_error(code, (int)error, file, line, call, "%s: %s: %s: %s%s",
                        device ? device->base.info.spec : "cuda", call, cudaGetErrorName(error),
                        cudaGetErrorString(error), sticky ? "; restart the program to use the device again" : "");
    if (sticky && device) trib_cuda_lose(device, &status);
    return status;
}

void trib_cuda_note_failure(trib_cuda_device *device, trib_status *failure)
{
    if (failure->code != TRIB_DEVICE_ERROR || device->described) return;
    cudaError_t behind = cudaGetLastError();
    if (behind == cudaSuccess) return;
    trib_add_context(failure, "%s: %s", cudaGetErrorName(behind), cudaGetErrorString(behind));
    if (is_sticky(behind)) trib_cuda_lose(device, failure);
}

void trib_cuda_lose(trib_cuda_device *device, const trib_status *failure)
{
    pthread_mutex_lock(&device->failure_lock);
    if (!atomic_load(&device->lost)) {
        device->failure = *failure;
        atomic_store(&device->lost, true);
    }
    pthread_mutex_unlock(&device->failure_lock);
}

trib_status trib_cuda_enter(trib_cuda_device *device)
{
    if (device->described) return trib_success(); /* there is no card to make current */
    if (!atomic_load(&device->lost)) return TRIB_CUDA(device, cudaSetDevice(device->ordinal));
    trib_status status = device->failure; /* written once, before `lost` */
    status.code = TRIB_DEVICE_ERROR;
    trib_add_context(&status, "device %s is lost since an earlier failure", device->base.info.spec);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 * CUDA's errors as trib_status: the text of the call, its place in the source, CUDA's number, name and explanation. */
#ifndef TRIBUTARY_RUNTIME_CUDA_ERRORS_H
#define TRIBUTARY_RUNTIME_CUDA_ERRORS_H

#include <cuda_runtime_api.h>

#include "tributary/status.h"

struct trib_cuda_device;

/* The status of a CUDA call that returned `error`. `device` may be NULL; a sticky error ends it. */
trib_status trib_cuda_status(struct trib_cuda_device *device, cudaError_t error, const char *call, const char *file,
                             int line);

#define TRIB_CUDA(device, call) trib_cuda_status((device), (call), #call, __FILE__, __LINE__)
/* Returns from the calling function if the CUDA call fails. */
#define TRIB_CUDA_TRY(device, call) TRIB_TRY(TRIB_CUDA(device, call))

/* For calls that release something and cannot report a failure: a sticky one still ends the device. */
#define TRIB_CUDA_NOTE(device, call) ((void)TRIB_CUDA(device, call))

#endif

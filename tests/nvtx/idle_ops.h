/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_TESTS_NVTX_IDLE_OPS_H
#define TRIBUTARY_TESTS_NVTX_IDLE_OPS_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

cudaError_t test_launch_idle(cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif

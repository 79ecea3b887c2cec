/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_TESTS_CUDA_OPS_PROVIDERS_H
#define TRIBUTARY_TESTS_CUDA_OPS_PROVIDERS_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the provider holds. */
typedef struct test_provider_counts {
    int devices, handles;
} test_provider_counts;
extern test_provider_counts test_counts;

/* y = weight * x + bias over rows of `channels`. */
cudaError_t test_launch_scale(cudaStream_t stream, const float *x, float *y, const float *weight, const float *bias,
                              int rows, int channels);

#ifdef __cplusplus
}
#endif
#endif

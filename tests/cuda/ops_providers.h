/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TRIBUTARY_TESTS_CUDA_OPS_PROVIDERS_H
#define TRIBUTARY_TESTS_CUDA_OPS_PROVIDERS_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the provider holds. */
typedef struct test_provider_counts {
    int devices, handles;
} test_provider_counts;
extern test_provider_counts test_counts;

/* The implementations that it offers: all do the same. */
typedef struct test_way {
    const char *name;
    int64_t host, device; /* nanoseconds: of the host for a launch, of the kernel (0: the usual) */
    int64_t workspace;
} test_way;
extern const test_way test_plain; /* "scale:plain" */
extern const test_way *test_ways; /* test_plain alone, unless a test says otherwise */
extern int test_way_count;

/* y = weight * x + bias over rows of `channels`. */
cudaError_t test_launch_scale(cudaStream_t stream, const float *x, float *y, const float *weight, const float *bias,
                              int rows, int channels, const test_way *way);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * The providers of CUDA devices, best first for most ops (ops.c). */
#include "cuda/ops/ops.h"

const trib_cuda_provider *const trib_cuda_providers[] = { &trib_cuda_kernels_provider, &trib_cuda_cudnn_provider,
                                                          &trib_cuda_cublaslt_provider, NULL };

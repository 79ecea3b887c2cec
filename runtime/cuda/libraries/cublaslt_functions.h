/* SPDX-License-Identifier: Apache-2.0
 * The functions of cuBLASLt that we use, as cudnn_functions.h has those of cuDNN. Those called ..._internal are behind
 * the inline ones of cublasLt.h that make a descriptor in place. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUBLASLT_FUNCTIONS_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUBLASLT_FUNCTIONS_H

#include <cublasLt.h>

#include "tributary/internal/library.h"
#include "tributary/status.h"

/* clang-format off */
#define TRIB_CUBLASLT_FUNCTIONS(F)                                                                                    \
    F(size_t, cublasLtGetVersion, (void))                                                                             \
    F(const char *, cublasLtGetStatusName, (cublasStatus_t))                                                          \
    F(const char *, cublasLtGetStatusString, (cublasStatus_t))                                                        \
    F(cublasStatus_t, cublasLtCreate, (cublasLtHandle_t *))                                                           \
    F(cublasStatus_t, cublasLtDestroy, (cublasLtHandle_t))                                                            \
    F(cublasStatus_t, cublasLtMatmulDescInit_internal,                                                                \
      (cublasLtMatmulDesc_t, size_t, cublasComputeType_t, cudaDataType_t))                                            \
    F(cublasStatus_t, cublasLtMatmulDescSetAttribute,                                                                 \
      (cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t, const void *, size_t))                                   \
    F(cublasStatus_t, cublasLtMatrixLayoutInit_internal,                                                              \
      (cublasLtMatrixLayout_t, size_t, cudaDataType, uint64_t, uint64_t, int64_t))                                    \
    F(cublasStatus_t, cublasLtMatmulPreferenceInit_internal, (cublasLtMatmulPreference_t, size_t))                    \
    F(cublasStatus_t, cublasLtMatmulPreferenceSetAttribute,                                                           \
      (cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t, const void *, size_t))                       \
    F(cublasStatus_t, cublasLtMatmulAlgoGetHeuristic,                                                                 \
      (cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,                        \
       cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int,                               \
       cublasLtMatmulHeuristicResult_t *, int *))                                                                     \
    F(cublasStatus_t, cublasLtMatmulAlgoCheck,                                                                        \
      (cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,                        \
       cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, const cublasLtMatmulAlgo_t *,                                  \
       cublasLtMatmulHeuristicResult_t *))                                                                            \
    F(cublasStatus_t, cublasLtMatmul,                                                                                 \
      (cublasLtHandle_t, cublasLtMatmulDesc_t, const void *, const void *, cublasLtMatrixLayout_t, const void *,      \
       cublasLtMatrixLayout_t, const void *, const void *, cublasLtMatrixLayout_t, void *, cublasLtMatrixLayout_t,    \
       const cublasLtMatmulAlgo_t *, void *, size_t, cudaStream_t))
/* clang-format on */

typedef struct trib_cublaslt_functions {
    TRIB_CUBLASLT_FUNCTIONS(TRIB_LIBRARY_POINTER)
} trib_cublaslt_functions;

extern trib_cublaslt_functions trib_libcublaslt;
trib_status trib_cublaslt_load(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/libraries/lazy/names.h"

#include <cublasLt.h>

#include "cuda/libraries/lazy/lazy.h"

static trib_lazy_library cublaslt = { .name = "libcublasLt.so." TRIB_LAZY_TEXT(CUBLAS_VER_MAJOR),
                                      .built = TRIB_CUBLASLT_LIBRARY,
                                      .lock = PTHREAD_MUTEX_INITIALIZER };

#define LAZY(name, parameters, arguments) \
    TRIB_LAZY(cublaslt, cublasStatus_t, CUBLAS_STATUS_NOT_INITIALIZED, name, parameters, arguments)

LAZY(cublasLtCreate, (cublasLtHandle_t * handle), (handle))
LAZY(cublasLtDestroy, (cublasLtHandle_t handle), (handle))
LAZY(cublasLtMatmulDescInit_internal,
     (cublasLtMatmulDesc_t d, size_t size, cublasComputeType_t compute, cudaDataType_t scale),
     (d, size, compute, scale))
LAZY(cublasLtMatmulDescSetAttribute,
     (cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t name, const void *value, size_t size),
     (d, name, value, size))
LAZY(cublasLtMatrixLayoutInit_internal,
     (cublasLtMatrixLayout_t d, size_t size, cudaDataType type, uint64_t rows, uint64_t columns, int64_t leading),
     (d, size, type, rows, columns, leading))
LAZY(cublasLtMatmulPreferenceInit_internal, (cublasLtMatmulPreference_t d, size_t size), (d, size))
LAZY(cublasLtMatmulPreferenceSetAttribute,
     (cublasLtMatmulPreference_t d, cublasLtMatmulPreferenceAttributes_t name, const void *value, size_t size),
     (d, name, value, size))
LAZY(cublasLtMatmulAlgoGetHeuristic,
     (cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
      cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference, int wanted,
      cublasLtMatmulHeuristicResult_t results[], int *count),
     (handle, operation, a, b, c, d, preference, wanted, results, count))
LAZY(cublasLtMatmulAlgoCheck,
     (cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
      cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d, const cublasLtMatmulAlgo_t *algorithm,
      cublasLtMatmulHeuristicResult_t *result),
     (handle, operation, a, b, c, d, algorithm, result))
LAZY(cublasLtMatmul,
     (cublasLtHandle_t handle, cublasLtMatmulDesc_t operation, const void *alpha, const void *a,
      cublasLtMatrixLayout_t a_layout, const void *b, cublasLtMatrixLayout_t b_layout, const void *beta, const void *c,
      cublasLtMatrixLayout_t c_layout, void *d, cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t *algorithm,
      void *workspace, size_t workspace_bytes, cudaStream_t stream),
     (handle, operation, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d, d_layout, algorithm, workspace,
      workspace_bytes, stream))
TRIB_LAZY(cublaslt, size_t, 0, cublasLtGetVersion, (void), ())
TRIB_LAZY(cublaslt, const char *, "CUBLAS_STATUS_NOT_INITIALIZED", cublasLtGetStatusName, (cublasStatus_t status),
          (status))
TRIB_LAZY(cublaslt, const char *, cublaslt.error, cublasLtGetStatusString, (cublasStatus_t status), (status))

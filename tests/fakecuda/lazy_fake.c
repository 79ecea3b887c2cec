/* SPDX-License-Identifier: Apache-2.0
 * Where the simulated libraries' functions are found, in place of runtime/cuda/libraries/lazy/lazy.c. */
#include <cublasLt.h>
#include <cudnn_graph.h>
#include <string.h>

#include "cuda/libraries/lazy/lazy.h"

#define FUNCTION(name)                    \
    {                                     \
        "trib_lazy_" #name, (void *)&name \
    }
static const struct {
    const char *name;
    void *address;
} functions[] = {
    FUNCTION(cudnnCreate),
    FUNCTION(cudnnDestroy),
    FUNCTION(cudnnSetStream),
    FUNCTION(cudnnGetVersion),
    FUNCTION(cudnnGetErrorString),
    FUNCTION(cudnnGetLastErrorString),
    FUNCTION(cudnnBackendCreateDescriptor),
    FUNCTION(cudnnBackendDestroyDescriptor),
    FUNCTION(cudnnBackendFinalize),
    FUNCTION(cudnnBackendSetAttribute),
    FUNCTION(cudnnBackendGetAttribute),
    FUNCTION(cudnnBackendExecute),
    FUNCTION(cublasLtCreate),
    FUNCTION(cublasLtDestroy),
    FUNCTION(cublasLtGetVersion),
    FUNCTION(cublasLtGetStatusName),
    FUNCTION(cublasLtGetStatusString),
    FUNCTION(cublasLtMatmulDescInit_internal),
    FUNCTION(cublasLtMatmulDescSetAttribute),
    FUNCTION(cublasLtMatrixLayoutInit_internal),
    FUNCTION(cublasLtMatmulPreferenceInit_internal),
    FUNCTION(cublasLtMatmulPreferenceSetAttribute),
    FUNCTION(cublasLtMatmulAlgoGetHeuristic),
    FUNCTION(cublasLtMatmulAlgoCheck),
    FUNCTION(cublasLtMatmul),
};

void *trib_lazy_find(trib_lazy_library *library, _Atomic(void *) *slot, const char *function)
{
    (void)library, (void)slot;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; ++i)
        if (!strcmp(functions[i].name, function)) return functions[i].address;
    return NULL;
}

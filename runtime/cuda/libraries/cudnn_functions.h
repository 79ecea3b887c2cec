/* SPDX-License-Identifier: Apache-2.0
 * cuDNN is not linked but loaded when a CUDA device is first opened (load.c): it takes 0.1 s and 150 MB to load, which
 * programs that compute on the CPU should not pay, and machines without it can still run everything else. This lists
 * the functions that we use, and the loader checks them against the header. They are called as
 * trib_libcudnn.cudnnDestroy(handle): none of our symbols has the name of one of cuDNN's, so that a program may link
 * both. */
#ifndef TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_FUNCTIONS_H
#define TRIBUTARY_RUNTIME_CUDA_LIBRARIES_CUDNN_FUNCTIONS_H

#include <cudnn_graph.h>

#include "tributary/internal/library.h"
#include "tributary/status.h"

/* clang-format off */
#define TRIB_CUDNN_FUNCTIONS(F)                                                                                       \
    F(size_t, cudnnGetVersion, (void))                                                                                \
    F(const char *, cudnnGetErrorString, (cudnnStatus_t))                                                             \
    F(void, cudnnGetLastErrorString, (char *, size_t))                                                                \
    F(cudnnStatus_t, cudnnCreate, (cudnnHandle_t *))                                                                  \
    F(cudnnStatus_t, cudnnDestroy, (cudnnHandle_t))                                                                   \
    F(cudnnStatus_t, cudnnSetStream, (cudnnHandle_t, cudaStream_t))                                                   \
    F(cudnnStatus_t, cudnnBackendCreateDescriptor, (cudnnBackendDescriptorType_t, cudnnBackendDescriptor_t *))        \
    F(cudnnStatus_t, cudnnBackendDestroyDescriptor, (cudnnBackendDescriptor_t))                                       \
    F(cudnnStatus_t, cudnnBackendFinalize, (cudnnBackendDescriptor_t))                                                \
    F(cudnnStatus_t, cudnnBackendSetAttribute,                                                                        \
      (cudnnBackendDescriptor_t, cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, int64_t, const void *))    \
    F(cudnnStatus_t, cudnnBackendGetAttribute,                                                                        \
      (cudnnBackendDescriptor_t, cudnnBackendAttributeName_t, cudnnBackendAttributeType_t, int64_t, int64_t *,        \
       void *))                                                                                                       \
    F(cudnnStatus_t, cudnnBackendExecute, (cudnnHandle_t, cudnnBackendDescriptor_t, cudnnBackendDescriptor_t))
/* clang-format on */

typedef struct trib_cudnn_functions {
    TRIB_CUDNN_FUNCTIONS(TRIB_LIBRARY_POINTER)
} trib_cudnn_functions;

/* Filled in by the first successful trib_cudnn_load; cuDNN then stays loaded until the process ends. A failure says
 * what to do, and is the same each time. */
extern trib_cudnn_functions trib_libcudnn;
trib_status trib_cudnn_load(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/libraries/lazy/names.h"

#include <cudnn_graph.h>
#include <stdio.h>

#include "cuda/libraries/lazy/lazy.h"

static trib_lazy_library cudnn = { .name = "libcudnn.so." TRIB_LAZY_TEXT(CUDNN_MAJOR),
                                   .built = TRIB_CUDNN_LIBRARY,
                                   .lock = PTHREAD_MUTEX_INITIALIZER };

#define LAZY(name, parameters, arguments) \
    TRIB_LAZY(cudnn, cudnnStatus_t, CUDNN_STATUS_NOT_INITIALIZED, name, parameters, arguments)

LAZY(cudnnCreate, (cudnnHandle_t * handle), (handle))
LAZY(cudnnDestroy, (cudnnHandle_t handle), (handle))
LAZY(cudnnSetStream, (cudnnHandle_t handle, cudaStream_t stream), (handle, stream))
LAZY(cudnnBackendCreateDescriptor, (cudnnBackendDescriptorType_t type, cudnnBackendDescriptor_t *descriptor),
     (type, descriptor))
LAZY(cudnnBackendDestroyDescriptor, (cudnnBackendDescriptor_t descriptor), (descriptor))
LAZY(cudnnBackendFinalize, (cudnnBackendDescriptor_t descriptor), (descriptor))
LAZY(cudnnBackendSetAttribute,
     (cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
      int64_t count, const void *elements),
     (descriptor, name, type, count, elements))
LAZY(cudnnBackendGetAttribute,
     (cudnnBackendDescriptor_t const descriptor, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
      int64_t wanted, int64_t *count, void *elements),
     (descriptor, name, type, wanted, count, elements))
LAZY(cudnnBackendExecute, (cudnnHandle_t handle, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t variant_pack),
     (handle, plan, variant_pack))
TRIB_LAZY(cudnn, size_t, 0, cudnnGetVersion, (void), ())
TRIB_LAZY(cudnn, const char *, "CUDNN_STATUS_NOT_INITIALIZED", cudnnGetErrorString, (cudnnStatus_t status), (status))

void cudnnGetLastErrorString(char *message, size_t size)
{
    static _Atomic(void *) slot;
    void (*function)(char *, size_t) =
        (void (*)(char *, size_t))trib_lazy_find(&cudnn, &slot, "trib_lazy_cudnnGetLastErrorString");
    if (function)
        function(message, size);
    else
        snprintf(message, size, "%s", cudnn.error);
}

/* SPDX-License-Identifier: Apache-2.0
 * Device memory from a pool of the device's own: allocated and freed in stream order, counted, limited. */
#ifndef TRIBUTARY_RUNTIME_CUDA_MEMORY_POOL_H
#define TRIBUTARY_RUNTIME_CUDA_MEMORY_POOL_H

#include <cuda_runtime_api.h>
#include <pthread.h>

#include "device/driver.h"

struct trib_cuda_device;

typedef struct trib_cuda_allocation {
    void *memory;
    size_t bytes;
    uint64_t capture_id;   /* freed while this capture was being recorded: returned when it ends */
    cudaStream_t freed_on; /* then: where */
} trib_cuda_allocation;

typedef struct trib_cuda_memory {
    pthread_mutex_t lock;
    cudaMemPool_t pool;
    trib_cuda_allocation *live; /* sorted by address */
    size_t count, capacity;
    trib_memory_stats stats;
} trib_cuda_memory;

trib_status trib_cuda_memory_open(struct trib_cuda_device *device);
void trib_cuda_memory_close(struct trib_cuda_device *device);
/* `stream` NULL: usable by every stream at once. */
trib_status trib_cuda_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out);
/* `stream` NULL: once the current work of all streams is done. */
void trib_cuda_free(trib_device *device, trib_stream *stream, void *memory);
trib_memory_stats trib_cuda_memory_stats(const trib_device *device);
void trib_cuda_set_memory_limit(trib_device *device, int64_t bytes);
/* Returns memory that was freed while that capture was being recorded. */
void trib_cuda_free_captured(struct trib_cuda_device *device, uint64_t capture_id);

#endif

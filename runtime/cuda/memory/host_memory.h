/* SPDX-License-Identifier: Apache-2.0
 * Page-locked memory that callers allocate to copy from and to. */
#ifndef TRIBUTARY_RUNTIME_CUDA_MEMORY_HOST_MEMORY_H
#define TRIBUTARY_RUNTIME_CUDA_MEMORY_HOST_MEMORY_H

#include <pthread.h>

#include "device/driver.h"

struct trib_cuda_device;

typedef struct trib_cuda_host_memory {
    pthread_mutex_t lock;
    struct trib_cuda_host_block *blocks;
    trib_memory_stats stats;
} trib_cuda_host_memory;

void trib_cuda_host_memory_open(struct trib_cuda_device *device);
void trib_cuda_host_memory_close(struct trib_cuda_device *device);
trib_status trib_cuda_host_alloc(trib_device *device, size_t bytes, void **out);
void trib_cuda_host_free(trib_device *device, void *memory);
trib_memory_stats trib_cuda_host_memory_stats(const trib_device *device);
void trib_cuda_host_set_memory_limit(trib_device *device, int64_t bytes);

#endif

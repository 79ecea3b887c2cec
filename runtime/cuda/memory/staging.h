/* SPDX-License-Identifier: Apache-2.0
 * Page-locked blocks for copies to and from ordinary host memory. */
#ifndef TRIBUTARY_RUNTIME_CUDA_MEMORY_STAGING_H
#define TRIBUTARY_RUNTIME_CUDA_MEMORY_STAGING_H

#include <cuda_runtime_api.h>
#include <pthread.h>
#include <stddef.h>

#include "tributary/status.h"

struct trib_cuda_device;

typedef struct trib_cuda_block trib_cuda_block;

enum { TRIB_CUDA_BLOCK_SIZES = 13 }; /* 4 KiB to 16 MiB, powers of two */

typedef struct trib_cuda_staging {
    pthread_mutex_t lock;
    struct {
        trib_cuda_block *idle, *first, *last; /* first to last: given to a stream, oldest first */
    } sizes[TRIB_CUDA_BLOCK_SIZES];
    struct trib_cuda_slab *slabs;
    size_t bytes; /* of all slabs */
} trib_cuda_staging;

struct trib_cuda_block {
    trib_cuda_block *next;
    void *memory;
    cudaEvent_t done; /* recorded after its last use */
    int size;         /* index of its size */
    /* The copy of a host function, in stream order. */
    void *target;
    const void *source;
    size_t bytes;
};

void trib_cuda_staging_open(struct trib_cuda_device *device);
void trib_cuda_staging_close(struct trib_cuda_device *device);
size_t trib_cuda_block_room(size_t bytes); /* of the block that a copy of `bytes` gets: may be less */
trib_status trib_cuda_block_take(struct trib_cuda_device *device, size_t bytes, trib_cuda_block **out);
/* The block may be reused once the current work of `stream` is done. */
void trib_cuda_block_give(struct trib_cuda_device *device, trib_cuda_block *block, cudaStream_t stream);
/* The same if `done` was already recorded, or never. */
void trib_cuda_block_give_recorded(struct trib_cuda_device *device, trib_cuda_block *block);

#endif

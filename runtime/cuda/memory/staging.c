/* SPDX-License-Identifier: Apache-2.0
 * Pinned host memory: CUDA's copies are truly asynchronous only for memory that the system cannot move. Blocks are cut
 * from slabs, one list per power of two; a block is free again once the event recorded after its last use is reached.
 */
#include "cuda/device.h"
#include "cuda/streams/stream.h"
#include "tributary/internal/alloc.h"

enum { SMALLEST = 4096, SLAB = 1 << 20, MOST = 512 << 20 };

/* Pinning is slow: many small blocks are pinned at once. */
typedef struct trib_cuda_slab {
    struct trib_cuda_slab *next;
    void *memory;
    int count; /* blocks whose events exist */
    trib_cuda_block blocks[];
} trib_cuda_slab;

static size_t size_of(int size) { return (size_t)SMALLEST << size; }

static int size_for(size_t bytes)
{
    int size = 0;
    while (size < TRIB_CUDA_BLOCK_SIZES - 1 && size_of(size) < bytes) ++size;
    return size;
}

size_t trib_cuda_block_room(size_t bytes) { return size_of(size_for(bytes)); }

void trib_cuda_staging_open(trib_cuda_device *device) { pthread_mutex_init(&device->staging.lock, NULL); }

static void free_slab(trib_cuda_device *device, trib_cuda_slab *slab)
{
    for (int i = 0; i < slab->count; ++i) TRIB_CUDA_NOTE(device, cudaEventDestroy(slab->blocks[i].done));
    if (slab->memory) TRIB_CUDA_NOTE(device, cudaFreeHost(slab->memory));
    trib_free(slab);
}

/* All streams are idle. */
void trib_cuda_staging_close(trib_cuda_device *device)
{
    trib_cuda_staging *s = &device->staging;
    while (s->slabs) {
        trib_cuda_slab *slab = s->slabs;
        s->slabs = slab->next;
        free_slab(device, slab);
    }
    pthread_mutex_destroy(&s->lock);
}

static trib_status grow(trib_cuda_device *device, int size)
{
    trib_cuda_staging *s = &device->staging;
    size_t bytes = size_of(size) > SLAB ? size_of(size) : SLAB;
    int count = (int)(bytes / size_of(size));
    trib_cuda_slab *slab = trib_alloc_zeroed(1, sizeof *slab + (size_t)count * sizeof *slab->blocks);
    if (!slab) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "pinned memory: out of memory");
    trib_status status;
    TRIB_TRY_GOTO(status, failed, TRIB_CUDA(device, cudaHostAlloc(&slab->memory, bytes, cudaHostAllocDefault)));
    for (; slab->count < count; ++slab->count)
        TRIB_TRY_GOTO(
            status, failed,
            TRIB_CUDA(device, cudaEventCreateWithFlags(&slab->blocks[slab->count].done, cudaEventDisableTiming)));
    for (int i = 0; i < count; ++i) {
        trib_cuda_block *block = &slab->blocks[i];
        block->memory = (char *)slab->memory + (size_t)i * size_of(size);
        block->size = size;
        block->next = s->sizes[size].idle;
        s->sizes[size].idle = block;
    }
    slab->next = s->slabs;
    s->slabs = slab;
    s->bytes += bytes;
    return trib_outcome(&status);
failed:
    free_slab(device, slab);
    return status;
}

/* The oldest block in use, if it is free again, or once it is. */
static trib_status reclaim(trib_cuda_device *device, int size, bool wait, trib_cuda_block **out)
{
    trib_cuda_staging *s = &device->staging;
    trib_cuda_block *block = s->sizes[size].first;
    if (!block) return trib_success();
    cudaError_t error = wait ? cudaEventSynchronize(block->done) : cudaEventQuery(block->done);
    if (error == cudaErrorNotReady) return trib_success();
    if (error != cudaSuccess)
        return trib_cuda_status(device, error,
                                wait ? "cudaEventSynchronize(block->done)" : "cudaEventQuery(block->done)", __FILE__,
                                __LINE__);
    s->sizes[size].first = block->next;
    if (!block->next) s->sizes[size].last = NULL;
    *out = block;
    return trib_success();
}

static trib_status take_locked(trib_cuda_device *device, int size, trib_cuda_block **out)
{
    trib_cuda_staging *s = &device->staging;
    *out = s->sizes[size].idle;
    if (!*out) TRIB_TRY(reclaim(device, size, false, out));
    if (!*out && (s->bytes < MOST || !s->sizes[size].first)) {
        trib_status status = grow(device, size);
        if (trib_failed(&status) && (status.code != TRIB_OUT_OF_MEMORY || !s->sizes[size].first)) return status;
        *out = s->sizes[size].idle;
    }
    if (!*out) TRIB_TRY(reclaim(device, size, true, out));
    if (*out == s->sizes[size].idle) s->sizes[size].idle = (*out)->next;
    (*out)->next = NULL;
    return trib_success();
}

trib_status trib_cuda_block_take(trib_cuda_device *device, size_t bytes, trib_cuda_block **out)
{
    pthread_mutex_lock(&device->staging.lock);
    trib_status status = take_locked(device, size_for(bytes), out);
    pthread_mutex_unlock(&device->staging.lock);
    trib_add_context(&status, "pinned memory for copies");
    return trib_outcome(&status);
}

void trib_cuda_block_give_recorded(trib_cuda_device *device, trib_cuda_block *block)
{
    trib_cuda_staging *s = &device->staging;
    pthread_mutex_lock(&s->lock);
    block->next = NULL;
    if (s->sizes[block->size].last)
        s->sizes[block->size].last->next = block;
    else
        s->sizes[block->size].first = block;
    s->sizes[block->size].last = block;
    pthread_mutex_unlock(&s->lock);
}

void trib_cuda_block_give(trib_cuda_device *device, trib_cuda_block *block, cudaStream_t stream)
{
    trib_status status = TRIB_CUDA(device, cudaEventRecord(block->done, stream));
    if (trib_failed(&status)) trib_cuda_drain(device, stream); /* no event will tell when it is free: wait now */
    trib_cuda_block_give_recorded(device, block);
}

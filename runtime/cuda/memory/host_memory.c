/* SPDX-License-Identifier: Apache-2.0
 * Page-locked host memory for callers, which CUDA copies directly. Counted and limited like the pool's. */
#include "cuda/device.h"
#include "tributary/internal/alloc.h"

/* Few, large and long-lived: a list will do. */
typedef struct trib_cuda_host_block {
    struct trib_cuda_host_block *next;
    void *memory;
    size_t bytes;
} trib_cuda_host_block;

void trib_cuda_host_memory_open(trib_cuda_device *device) { pthread_mutex_init(&device->host_memory.lock, NULL); }

/* The owners have freed all of them, or never will. */
void trib_cuda_host_memory_close(trib_cuda_device *device)
{
    trib_cuda_host_memory *m = &device->host_memory;
    while (m->blocks) trib_cuda_host_free(&device->base, m->blocks->memory);
    pthread_mutex_destroy(&m->lock);
}

/* ---- allocating ---- */

static trib_status no_memory(const trib_cuda_device *device, size_t bytes, int cuda_error)
{
    const trib_memory_stats *seen = &device->host_memory.stats;
    const char *spec = device->base.info.spec;
    if (!cuda_error)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY,
                          "%s: page-locked host memory: %zu bytes asked for, %lld in use, limit %lld; use a smaller "
                          "batch or raise the limit",
                          spec, bytes, (long long)seen->current_bytes, (long long)seen->limit_bytes);
    return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, cuda_error, "cudaHostAlloc",
                             "%s: page-locked host memory: %zu bytes asked for, %lld in use here, and the system locks "
                             "no more; use a smaller batch or fewer batches ahead",
                             spec, bytes, (long long)seen->current_bytes);
}

static trib_status lock_pages(trib_cuda_device *device, size_t bytes, void **out)
{
    cudaError_t error = bytes <= (size_t)INT64_MAX / 2 ? cudaHostAlloc(out, bytes ? bytes : 1, cudaHostAllocPortable)
                                                       : cudaErrorMemoryAllocation;
    if (error != cudaErrorMemoryAllocation) return trib_cuda_status(device, error, "cudaHostAlloc", __FILE__, __LINE__);
    cudaGetLastError();
    return no_memory(device, bytes, (int)error);
}

static void count(trib_cuda_host_memory *m, trib_cuda_host_block *block)
{
    block->next = m->blocks;
    m->blocks = block;
    m->stats.current_bytes += (int64_t)block->bytes;
    if (m->stats.current_bytes > m->stats.peak_bytes) m->stats.peak_bytes = m->stats.current_bytes;
    m->stats.allocation_count++;
}

static trib_status alloc_locked(trib_cuda_device *device, trib_cuda_host_block *block)
{
    const trib_memory_stats *s = &device->host_memory.stats;
    bool fits = !s->limit_bytes ||
                (block->bytes <= (size_t)INT64_MAX / 2 && (int64_t)block->bytes <= s->limit_bytes - s->current_bytes);
    if (!fits) return no_memory(device, block->bytes, 0);
    TRIB_TRY(lock_pages(device, block->bytes, &block->memory));
    count(&device->host_memory, block);
    return trib_success();
}

trib_status trib_cuda_host_alloc(trib_device *base, size_t bytes, void **out)
{
    trib_cuda_device *device = trib_cuda_of(base);
    TRIB_TRY(trib_cuda_enter(device));
    trib_cuda_host_block *block = trib_alloc_zeroed(1, sizeof *block);
    if (!block)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: page-locked host memory: no memory to keep track of it",
                          device->base.info.spec);
    block->bytes = bytes;
    pthread_mutex_lock(&device->host_memory.lock);
    trib_status status = alloc_locked(device, block);
    pthread_mutex_unlock(&device->host_memory.lock);
    if (trib_failed(&status))
        trib_free(block);
    else
        *out = block->memory;
    return status;
}

/* ---- freeing ---- */

static trib_cuda_host_block *take(trib_cuda_host_memory *m, const void *memory)
{
    pthread_mutex_lock(&m->lock);
    trib_cuda_host_block **link = &m->blocks;
    while (*link && (*link)->memory != memory) link = &(*link)->next;
    trib_cuda_host_block *block = *link;
    if (block) {
        *link = block->next;
        m->stats.current_bytes -= (int64_t)block->bytes;
    }
    pthread_mutex_unlock(&m->lock);
    return block;
}

void trib_cuda_host_free(trib_device *base, void *memory)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_cuda_enter(device); /* the next call sees a failure */
    trib_cuda_host_block *block = take(&device->host_memory, memory);
    if (!block) return;
    TRIB_CUDA_NOTE(device, cudaFreeHost(block->memory));
    trib_free(block);
}

/* ---- statistics ---- */

trib_memory_stats trib_cuda_host_memory_stats(const trib_device *base)
{
    trib_cuda_host_memory *m = &trib_cuda_of(base)->host_memory;
    pthread_mutex_lock(&m->lock);
    trib_memory_stats stats = m->stats;
    pthread_mutex_unlock(&m->lock);
    return stats;
}

void trib_cuda_host_set_memory_limit(trib_device *base, int64_t bytes)
{
    trib_cuda_host_memory *m = &trib_cuda_of(base)->host_memory;
    pthread_mutex_lock(&m->lock);
    m->stats.limit_bytes = bytes;
    pthread_mutex_unlock(&m->lock);
}

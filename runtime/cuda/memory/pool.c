/* SPDX-License-Identifier: Apache-2.0
 * Device memory from a pool of the device's own: allocated and freed in stream order, counted, limited.
 *
 * Requested bytes are counted. Freed memory is subtracted at once: later allocations are ordered after the free. */
#include <string.h>

#include "cuda/device.h"
#include "cuda/memory/copy.h"
#include "cuda/streams/capture.h"
#include "cuda/streams/stream.h"
#include "tributary/internal/alloc.h"

trib_status trib_cuda_memory_open(trib_cuda_device *device)
{
    struct cudaMemPoolProps wanted;
    memset(&wanted, 0, sizeof wanted);
    wanted.allocType = cudaMemAllocationTypePinned;
    wanted.location.type = cudaMemLocationTypeDevice;
    wanted.location.id = device->ordinal;
    TRIB_CUDA_TRY(device, cudaMemPoolCreate(&device->memory.pool, &wanted));
    uint64_t keep_all = UINT64_MAX; /* a synchronisation does not return unused memory to the system */
    return TRIB_CUDA(device, cudaMemPoolSetAttribute(device->memory.pool, cudaMemPoolAttrReleaseThreshold, &keep_all));
}

void trib_cuda_memory_close(trib_cuda_device *device)
{
    if (device->memory.pool) TRIB_CUDA_NOTE(device, cudaMemPoolDestroy(device->memory.pool));
    trib_free(device->memory.live);
}

/* ---- what is allocated ---- */

/* The place of `memory` in the table, or where it belongs. */
static size_t find(const trib_cuda_memory *m, const void *memory)
{
    size_t low = 0, high = m->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uintptr_t)m->live[middle].memory < (uintptr_t)memory)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void forget(trib_cuda_memory *m, size_t index)
{
    m->stats.current_bytes -= (int64_t)m->live[index].bytes;
    memmove(m->live + index, m->live + index + 1, (m->count - index - 1) * sizeof *m->live);
    m->count--;
}

static void remember(trib_cuda_memory *m, void *memory, size_t bytes)
{
    size_t index = find(m, memory);
    memmove(m->live + index + 1, m->live + index, (m->count - index) * sizeof *m->live);
    m->live[index] = (trib_cuda_allocation) { .memory = memory, .bytes = bytes };
    m->count++;
    m->stats.current_bytes += (int64_t)bytes;
    if (m->stats.current_bytes > m->stats.peak_bytes) m->stats.peak_bytes = m->stats.current_bytes;
    m->stats.allocation_count++;
}

/* ---- allocating ---- */

static trib_status no_memory(trib_cuda_device *device, size_t bytes, int cuda_error)
{
    const trib_memory_stats *seen = &device->memory.stats;
    const char *spec = device->base.info.spec;
    if (seen->limit_bytes && !cuda_error)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY,
                          "%s memory: %zu bytes asked for, %lld in use, limit %lld; use a smaller batch or raise the "
                          "limit",
                          spec, bytes, (long long)seen->current_bytes, (long long)seen->limit_bytes);
    return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, cuda_error, "cudaMallocFromPoolAsync",
                             "%s memory: %zu bytes asked for, %lld in use here, and the device's %lld are not enough, "
                             "even after giving back what the pool kept; use a smaller batch, or see what else uses "
                             "the device",
                             spec, bytes, (long long)seen->current_bytes, (long long)device->base.info.memory_bytes);
}

static trib_status out_of_memory_or(trib_cuda_device *device, cudaError_t error, size_t bytes)
{
    if (error != cudaErrorMemoryAllocation)
        return trib_cuda_status(device, error, "cudaMallocFromPoolAsync", __FILE__, __LINE__);
    cudaGetLastError();
    return no_memory(device, bytes, (int)error);
}

/* A second try, with what was freed on this stream back in the pool, and what the pool kept back in the device: blocks
 * of other sizes may have been in the way. */
static cudaError_t trim_and_retry(trib_cuda_device *device, cudaStream_t stream, size_t bytes, void **memory)
{
    cudaGetLastError();
    TRIB_CUDA_NOTE(device, cudaStreamSynchronize(stream));
    TRIB_CUDA_NOTE(device, cudaMemPoolTrimTo(device->memory.pool, 0));
    return cudaMallocFromPoolAsync(memory, bytes, device->memory.pool, stream);
}

static trib_status alloc_locked(trib_cuda_device *device, cudaStream_t stream, size_t bytes, void **out)
{
    trib_cuda_memory *m = &device->memory;
    const trib_memory_stats *s = &m->stats;
    /* CUDA's reaction to more than the device has is not documented, so it is not asked. */
    bool fits = bytes <= (size_t)device->base.info.memory_bytes &&
                (!s->limit_bytes || (int64_t)bytes <= s->limit_bytes - s->current_bytes);
    if (!fits) return no_memory(device, bytes, s->limit_bytes ? 0 : (int)cudaErrorMemoryAllocation);
    void *list = m->live, *memory = NULL;
    if (trib_grow(&list, &m->capacity, m->count + 1, sizeof *m->live))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s memory: no host memory to keep track of it", device->base.info.spec);
    m->live = list;
    size_t asked = bytes ? bytes : 1;
    cudaError_t error = cudaMallocFromPoolAsync(&memory, asked, m->pool, stream);
    if (error == cudaErrorMemoryAllocation) error = trim_and_retry(device, stream, asked, &memory);
    if (error != cudaSuccess) return out_of_memory_or(device, error, bytes);
    remember(m, memory, bytes);
    *out = memory;
    return trib_success();
}

trib_status trib_cuda_alloc(trib_device *base, trib_stream *stream, size_t bytes, void **out)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_cuda_stream *cuda = (trib_cuda_stream *)stream;
    TRIB_TRY(trib_cuda_enter(device));
    /* A capture records work, not memory: while capturing, memory comes from the side stream. */
    bool aside = !cuda || atomic_load(&cuda->capture);
    void *memory = NULL;
    pthread_mutex_lock(&device->memory.lock);
    trib_status status = alloc_locked(device, aside ? device->side->handle : cuda->handle, bytes, &memory);
    pthread_mutex_unlock(&device->memory.lock);
    if (trib_failed(&status)) return status;
    if (aside) status = TRIB_CUDA(device, cudaStreamSynchronize(device->side->handle));
    if (trib_failed(&status))
        trib_cuda_free(base, NULL, memory);
    else
        *out = memory;
    return trib_outcome(&status);
}

/* ---- freeing ---- */

/* Lets the side stream wait for all work of all streams that is not being recorded. */
static trib_status gather(trib_cuda_device *device)
{
    cudaEvent_t reached;
    TRIB_TRY(trib_cuda_enter(device));
    TRIB_CUDA_TRY(device, cudaEventCreateWithFlags(&reached, cudaEventDisableTiming));
    trib_status status = trib_success();
    pthread_mutex_lock(&device->objects_lock);
    for (trib_cuda_stream *s = device->streams; s && !trib_failed(&status); s = s->next)
        if (!s->idle) status = trib_cuda_side_follow(device, s, reached);
    pthread_mutex_unlock(&device->objects_lock);
    TRIB_CUDA_NOTE(device, cudaEventDestroy(reached));
    return trib_outcome(&status);
}

void trib_cuda_free(trib_device *base, trib_stream *stream, void *memory)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_cuda_memory *m = &device->memory;
    trib_cuda_stream *cuda = (trib_cuda_stream *)stream;
    trib_status status = cuda ? trib_success() : gather(device);
    if (cuda) trib_cuda_enter(device);                              /* later calls see a failure */
    if (trib_failed(&status)) trib_cuda_drain_all(device, &status); /* no event will tell when it is unused: wait now */
    uint64_t capture_id = cuda ? trib_cuda_capture_id(cuda) : 0;
    cudaStream_t where = cuda ? cuda->handle : device->side->handle;
    pthread_mutex_lock(&m->lock);
    size_t index = find(m, memory);
    bool known = index < m->count && m->live[index].memory == memory;
    if (known && capture_id) {
        m->live[index].capture_id = capture_id;
        m->live[index].freed_on = where;
    } else if (known) {
        forget(m, index);
        TRIB_CUDA_NOTE(device, cudaFreeAsync(memory, where));
    }
    pthread_mutex_unlock(&m->lock);
}

void trib_cuda_free_captured(trib_cuda_device *device, uint64_t capture_id)
{
    trib_cuda_memory *m = &device->memory;
    pthread_mutex_lock(&m->lock);
    for (size_t i = m->count; i-- > 0;) {
        if (m->live[i].capture_id != capture_id) continue;
        TRIB_CUDA_NOTE(device, cudaFreeAsync(m->live[i].memory, m->live[i].freed_on));
        forget(m, i);
    }
    pthread_mutex_unlock(&m->lock);
}

/* ---- statistics ---- */

trib_memory_stats trib_cuda_memory_stats(const trib_device *base)
{
    trib_cuda_memory *m = &trib_cuda_of(base)->memory;
    pthread_mutex_lock(&m->lock);
    trib_memory_stats stats = m->stats;
    pthread_mutex_unlock(&m->lock);
    return stats;
}

void trib_cuda_set_memory_limit(trib_device *base, int64_t bytes)
{
    trib_cuda_memory *m = &trib_cuda_of(base)->memory;
    pthread_mutex_lock(&m->lock);
    m->stats.limit_bytes = bytes;
    pthread_mutex_unlock(&m->lock);
}

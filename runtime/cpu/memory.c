/* SPDX-License-Identifier: Apache-2.0
 * Device memory: aligned host memory that is counted and can be limited. The host memory of callers is the same,
 * counted separately. */
#include "cpu/memory.h"
#include "cpu/streams/stream.h"
#include "device/alignment.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/huge_pages.h"

/* Precedes each block; as large as the alignment, so that the block stays aligned. */
typedef union header {
    size_t bytes;
    char space[TRIB_ALIGNMENT];
} header;

static bool reserve(trib_cpu_device *device, trib_memory_stats *m, size_t bytes, trib_memory_stats *seen)
{
    pthread_mutex_lock(&device->memory_lock);
    bool fits = bytes <= (size_t)device->base.info.memory_bytes; /* do not even try more than the machine has */
    if (m->limit_bytes && fits) fits = (int64_t)bytes <= m->limit_bytes - m->current_bytes;
    if (fits) {
        m->current_bytes += (int64_t)bytes;
        if (m->current_bytes > m->peak_bytes) m->peak_bytes = m->current_bytes;
        m->allocation_count++;
    }
    *seen = *m;
    pthread_mutex_unlock(&device->memory_lock);
    return fits;
}

static void unreserve(trib_cpu_device *device, trib_memory_stats *m, size_t bytes)
{
    pthread_mutex_lock(&device->memory_lock);
    m->current_bytes -= (int64_t)bytes;
    pthread_mutex_unlock(&device->memory_lock);
}

static trib_status no_memory(const char *what, size_t bytes, const trib_memory_stats *seen)
{
    if (seen->limit_bytes)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY,
                          "%s memory: %zu bytes asked for, %lld in use, limit %lld; use a smaller batch or fewer "
                          "lanes, or raise the limit",
                          what, bytes, (long long)seen->current_bytes, (long long)seen->limit_bytes);
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY,
                      "%s memory: %zu bytes asked for, %lld in use, no limit set: the machine has no more; use a "
                      "smaller batch or fewer lanes",
                      what, bytes, (long long)seen->current_bytes);
}

/* Allocates reserved bytes; cancels the reservation if there is no memory. */
static trib_status allocate(trib_cpu_device *device, trib_memory_stats *m, const char *what, size_t bytes,
                            trib_memory_stats *seen, void **out)
{
    header *block = trib_alloc_aligned(bytes + sizeof *block, TRIB_ALIGNMENT);
    if (!block) {
        unreserve(device, m, bytes);
        seen->current_bytes -= (int64_t)bytes;
        return no_memory(what, bytes, seen);
    }
    trib_advise_huge_pages(block, bytes);
    block->bytes = bytes;
    *out = block + 1;
    return trib_success();
}

static void release(trib_cpu_device *device, trib_memory_stats *m, void *memory)
{
    if (!memory) return;
    header *block = (header *)memory - 1;
    unreserve(device, m, block->bytes);
    trib_free(block);
}

trib_status trib_cpu_alloc(trib_device *base, trib_stream *stream, size_t bytes, void **out)
{
    trib_cpu_device *device = trib_cpu_of(base);
    trib_memory_stats seen;
    bool fits = reserve(device, &device->memory, bytes, &seen);
    if (!fits && stream) { /* memory freed by this stream may still be queued */
        trib_cpu_stream_drain((trib_cpu_stream *)stream);
        fits = reserve(device, &device->memory, bytes, &seen);
    }
    return fits ? allocate(device, &device->memory, "cpu", bytes, &seen, out) : no_memory("cpu", bytes, &seen);
}

void trib_cpu_free_now(trib_cpu_device *device, void *memory) { release(device, &device->memory, memory); }

/* While capturing, this still means "after the work enqueued so far": a capture records work, not memory. */
void trib_cpu_free(trib_device *base, trib_stream *stream, void *memory)
{
    trib_cpu_device *device = trib_cpu_of(base);
    trib_cpu_stream *cpu = (trib_cpu_stream *)stream;
    trib_cpu_item *item = cpu ? trib_cpu_item_take(cpu, TRIB_CPU_FREE) : NULL;
    if (!item) { /* a free cannot fail, so wait instead of queueing */
        if (cpu) trib_cpu_stream_drain(cpu);
        trib_cpu_free_now(device, memory);
        return;
    }
    item->memory = memory;
    trib_cpu_list one = { 0 };
    trib_cpu_list_append(&one, item);
    trib_cpu_enqueue(cpu, &one);
}

/* ---- host memory ---- */

static const char host_memory[] = "cpu: host";

trib_status trib_cpu_host_alloc(trib_device *base, size_t bytes, void **out)
{
    trib_cpu_device *device = trib_cpu_of(base);
    trib_memory_stats seen;
    if (!reserve(device, &device->host_memory, bytes, &seen)) return no_memory(host_memory, bytes, &seen);
    return allocate(device, &device->host_memory, host_memory, bytes, &seen, out);
}

void trib_cpu_host_free(trib_device *base, void *memory)
{
    trib_cpu_device *device = trib_cpu_of(base);
    release(device, &device->host_memory, memory);
}

/* ---- statistics ---- */

static trib_memory_stats read_stats(trib_cpu_device *device, const trib_memory_stats *m)
{
    pthread_mutex_lock(&device->memory_lock);
    trib_memory_stats stats = *m;
    pthread_mutex_unlock(&device->memory_lock);
    return stats;
}

static void set_limit(trib_cpu_device *device, trib_memory_stats *m, int64_t bytes)
{
    pthread_mutex_lock(&device->memory_lock);
    m->limit_bytes = bytes;
    pthread_mutex_unlock(&device->memory_lock);
}

trib_memory_stats trib_cpu_memory(const trib_device *base)
{
    trib_cpu_device *device = trib_cpu_of((trib_device *)base);
    return read_stats(device, &device->memory);
}

trib_memory_stats trib_cpu_host_memory(const trib_device *base)
{
    trib_cpu_device *device = trib_cpu_of((trib_device *)base);
    return read_stats(device, &device->host_memory);
}

void trib_cpu_set_memory_limit(trib_device *base, int64_t bytes)
{
    trib_cpu_device *device = trib_cpu_of(base);
    set_limit(device, &device->memory, bytes);
}

void trib_cpu_host_set_memory_limit(trib_device *base, int64_t bytes)
{
    trib_cpu_device *device = trib_cpu_of(base);
    set_limit(device, &device->host_memory, bytes);
}

/* SPDX-License-Identifier: Apache-2.0
 * Streams: non-blocking CUDA streams, reused because creating one takes as long as many launches. */
#include <stdio.h>

#include "cuda/device.h"
#include "cuda/ops/ops.h"
#include "cuda/streams/capture.h"
#include "cuda/streams/stream.h"
#include "device/capture_rules.h"
#include "tributary/internal/alloc.h"

/* Ours: higher runs first, 0 is usual. CUDA's: lower runs first, 0 is usual and least. */
static int cuda_priority(const trib_cuda_device *device, int priority)
{
    if (priority <= -device->least_priority) return device->least_priority;
    return priority >= -device->greatest_priority ? device->greatest_priority : -priority;
}

static trib_cuda_stream *take_idle(trib_cuda_device *device, int priority)
{
    pthread_mutex_lock(&device->objects_lock);
    trib_cuda_stream *s = device->streams;
    while (s && !(s->idle && s->priority == priority)) s = s->next;
    if (s) s->idle = false;
    pthread_mutex_unlock(&device->objects_lock);
    return s;
}

static trib_status create(trib_cuda_device *device, int priority, trib_cuda_stream **out)
{
    trib_cuda_stream *s = trib_alloc_zeroed(1, sizeof *s);
    if (!s) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "stream: out of memory");
    trib_status status = TRIB_CUDA(device, cudaStreamCreateWithPriority(&s->handle, cudaStreamNonBlocking, priority));
    if (trib_failed(&status)) {
        trib_free(s);
        return status;
    }
    s->base.device = &device->base;
    s->priority = priority;
    status = trib_cuda_ops_open_stream(s);
    if (trib_failed(&status)) {
        trib_cuda_ops_close_stream(s);
        TRIB_CUDA_NOTE(device, cudaStreamDestroy(s->handle));
        trib_free(s);
        return status;
    }
    pthread_mutex_lock(&device->objects_lock);
    s->next = device->streams;
    device->streams = s;
    pthread_mutex_unlock(&device->objects_lock);
    *out = s;
    return status;
}

trib_status trib_cuda_stream_create(trib_device *base, const trib_stream_options *options, trib_stream **out)
{
    trib_cuda_device *device = trib_cuda_of(base);
    TRIB_TRY(trib_cuda_enter(device));
    int priority = cuda_priority(device, options ? options->priority : 0);
    trib_cuda_stream *s = take_idle(device, priority);
    if (!s) TRIB_TRY(create(device, priority, &s));
    snprintf(s->name, sizeof s->name, "%s", options && options->name ? options->name : "tributary");
    trib_cuda_name_stream(s);
    *out = &s->base;
    return trib_success();
}

void trib_cuda_drain_all(trib_cuda_device *device, const trib_status *failure)
{
    trib_status status = trib_cuda_enter(device);
    if (!trib_failed(&status)) status = TRIB_CUDA(device, cudaDeviceSynchronize());
    if (trib_failed(&status)) trib_cuda_lose(device, failure);
}

trib_status trib_cuda_drain(trib_cuda_device *device, cudaStream_t stream)
{
    trib_status status = TRIB_CUDA(device, cudaStreamSynchronize(stream));
    /* Its work may still write to the caller's memory: find another way to wait. */
    if (trib_failed(&status) && !atomic_load(&device->lost)) trib_cuda_drain_all(device, &status);
    return trib_outcome(&status);
}

/* Waits even after failures: the caller's memory may be in use until then. */
trib_status trib_cuda_stream_synchronize(trib_stream *base)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    trib_status status = trib_cuda_enter(device);
    if (atomic_load(&device->lost)) return status;
    if (atomic_load(&stream->capture)) return trib_refuse_captured_synchronize(stream->name);
    trib_status drained = trib_cuda_drain(device, stream->handle);
    if (!trib_failed(&status)) status = drained;
    trib_add_context(&status, "stream \"%s\"", stream->name);
    return status;
}

void trib_cuda_stream_retire(trib_cuda_stream *stream)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    if (!atomic_load(&device->lost)) trib_cuda_drain(device, stream->handle);
    pthread_mutex_lock(&device->objects_lock);
    stream->idle = true;
    pthread_mutex_unlock(&device->objects_lock);
}

void trib_cuda_stream_destroy(trib_stream *base)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_enter(trib_cuda_of(base->device)); /* later calls see a failure */
    if (trib_cuda_capture_abandon(stream)) trib_cuda_stream_retire(stream);
}

void trib_cuda_streams_close(trib_cuda_device *device)
{
    while (device->streams) {
        trib_cuda_stream *s = device->streams;
        device->streams = s->next;
        trib_cuda_ops_close_stream(s);
        TRIB_CUDA_NOTE(device, cudaStreamDestroy(s->handle));
        trib_free(s);
    }
}

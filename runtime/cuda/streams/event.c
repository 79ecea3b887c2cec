/* SPDX-License-Identifier: Apache-2.0
 * Events: CUDA's own, reused. Misuse that would make CUDA invalidate a whole capture is detected before CUDA is called.
 */
#include "cuda/streams/event.h"
#include "cuda/device.h"
#include "cuda/streams/capture.h"
#include "cuda/streams/stream.h"
#include "device/capture_rules.h"
#include "tributary/internal/alloc.h"

static trib_cuda_event *take_idle(trib_cuda_device *device)
{
    pthread_mutex_lock(&device->objects_lock);
    trib_cuda_event *e = device->idle_events;
    if (e) device->idle_events = e->next;
    pthread_mutex_unlock(&device->objects_lock);
    return e;
}

trib_status trib_cuda_event_create(trib_device *base, trib_event **out)
{
    trib_cuda_device *device = trib_cuda_of(base);
    TRIB_TRY(trib_cuda_enter(device));
    trib_cuda_event *e = take_idle(device);
    if (!e) {
        e = trib_alloc_zeroed(1, sizeof *e);
        if (!e) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "event: out of memory");
        trib_status status = TRIB_CUDA(device, cudaEventCreateWithFlags(&e->handle, cudaEventDefault));
        if (trib_failed(&status)) {
            trib_free(e);
            return status;
        }
        pthread_mutex_init(&e->lock, NULL);
        e->base.device = base;
    }
    e->recorded = false;
    e->capture_id = 0;
    *out = &e->base;
    return trib_success();
}

/* Issued waits keep their record, so the event may be recorded for another owner at once. */
void trib_cuda_event_destroy(trib_event *base)
{
    trib_cuda_event *e = (trib_cuda_event *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    pthread_mutex_lock(&device->objects_lock);
    e->next = device->idle_events;
    device->idle_events = e;
    pthread_mutex_unlock(&device->objects_lock);
}

void trib_cuda_events_close(trib_cuda_device *device)
{
    trib_cuda_event *e;
    while ((e = take_idle(device))) {
        TRIB_CUDA_NOTE(device, cudaEventDestroy(e->handle));
        pthread_mutex_destroy(&e->lock);
        trib_free(e);
    }
}

trib_status trib_cuda_event_record(trib_event *base, trib_stream *target)
{
    trib_cuda_event *e = (trib_cuda_event *)base;
    trib_cuda_stream *stream = (trib_cuda_stream *)target;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    pthread_mutex_lock(&e->lock);
    trib_status status = TRIB_CUDA(device, cudaEventRecord(e->handle, stream->handle));
    if (!trib_failed(&status)) {
        if (!e->recorded) trib_cuda_name_event(e, stream); /* once per owner: naming is not free */
        e->recorded = true;
        e->capture_id = trib_cuda_capture_id(stream);
    }
    pthread_mutex_unlock(&e->lock);
    return trib_outcome(&status);
}

trib_status trib_cuda_stream_wait(trib_stream *target, trib_event *base)
{
    trib_cuda_event *e = (trib_cuda_event *)base;
    trib_cuda_stream *stream = (trib_cuda_stream *)target;
    trib_cuda_device *device = trib_cuda_of(base->device);
    trib_status status = trib_cuda_enter(device);
    pthread_mutex_lock(&e->lock);
    if (trib_failed(&status) || !e->recorded)
        ; /* lost, or nothing to wait for */
    else if (e->capture_id || atomic_load(&stream->capture))
        status = trib_cuda_capture_wait(stream, e);
    else
        status = TRIB_CUDA(device, cudaStreamWaitEvent(stream->handle, e->handle, 0));
    pthread_mutex_unlock(&e->lock);
    return trib_outcome(&status);
}

static trib_status not_captured(const trib_cuda_event *e)
{
    return e->capture_id ? trib_refuse_captured_event() : trib_success();
}

trib_status trib_cuda_event_synchronize(trib_event *base)
{
    trib_cuda_event *e = (trib_cuda_event *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    pthread_mutex_lock(&e->lock);
    trib_status status = not_captured(e);
    bool recorded = e->recorded;
    pthread_mutex_unlock(&e->lock); /* others may record it meanwhile */
    if (trib_failed(&status) || !recorded) return status;
    return TRIB_CUDA(device, cudaEventSynchronize(e->handle));
}

static trib_status completed(trib_cuda_device *device, trib_cuda_event *e, const char *which)
{
    pthread_mutex_lock(&e->lock);
    trib_status status = not_captured(e);
    bool recorded = e->recorded;
    pthread_mutex_unlock(&e->lock);
    if (trib_failed(&status)) return status;
    if (!recorded)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "event: the %s event was never recorded; record it first", which);
    cudaError_t reached = cudaEventQuery(e->handle);
    if (reached == cudaErrorNotReady)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "event: the %s event has not completed; synchronise with it first",
                          which);
    return trib_cuda_status(device, reached, "cudaEventQuery(e->handle)", __FILE__, __LINE__);
}

trib_status trib_cuda_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds)
{
    trib_cuda_event *from = (trib_cuda_event *)start, *to = (trib_cuda_event *)end;
    trib_cuda_device *device = trib_cuda_of(start->device);
    float milliseconds;
    TRIB_TRY(trib_cuda_enter(device));
    TRIB_TRY(completed(device, from, "start"));
    TRIB_TRY(completed(device, to, "end"));
    TRIB_CUDA_TRY(device, cudaEventElapsedTime(&milliseconds, from->handle, to->handle));
    *nanoseconds = (int64_t)((double)milliseconds * 1e6);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Capture: CUDA graphs. CUDA tracks the streams that take part; so does this file, because CUDA reacts to misuse by
 * invalidating the whole capture, and its error names no stream.
 *
 * Captures are relaxed: a stream may move between threads, and while it is recorded memory may be allocated, pinned
 * and waited for on other streams, which the stricter modes forbid. Nothing here uses the legacy stream, which those
 * modes protect. */
#include <stdio.h>
#include <string.h>

#include "cuda/device.h"
#include "cuda/streams/capture.h"
#include "cuda/streams/event.h"
#include "cuda/streams/stream.h"
#include "device/capture_rules.h"
#include "tributary/internal/alloc.h"

enum { MAX_STREAMS = TRIB_MOST_CAPTURED_STREAMS };

struct trib_cuda_capture {
    trib_capture base;
    uint64_t id;
    trib_cuda_capture *next; /* among those being recorded */
    int stream_count;        /* while recording; the first began it */
    trib_cuda_stream *streams[MAX_STREAMS];
    bool abandoned[MAX_STREAMS]; /* destroyed by its owner meanwhile */
    trib_cuda_block *blocks;     /* pinned memory its copies pass through */
    cudaGraphExec_t graph;
};

static void lock(trib_cuda_device *device) { pthread_mutex_lock(&device->capture_lock); }
static void unlock(trib_cuda_device *device) { pthread_mutex_unlock(&device->capture_lock); }

uint64_t trib_cuda_capture_id(trib_cuda_stream *stream)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    if (!atomic_load(&stream->capture)) return 0;
    lock(device);
    trib_cuda_capture *capture = atomic_load(&stream->capture);
    uint64_t id = capture ? capture->id : 0;
    unlock(device);
    return id;
}

void trib_cuda_capture_keep(trib_cuda_stream *stream, trib_cuda_block *block)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    lock(device);
    trib_cuda_capture *capture = atomic_load(&stream->capture);
    if (capture) {
        block->next = capture->blocks;
        capture->blocks = block;
    }
    unlock(device);
    if (!capture) trib_cuda_block_give(device, block, stream->handle);
}

/* ---- the side stream, on which memory that any stream may use is freed ---- */

/* The lock keeps `stream` from beginning or joining a capture, which would include the record, and then the side
 * stream. */
static trib_status follow_locked(trib_cuda_device *device, const trib_cuda_stream *stream, cudaEvent_t reached)
{
    TRIB_CUDA_TRY(device, cudaEventRecord(reached, stream->handle));
    return TRIB_CUDA(device, cudaStreamWaitEvent(device->side->handle, reached, 0));
}

trib_status trib_cuda_side_follow(trib_cuda_device *device, trib_cuda_stream *stream, cudaEvent_t reached)
{
    lock(device);
    trib_status status = atomic_load(&stream->capture) ? trib_success() : follow_locked(device, stream, reached);
    unlock(device);
    return trib_outcome(&status);
}

/* While `stream` records, no stream can wait for its earlier work: the side stream does so now. */
static trib_status leave_to_side(trib_cuda_device *device, const trib_cuda_stream *stream)
{
    cudaEvent_t reached;
    TRIB_CUDA_TRY(device, cudaEventCreateWithFlags(&reached, cudaEventDisableTiming));
    trib_status status = follow_locked(device, stream, reached);
    TRIB_CUDA_NOTE(device, cudaEventDestroy(reached));
    return trib_outcome(&status);
}

/* ---- waiting: how a stream comes to take part ---- */

static trib_cuda_capture *find_recording(trib_cuda_device *device, uint64_t id)
{
    trib_cuda_capture *capture = device->recording;
    while (capture && capture->id != id) capture = capture->next;
    return capture;
}

static trib_status check_wait(trib_cuda_stream *stream, uint64_t id, const trib_cuda_capture *its)
{
    trib_cuda_capture *mine = atomic_load(&stream->capture);
    return trib_check_captured_wait(&(trib_captured_wait) { .stream = stream->name,
                                                            .own = mine,
                                                            .in_capture = id != 0,
                                                            .its = its,
                                                            .streams = its ? its->stream_count : 0 });
}

trib_status trib_cuda_capture_wait(trib_cuda_stream *stream, trib_cuda_event *event)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    lock(device);
    trib_cuda_capture *capture = find_recording(device, event->capture_id);
    trib_status status = check_wait(stream, event->capture_id, capture);
    if (!trib_failed(&status) && !atomic_load(&stream->capture)) status = leave_to_side(device, stream);
    if (!trib_failed(&status)) status = TRIB_CUDA(device, cudaStreamWaitEvent(stream->handle, event->handle, 0));
    if (!trib_failed(&status) && !atomic_load(&stream->capture)) {
        capture->streams[capture->stream_count++] = stream;
        atomic_store(&stream->capture, capture);
    }
    unlock(device);
    return status;
}

/* ---- begin ---- */

trib_status trib_cuda_capture_begin(trib_stream *base)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    if (atomic_load(&stream->capture)) return trib_refuse_second_capture(stream->name);
    trib_cuda_capture *capture = trib_alloc_zeroed(1, sizeof *capture);
    if (!capture) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "capture: out of memory");
    capture->base.device = base->device;
    capture->stream_count = 1;
    capture->streams[0] = stream;
    lock(device); /* held until both CUDA and we have begun: a free on another thread must not become part of it */
    trib_status status = leave_to_side(device, stream);
    if (!trib_failed(&status))
        status = TRIB_CUDA(device, cudaStreamBeginCapture(stream->handle, cudaStreamCaptureModeRelaxed));
    if (!trib_failed(&status)) {
        capture->id = ++device->capture_count;
        capture->next = device->recording;
        device->recording = capture;
        atomic_store(&stream->capture, capture);
    }
    unlock(device);
    if (trib_failed(&status)) trib_free(capture);
    return status;
}

/* ---- end ---- */

static void dispose(trib_cuda_capture *capture)
{
    trib_cuda_device *device = trib_cuda_of(capture->base.device);
    while (capture->blocks) {
        trib_cuda_block *block = capture->blocks;
        capture->blocks = block->next;
        trib_cuda_block_give_recorded(device, block);
    }
    trib_free(capture);
}

/* Whatever happened before, `stream` no longer captures afterwards, or the device is lost. */
static trib_status end_cuda_capture(trib_cuda_device *device, cudaStream_t stream, cudaGraph_t *graph)
{
    enum cudaStreamCaptureStatus now = cudaStreamCaptureStatusNone;
    cudaError_t error = cudaStreamEndCapture(stream, graph);
    if (error == cudaSuccess) return trib_success();
    trib_status status = trib_cuda_status(device, error, "cudaStreamEndCapture", __FILE__, __LINE__);
    trib_status again = TRIB_CUDA(device, cudaStreamIsCapturing(stream, &now));
    if (!trib_failed(&again) && now != cudaStreamCaptureStatusNone) {
        cudaGraph_t rest = NULL;
        again = TRIB_CUDA(device, cudaStreamEndCapture(stream, &rest));
        if (rest) TRIB_CUDA_NOTE(device, cudaGraphDestroy(rest));
    }
    if (trib_failed(&again)) trib_cuda_lose(device, &status);
    return status;
}

/* CUDA's error in words: the streams that may be meant. */
static trib_status explain(const trib_cuda_capture *capture, trib_status status)
{
    char others[200] = "";
    for (int i = 0; i < capture->stream_count; ++i) {
        if (capture->abandoned[i])
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                              "capture: stream \"%s\" was destroyed before it was joined back; nothing is kept",
                              capture->streams[i]->name);
        size_t used = strlen(others);
        if (i) snprintf(others + used, sizeof others - used, "%s\"%s\"", used ? ", " : "", capture->streams[i]->name);
    }
    const char *first = capture->streams[0]->name;
    if (status.vendor_code == cudaErrorStreamCaptureUnjoined)
        return TRIB_VENDOR_ERROR(TRIB_INVALID_ARGUMENT, status.vendor_code, "cudaStreamEndCapture",
                                 "capture: a stream (of %s) was not joined back into \"%s\"; record an event on it "
                                 "after its last work and let \"%s\" wait for it; nothing is kept",
                                 others, first, first);
    trib_add_context(&status, "capture of stream \"%s\"", first);
    return status;
}

/* Streams leave the capture; those destroyed by their owners meanwhile become available again. */
static trib_status stop_recording(trib_cuda_device *device, trib_cuda_capture *capture, cudaGraph_t *graph)
{
    lock(device);
    trib_cuda_capture **link = &device->recording;
    while (*link != capture) link = &(*link)->next;
    *link = capture->next;
    trib_status status = end_cuda_capture(device, capture->streams[0]->handle, graph);
    bool broken = false;
    for (int i = 0; i < capture->stream_count; ++i) {
        atomic_store(&capture->streams[i]->capture, NULL);
        broken = broken || capture->abandoned[i];
    }
    unlock(device);
    if (broken || trib_failed(&status)) status = explain(capture, status);
    for (int i = 0; i < capture->stream_count; ++i)
        if (capture->abandoned[i] && i) trib_cuda_stream_retire(capture->streams[i]);
    trib_cuda_free_captured(device, capture->id);
    return status;
}

/* What `stream` has begun, as a graph that is not instantiated yet. */
static trib_status end_recording(trib_stream *base, trib_cuda_capture **out, cudaGraph_t *graph)
{
    trib_cuda_stream *stream = (trib_cuda_stream *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    trib_status lost = trib_cuda_enter(device);
    lock(device);
    trib_cuda_capture *capture = atomic_load(&stream->capture);
    bool origin = capture && capture->streams[0] == stream;
    unlock(device);
    if (!origin) {
        TRIB_TRY(lost);
        return trib_refuse_capture_end(stream->name, capture != NULL);
    }
    trib_status status = stop_recording(device, capture, graph);
    if (!trib_failed(&status)) status = lost;
    if (trib_failed(&status)) {
        if (*graph) TRIB_CUDA_NOTE(device, cudaGraphDestroy(*graph));
        dispose(capture);
        return status;
    }
    *out = capture;
    return status;
}

trib_status trib_cuda_capture_end(trib_stream *stream, trib_capture **out)
{
    trib_cuda_device *device = trib_cuda_of(stream->device);
    trib_cuda_capture *capture = NULL;
    cudaGraph_t graph = NULL;
    TRIB_TRY(end_recording(stream, &capture, &graph));
    trib_status status = TRIB_CUDA(device, cudaGraphInstantiate(&capture->graph, graph, 0));
    TRIB_CUDA_NOTE(device, cudaGraphDestroy(graph));
    if (trib_failed(&status)) {
        dispose(capture);
        return status;
    }
    *out = &capture->base;
    return status;
}

/* Updates the instantiated graph if its shape allows that, otherwise replaces it. */
static trib_status update(trib_cuda_device *device, cudaGraphExec_t *instance, cudaGraph_t graph)
{
    cudaGraphExecUpdateResultInfo info;
    cudaGraphExec_t fresh = NULL;
    cudaError_t error = cudaGraphExecUpdate(*instance, graph, &info);
    if (error != cudaErrorGraphExecUpdateFailure)
        return trib_cuda_status(device, error, "cudaGraphExecUpdate", __FILE__, __LINE__);
    cudaGetLastError(); /* an answer, not a failure */
    TRIB_CUDA_TRY(device, cudaGraphInstantiate(&fresh, graph, 0));
    TRIB_CUDA_NOTE(device, cudaGraphExecDestroy(*instance));
    *instance = fresh;
    return trib_success();
}

trib_status trib_cuda_capture_replace(trib_stream *stream, trib_capture *base)
{
    trib_cuda_capture *capture = (trib_cuda_capture *)base, *fresh = NULL;
    trib_cuda_device *device = trib_cuda_of(stream->device);
    cudaGraph_t graph = NULL;
    TRIB_TRY(end_recording(stream, &fresh, &graph));
    trib_status status = update(device, &capture->graph, graph);
    TRIB_CUDA_NOTE(device, cudaGraphDestroy(graph));
    if (!trib_failed(
            &status)) { /* the pinned memory of the old work is freed once a running launch no longer needs it */
        trib_cuda_block *blocks = capture->blocks;
        capture->blocks = fresh->blocks;
        fresh->blocks = blocks;
    }
    dispose(fresh);
    return status;
}

bool trib_cuda_capture_abandon(trib_cuda_stream *stream)
{
    trib_cuda_device *device = trib_cuda_of(stream->base.device);
    lock(device);
    trib_cuda_capture *capture = atomic_load(&stream->capture);
    bool origin = capture && capture->streams[0] == stream;
    for (int i = 1; capture && !origin && i < capture->stream_count; ++i)
        if (capture->streams[i] == stream) capture->abandoned[i] = true;
    unlock(device);
    if (!origin) return capture == NULL;
    cudaGraph_t graph = NULL;
    stop_recording(device, capture, &graph); /* there is no caller to tell */
    if (graph) TRIB_CUDA_NOTE(device, cudaGraphDestroy(graph));
    dispose(capture);
    return true;
}

/* ---- launch ---- */

trib_status trib_cuda_capture_launch(trib_capture *base, trib_stream *target)
{
    trib_cuda_capture *capture = (trib_cuda_capture *)base;
    trib_cuda_stream *stream = (trib_cuda_stream *)target;
    trib_cuda_device *device = trib_cuda_of(base->device);
    TRIB_TRY(trib_cuda_enter(device));
    if (atomic_load(&stream->capture)) return trib_refuse_captured_launch(stream->name);
    TRIB_CUDA_TRY(device, cudaGraphLaunch(capture->graph, stream->handle));
    trib_status status = trib_success();
    for (trib_cuda_block *block = capture->blocks; block && !trib_failed(&status); block = block->next)
        status = TRIB_CUDA(device, cudaEventRecord(block->done, stream->handle));
    if (trib_failed(&status)) trib_cuda_drain(device, stream->handle); /* so that no block seems free too early */
    return trib_outcome(&status);
}

/* CUDA finishes a running launch; the pinned memory it uses must outlive it. */
void trib_cuda_capture_destroy(trib_capture *base)
{
    trib_cuda_capture *capture = (trib_cuda_capture *)base;
    trib_cuda_device *device = trib_cuda_of(base->device);
    trib_cuda_enter(device); /* the next call sees a failure */
    TRIB_CUDA_NOTE(device, cudaGraphExecDestroy(capture->graph));
    dispose(capture);
}

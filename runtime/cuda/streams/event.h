/* SPDX-License-Identifier: Apache-2.0
 * Events: CUDA's own, reused. */
#ifndef TRIBUTARY_RUNTIME_CUDA_STREAMS_EVENT_H
#define TRIBUTARY_RUNTIME_CUDA_STREAMS_EVENT_H

#include "cuda/device.h"

struct trib_cuda_event {
    trib_event base;
    pthread_mutex_t lock;
    cudaEvent_t handle;
    bool recorded;
    uint64_t capture_id; /* the capture its latest record belongs to; 0: none */
    trib_cuda_event *next;
};

trib_status trib_cuda_event_create(trib_device *device, trib_event **out);
void trib_cuda_event_destroy(trib_event *event);
trib_status trib_cuda_event_record(trib_event *event, trib_stream *stream);
trib_status trib_cuda_stream_wait(trib_stream *stream, trib_event *event);
trib_status trib_cuda_event_synchronize(trib_event *event);
trib_status trib_cuda_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds);
void trib_cuda_events_close(trib_cuda_device *device);

/* An event has no own name: it is named after the stream that records it. */
void trib_cuda_name_event(const trib_cuda_event *event, const trib_cuda_stream *stream);

#endif

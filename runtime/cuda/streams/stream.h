/* SPDX-License-Identifier: Apache-2.0
 * Streams: non-blocking CUDA streams, reused. */
#ifndef TRIBUTARY_RUNTIME_CUDA_STREAMS_STREAM_H
#define TRIBUTARY_RUNTIME_CUDA_STREAMS_STREAM_H

#include "cuda/device.h"

struct trib_cuda_stream {
    trib_stream base;
    cudaStream_t handle;
    char name[64];
    int priority; /* CUDA's number */
    bool idle;    /* destroyed by its owner, available to the next one */
    _Atomic(trib_cuda_capture *) capture;
    trib_cuda_stream *next;
    void *providers[TRIB_CUDA_MAX_PROVIDERS]; /* a provider's state for this stream, such as a library handle */
};

trib_status trib_cuda_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out);
void trib_cuda_stream_destroy(trib_stream *stream);
trib_status trib_cuda_stream_synchronize(trib_stream *stream);
/* Waits until `stream` is idle, by any means; if that is impossible, the device is lost. */
trib_status trib_cuda_drain(trib_cuda_device *device, cudaStream_t stream);
/* Waits until the whole device is idle, which `failure` makes necessary; if that is impossible, the device is lost. */
void trib_cuda_drain_all(trib_cuda_device *device, const trib_status *failure);
/* Makes a stream that its owner has destroyed available again. */
void trib_cuda_stream_retire(trib_cuda_stream *stream);
void trib_cuda_streams_close(trib_cuda_device *device);

/* The name a profiler shows (nvtx.c). */
void trib_cuda_name_stream(const trib_cuda_stream *stream);

#endif

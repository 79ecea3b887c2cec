/* SPDX-License-Identifier: Apache-2.0
 * Names of streams and events, for profilers. Without a profiler, a call tests a pointer. */
#include <nvtx3/nvToolsExtCudaRt.h>

#include "cuda/device.h"
#include "cuda/streams/event.h"
#include "cuda/streams/stream.h"

void trib_cuda_name_stream(const trib_cuda_stream *stream) { nvtxNameCudaStreamA(stream->handle, stream->name); }

void trib_cuda_name_event(const trib_cuda_event *event, const trib_cuda_stream *stream)
{
    nvtxNameCudaEventA(event->handle, stream->name);
}

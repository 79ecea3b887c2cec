/* SPDX-License-Identifier: Apache-2.0
 * A build without NVTX: names are only for error messages. */
#include "cuda/device.h"
#include "cuda/streams/event.h"
#include "cuda/streams/stream.h"

void trib_cuda_name_stream(const trib_cuda_stream *stream) { (void)stream; }

void trib_cuda_name_event(const trib_cuda_event *event, const trib_cuda_stream *stream)
{
    (void)event;
    (void)stream;
}

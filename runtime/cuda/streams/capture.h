/* SPDX-License-Identifier: Apache-2.0
 * Capture: CUDA graphs, and the streams that take part in one. */
#ifndef TRIBUTARY_RUNTIME_CUDA_STREAMS_CAPTURE_H
#define TRIBUTARY_RUNTIME_CUDA_STREAMS_CAPTURE_H

#include "cuda/device.h"

trib_status trib_cuda_capture_begin(trib_stream *stream);
trib_status trib_cuda_capture_end(trib_stream *stream, trib_capture **out);
trib_status trib_cuda_capture_replace(trib_stream *stream, trib_capture *capture);
trib_status trib_cuda_capture_launch(trib_capture *capture, trib_stream *stream);
void trib_cuda_capture_destroy(trib_capture *capture);
/* The id of the capture that `stream` records into, or 0. */
uint64_t trib_cuda_capture_id(trib_cuda_stream *stream);
/* Orders `stream` after an event that was recorded in capture `id`, or any event if `stream` is capturing (then `id`
 * may be 0); the stream joins the capture if necessary. */
trib_status trib_cuda_capture_wait(trib_cuda_stream *stream, trib_cuda_event *event);
/* Keeps `block` as long as the work that `stream` records may be launched. */
void trib_cuda_capture_keep(trib_cuda_stream *stream, trib_cuda_block *block);
/* Lets the side stream wait for the current work of `stream`, using `reached`. If `stream` is recording, it already
 * waited when the capture began. */
trib_status trib_cuda_side_follow(trib_cuda_device *device, trib_cuda_stream *stream, cudaEvent_t reached);
/* The owner of a capturing stream destroys it: its recording cannot be finished. False: it is still part of a capture,
 * whose end retires it. */
bool trib_cuda_capture_abandon(trib_cuda_stream *stream);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Capture: a stream's work is recorded and replayed later. */
#ifndef TRIBUTARY_RUNTIME_CPU_STREAMS_CAPTURE_H
#define TRIBUTARY_RUNTIME_CPU_STREAMS_CAPTURE_H

#include "cpu/streams/stream.h"

trib_status trib_cpu_capture_begin(trib_stream *stream);
trib_status trib_cpu_capture_end(trib_stream *stream, trib_capture **out);
trib_status trib_cpu_capture_replace(trib_stream *stream, trib_capture *capture);
trib_status trib_cpu_capture_launch(trib_capture *capture, trib_stream *stream);
void trib_cpu_capture_destroy(trib_capture *capture);
/* For a stream that is capturing: takes the item, and fails only if the capture cannot hold it. */
trib_status trib_cpu_capture_add(trib_cpu_stream *stream, trib_cpu_item *item);
/* Prepares `record` to stand for the present point of the capturing `stream`. */
trib_status trib_cpu_capture_stamp(trib_cpu_stream *stream, trib_cpu_record *record);
/* Orders `stream` after a record if either belongs to a capture; `stream` joins the capture if necessary. */
trib_status trib_cpu_capture_wait(trib_cpu_stream *stream, trib_cpu_record *record);
/* A stream is being destroyed: its recording cannot be finished. */
void trib_cpu_capture_abandon(trib_cpu_stream *stream);

#endif

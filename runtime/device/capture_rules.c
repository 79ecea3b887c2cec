/* SPDX-License-Identifier: Apache-2.0 */
#include "device/capture_rules.h"

#define INVALID(...) TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)

trib_status trib_check_captured_wait(const trib_captured_wait *w)
{
    if (!w->in_capture)
        return INVALID("stream \"%s\" is capturing and cannot wait for an event that was recorded outside the capture; "
                       "record it inside or wait before",
                       w->stream);
    if (!w->its)
        return INVALID("stream \"%s\": the event's latest record was made during a capture that has ended; record it "
                       "again outside",
                       w->stream);
    if (w->own && w->own != w->its) return INVALID("stream \"%s\": the event belongs to another capture", w->stream);
    if (!w->own && w->streams == TRIB_MOST_CAPTURED_STREAMS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "stream \"%s\": a capture holds at most %d streams", w->stream,
                          TRIB_MOST_CAPTURED_STREAMS);
    return trib_success();
}

trib_status trib_refuse_second_capture(const char *stream)
{
    return INVALID("stream \"%s\" is capturing already; end that capture first", stream);
}

trib_status trib_refuse_captured_synchronize(const char *stream)
{
    return INVALID("stream \"%s\" is capturing; end the capture before synchronising", stream);
}

trib_status trib_refuse_captured_launch(const char *stream)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED, "capture launch: stream \"%s\" is itself capturing", stream);
}

trib_status trib_refuse_capture_end(const char *stream, bool captured)
{
    return INVALID("stream \"%s\" did not begin a capture%s", stream,
                   captured ? "; end it on the stream that did" : "");
}

trib_status trib_refuse_captured_event(void)
{
    return INVALID("event: its latest record was made during a capture and has no time of its own; record it again "
                   "outside the capture");
}

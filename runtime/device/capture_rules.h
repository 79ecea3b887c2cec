/* SPDX-License-Identifier: Apache-2.0
 * What work may not be done while a stream records, the same on every device. The drivers ask, since what they ask
 * about is under their locks. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_CAPTURE_RULES_H
#define TRIBUTARY_RUNTIME_DEVICE_CAPTURE_RULES_H

#include <stdbool.h>

#include "tributary/status.h"

/* Streams of one capture. */
enum { TRIB_MOST_CAPTURED_STREAMS = 32 };

/* A wait of a stream for an event, one of which at least belongs to a capture. */
typedef struct trib_captured_wait {
    const char *stream; /* its name */
    const void *own;    /* the capture it records into; NULL: none */
    bool in_capture;    /* the event's latest record was made during a capture ... */
    const void *its;    /* ... which is this one; NULL: it has ended */
    int streams;        /* that take part in it */
} trib_captured_wait;

trib_status trib_check_captured_wait(const trib_captured_wait *wait);

/* `stream`: the name of a stream that records. */
trib_status trib_refuse_second_capture(const char *stream);
trib_status trib_refuse_captured_synchronize(const char *stream);
trib_status trib_refuse_captured_launch(const char *stream);
/* Of a stream that did not begin a capture; `captured`: it takes part in one. */
trib_status trib_refuse_capture_end(const char *stream, bool captured);
/* Of an event that was recorded during a capture: to be waited for by the host, or timed. */
trib_status trib_refuse_captured_event(void);

#endif

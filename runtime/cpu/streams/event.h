/* SPDX-License-Identifier: Apache-2.0
 * Events, and records: one recording of an event. */
#ifndef TRIBUTARY_RUNTIME_CPU_STREAMS_EVENT_H
#define TRIBUTARY_RUNTIME_CPU_STREAMS_EVENT_H

#include <stdatomic.h>

#include "cpu/device.h"

/* Reached once the recording stream gets there; shared by the event, the queue item that reaches it and the items that
 * wait for it. Replays of a capture reach the same record again, each with the next epoch. */
typedef struct trib_cpu_record {
    atomic_int references;
    uint64_t capture_id; /* 0: not made while capturing */
    uint64_t *clock;     /* capture only: items of each lane that precede this record */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t epoch;
    int64_t nanoseconds;
    trib_status status; /* failure of the recording stream so far */
} trib_cpu_record;

trib_cpu_record *trib_cpu_record_create(void); /* NULL: out of memory */
void trib_cpu_record_retain(trib_cpu_record *record);
void trib_cpu_record_release(trib_cpu_record *record); /* NULL is fine */
void trib_cpu_record_reach(trib_cpu_record *record, uint64_t epoch, const trib_status *failure);
/* Blocks until `epoch` is reached; returns the failure the recording stream had then. */
trib_status trib_cpu_record_wait(trib_cpu_record *record, uint64_t epoch);

trib_status trib_cpu_event_create(trib_device *device, trib_event **out);
void trib_cpu_event_destroy(trib_event *event);
trib_status trib_cpu_event_record(trib_event *event, trib_stream *stream);
trib_status trib_cpu_stream_wait(trib_stream *stream, trib_event *event);
trib_status trib_cpu_event_synchronize(trib_event *event);
trib_status trib_cpu_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds);

#endif

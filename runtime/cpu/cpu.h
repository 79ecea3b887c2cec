/* SPDX-License-Identifier: Apache-2.0
 * The CPU device: streams are worker threads with a queue of work, events are recorded by those threads, and every
 * piece of work holds as many of the device's core tokens as it uses threads, so that no more threads run than there
 * are cores. */
#ifndef TRIBUTARY_RUNTIME_CPU_CPU_H
#define TRIBUTARY_RUNTIME_CPU_CPU_H

#include <pthread.h>
#include <stdatomic.h>

#include "cpu/tokens.h"
#include "device/driver.h"

typedef struct trib_cpu_capture trib_cpu_capture;
typedef struct trib_cpu_op trib_cpu_op;
struct trib_onednn;

typedef struct trib_cpu_device {
    trib_device base;
    trib_cpu_tokens tokens;
    pthread_mutex_t memory_lock;
    trib_memory_stats memory, host_memory; /* under memory_lock */
    /* Guards everything about captures that are being recorded: streams' `capture` and `lane`, and the list below. */
    pthread_mutex_t capture_lock;
    trib_cpu_capture *recording; /* linked by `next` */
    uint64_t capture_count;
    struct trib_onednn *onednn; /* NULL: built without it */
} trib_cpu_device;

/* ---- records: one recording of an event (event.c) ---- */

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

/* ---- streams (stream.c) ---- */

typedef enum trib_cpu_work {
    TRIB_CPU_COPY,
    TRIB_CPU_ZERO,
    TRIB_CPU_FREE,
    TRIB_CPU_OP,
    TRIB_CPU_RECORD,
    TRIB_CPU_WAIT,   /* follows a record, and takes over its stream's failure */
    TRIB_CPU_FOLLOW, /* follows a record, whatever became of it: it was reported to whoever launched it */
    TRIB_CPU_FORGIVE /* forgets the stream's failure: the start of a replay on a stream nobody synchronises */
} trib_cpu_work;

static inline bool trib_cpu_has_record(trib_cpu_work work)
{
    return work == TRIB_CPU_RECORD || work == TRIB_CPU_WAIT || work == TRIB_CPU_FOLLOW;
}

typedef struct trib_cpu_item {
    struct trib_cpu_item *next;
    trib_cpu_work work;
    union {
        struct {
            void *target;
            const void *source;
            size_t bytes;
        } copy; /* also zero */
        void *memory;
        struct {
            trib_cpu_op *op;
            const void *inputs[TRIB_MAX_INPUTS];
            void *outputs[TRIB_MAX_OUTPUTS];
            void *workspace;
        } run;
        struct {
            trib_cpu_record *record;
            uint64_t epoch;
        } event;
    };
} trib_cpu_item;

typedef struct trib_cpu_list {
    trib_cpu_item *first, *last;
} trib_cpu_list;

typedef struct trib_cpu_stream {
    trib_stream base;
    pthread_t thread;
    char name[16]; /* what the kernel keeps of a thread's name */
    int threads;   /* most cores an op may use */
    pthread_mutex_t lock;
    pthread_cond_t arrived, drained;
    trib_cpu_list queue;
    trib_cpu_item *spare; /* used items, kept so that steady work allocates nothing */
    bool busy, stopping;
    trib_status failure;                 /* first since the last synchronisation; later work is skipped */
    _Atomic(trib_cpu_capture *) capture; /* the capture this stream records into, or NULL */
    int lane;                            /* which of its lanes */
    int omp_threads;                     /* worker only: what its OpenMP team is set to */
    struct dnnl_stream *dnnl;            /* NULL without oneDNN */
} trib_cpu_stream;

static inline trib_cpu_device *trib_cpu_of(trib_device *device) { return (trib_cpu_device *)device; }

trib_status trib_cpu_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out);
void trib_cpu_stream_destroy(trib_stream *stream);
trib_status trib_cpu_stream_synchronize(trib_stream *stream);
/* All memory is host memory: one copy for every direction. A NULL source means zeros. */
trib_status trib_cpu_copy(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cpu_fill_zero(trib_stream *stream, void *target, size_t bytes);
/* Waits for the queue to empty; leaves the stream's failure alone. */
void trib_cpu_stream_drain(trib_cpu_stream *stream);

/* An item from the stream's spares or new; NULL when out of memory. */
trib_cpu_item *trib_cpu_item_take(trib_cpu_stream *stream, trib_cpu_work work);
/* Gives up what the items hold and keeps them as spares. */
void trib_cpu_items_drop(trib_cpu_stream *stream, trib_cpu_list *list);
/* Takes references for a copy of `source`. */
void trib_cpu_item_copy(trib_cpu_item *target, const trib_cpu_item *source);
/* Gives up the references an item holds. */
void trib_cpu_item_release(trib_cpu_item *item);
void trib_cpu_list_append(trib_cpu_list *list, trib_cpu_item *item);
/* Takes the item over: queues it, or records it when the stream is capturing. Fails only when a capture ended
 * meanwhile. */
trib_status trib_cpu_submit(trib_cpu_stream *stream, trib_cpu_item *item);
/* Queues all items, capturing or not. */
void trib_cpu_enqueue(trib_cpu_stream *stream, trib_cpu_list *list);

/* ---- memory (memory.c) ---- */

trib_status trib_cpu_alloc(trib_device *device, trib_stream *stream, size_t bytes, void **out);
void trib_cpu_free(trib_device *device, trib_stream *stream, void *memory);
/* Now, not in stream order. */
void trib_cpu_free_now(trib_cpu_device *device, void *memory);
trib_memory_stats trib_cpu_memory(const trib_device *device);
void trib_cpu_set_memory_limit(trib_device *device, int64_t bytes);
trib_status trib_cpu_host_alloc(trib_device *device, size_t bytes, void **out);
void trib_cpu_host_free(trib_device *device, void *memory);
trib_memory_stats trib_cpu_host_memory(const trib_device *device);
void trib_cpu_host_set_memory_limit(trib_device *device, int64_t bytes);

/* ---- events (event.c) ---- */

trib_status trib_cpu_event_create(trib_device *device, trib_event **out);
void trib_cpu_event_destroy(trib_event *event);
trib_status trib_cpu_event_record(trib_event *event, trib_stream *stream);
trib_status trib_cpu_stream_wait(trib_stream *stream, trib_event *event);
trib_status trib_cpu_event_synchronize(trib_event *event);
trib_status trib_cpu_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds);

/* ---- capture (capture.c) ---- */

trib_status trib_cpu_capture_begin(trib_stream *stream);
trib_status trib_cpu_capture_end(trib_stream *stream, trib_capture **out);
trib_status trib_cpu_capture_replace(trib_stream *stream, trib_capture *capture);
trib_status trib_cpu_capture_launch(trib_capture *capture, trib_stream *stream);
void trib_cpu_capture_destroy(trib_capture *capture);
/* Called for a stream that is capturing: takes the item over, and fails only when the capture cannot hold it. */
trib_status trib_cpu_capture_add(trib_cpu_stream *stream, trib_cpu_item *item);
/* Prepares `record` to stand for the present point of the capturing `stream`. */
trib_status trib_cpu_capture_stamp(trib_cpu_stream *stream, trib_cpu_record *record);
/* Orders `stream` after a record, where either of them belongs to a capture; `stream` joins it if it must. */
trib_status trib_cpu_capture_wait(trib_cpu_stream *stream, trib_cpu_record *record);
/* A stream is going away: what it was recording cannot be finished. */
void trib_cpu_capture_abandon(trib_cpu_stream *stream);

#endif

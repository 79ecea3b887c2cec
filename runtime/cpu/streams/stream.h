/* SPDX-License-Identifier: Apache-2.0
 * Streams: the items of their queues, and the worker threads that take them. */
#ifndef TRIBUTARY_RUNTIME_CPU_STREAMS_STREAM_H
#define TRIBUTARY_RUNTIME_CPU_STREAMS_STREAM_H

#include <stdatomic.h>

#include "cpu/device.h"
#include "cpu/streams/event.h"
#include "cpu/streams/team.h"
#include "device/observe.h"

typedef struct trib_cpu_op trib_cpu_op;

/* An op of an observed run; while it is recorded, the run is NULL, and each launch brings its own. */
typedef struct trib_cpu_observed {
    trib_observed_run *run;
    int op; /* below 0: none */
} trib_cpu_observed;

static const trib_cpu_observed trib_cpu_unobserved = { 0, -1 };

typedef enum trib_cpu_work {
    TRIB_CPU_COPY,
    TRIB_CPU_ZERO,
    TRIB_CPU_FREE,
    TRIB_CPU_OP,
    TRIB_CPU_PACK, /* the parameters of an op */
    TRIB_CPU_RECORD,
    TRIB_CPU_WAIT,   /* follows a record, and takes over its stream's failure */
    TRIB_CPU_FOLLOW, /* follows a record even if it failed: the launching stream reports that */
    TRIB_CPU_FORGIVE /* clears the stream's failure: the start of a replay on a stream that is never synchronised */
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
            const void *packed;
            void *workspace;
            trib_cpu_observed observed;
        } run;
        struct {
            trib_cpu_op *op;
            trib_op_parameters parameters;
            void *packed, *workspace;
        } pack;
        struct {
            trib_cpu_record *record;
            uint64_t epoch;
        } event;
    };
} trib_cpu_item;

/* The op of the item; NULL: none. */
static inline trib_cpu_op *trib_cpu_item_op(const trib_cpu_item *item)
{
    return item->work == TRIB_CPU_OP ? item->run.op : item->work == TRIB_CPU_PACK ? item->pack.op : NULL;
}

typedef struct trib_cpu_list {
    trib_cpu_item *first, *last;
} trib_cpu_list;

typedef struct trib_cpu_stream {
    trib_stream base;
    pthread_t thread;
    char name[16]; /* the kernel's limit for names of threads */
    int threads;   /* maximum cores of an op */
    pthread_mutex_t lock;
    pthread_cond_t arrived, drained;
    trib_cpu_list queue;
    trib_cpu_item *spare; /* used items, kept so that steady work allocates nothing */
    bool busy, stopping;
    trib_status failure;                 /* first since the last synchronisation; later work is skipped */
    _Atomic(trib_cpu_capture *) capture; /* the capture this stream records into, or NULL */
    int lane;                            /* which of its lanes */
    trib_cpu_observed observed;          /* what ops given now belong to, and launches; of the thread that gives them */
    /* Of the worker only: */
    int omp_threads;      /* the size of its OpenMP team */
    trib_cpu_worker self; /* its team has threads - 1 helpers, created when an op first needs them */
} trib_cpu_stream;

trib_status trib_cpu_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out);
void trib_cpu_stream_destroy(trib_stream *stream);
trib_status trib_cpu_stream_synchronize(trib_stream *stream);
/* All memory is host memory: one copy for every direction. A NULL source means zeros. */
trib_status trib_cpu_copy(trib_stream *stream, void *target, const void *source, size_t bytes);
trib_status trib_cpu_fill_zero(trib_stream *stream, void *target, size_t bytes);
/* Waits for the queue to empty; leaves the stream's failure alone. */
void trib_cpu_stream_drain(trib_cpu_stream *stream);

/* An item from the stream's spares, or a new one; NULL if out of memory. */
trib_cpu_item *trib_cpu_item_take(trib_cpu_stream *stream, trib_cpu_work work);
/* Releases the items' references and keeps the items as spares. */
void trib_cpu_items_drop(trib_cpu_stream *stream, trib_cpu_list *list);
/* Takes references for a copy of `source`. */
void trib_cpu_item_copy(trib_cpu_item *target, const trib_cpu_item *source);
/* Releases an item's references. */
void trib_cpu_item_release(trib_cpu_item *item);
void trib_cpu_list_append(trib_cpu_list *list, trib_cpu_item *item);
/* Takes the item: queues it, or records it if the stream is capturing. Fails only if a capture ended meanwhile. */
trib_status trib_cpu_submit(trib_cpu_stream *stream, trib_cpu_item *item);
/* Queues all items, capturing or not. */
void trib_cpu_enqueue(trib_cpu_stream *stream, trib_cpu_list *list);

#endif

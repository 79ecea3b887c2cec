/* SPDX-License-Identifier: Apache-2.0
 * What the loader's files share.
 *
 * Items become records in a queue, in source order. A good item needs a row of pixels, and gets one when it is handed
 * to a worker, before anybody knows whether it is good: a row of the newest started buffer, so that in the usual case
 * the first `batch_size` records fill the first started buffer and a batch is ready as it lies. A failed record leaves
 * a hole in its buffer. While that buffer is the newest, the next item takes the hole; later, the batch takes its
 * missing rows out of the next buffer (one copy of a row), which leaves the hole there. */
#ifndef TRIB_DATA_LOADER_STATE_H
#define TRIB_DATA_LOADER_STATE_H

#include <pthread.h>
#include <time.h>

#include "data/load.h"
#include "tributary/dataset.h"

/* So many records beyond the rows may wait: a batch is cut short when this many failed items lie in it, because what
 * waits must stay bounded. */
enum { TRIB_LOADER_SPARE_RECORDS = 1024 };

typedef enum trib_buffer_state { BUFFER_FREE = 0, BUFFER_STARTED, BUFFER_OUT } trib_buffer_state;

typedef struct trib_batch_buffer {
    trib_batch batch; /* what the caller sees while it is out */
    unsigned char *pixels;
    trib_batch_item *items; /* room for all records */
    int *free_rows, free_count;
    trib_buffer_state state;
    struct trib_batch_buffer *newer; /* started after this one */
} trib_batch_buffer;

typedef struct trib_record {
    trib_batch_item item; /* its name is owned, and goes to the batch */
    bool done;
    trib_batch_buffer *buffer; /* where its row is; NULL: it has none */
    int row;
} trib_record;

struct trib_loader {
    trib_source *source;
    trib_device *device; /* whose host memory pixels lie in; NULL: ordinary memory */
    trib_loading loading;
    int batch_size, buffer_count, worker_count;
    pthread_t *workers;
    int workers_started;
    uint64_t process; /* that created it: the only one that has the workers */

    /* Held by the worker that reads the source, also while it waits for a row; taken before `lock`. */
    pthread_mutex_t source_lock;
    int64_t skip; /* items still to pass over; under source_lock */

    pthread_mutex_t lock; /* for all that follows */
    pthread_cond_t ready; /* a batch can be formed, or none will come */
    pthread_cond_t space; /* rows or records became free */
    bool stop, cancelled, ended;
    trib_status source_status;                    /* why the source ended, ok at its regular end */
    trib_batch_buffer *buffers, *oldest, *newest; /* started ones, linked by `newer` */
    int *row_taken;                               /* scratch for forming a batch */
    trib_record *records;                         /* ring */
    int first, count, capacity;
    int scanned, scanned_good; /* done records at the queue's front, up to one batch */
    trib_loader_stats stats;
};

/* All with loader->lock held. */
trib_record *trib_loader_record(trib_loader *loader, int i); /* i-th in the queue */
bool trib_loader_has_space(const trib_loader *loader);
/* Appends a record, with a row when it `needs_row`. There must be space. */
trib_record *trib_loader_append(trib_loader *loader, bool needs_row);
/* The record's outcome is known; returns its row when it failed, and tells who waits. */
void trib_loader_settle(trib_loader *loader, trib_record *record, const trib_status *status);
/* True when trib_loader_form would make a batch. */
bool trib_loader_can_form(trib_loader *loader);
/* Makes the front of the queue a batch. Only when it can be formed and the caller does not hold all buffers. */
const trib_batch *trib_loader_form(trib_loader *loader);

void *trib_loader_worker(void *loader);

static inline double trib_loader_now(void) /* seconds */
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif

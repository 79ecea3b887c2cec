/* SPDX-License-Identifier: Apache-2.0
 * What the loader's files share.
 *
 * Items become records in a queue, in source order. A good item needs a row of pixels. It gets one when it is handed to
 * a worker, before it is known to be good: a row of the newest started buffer, so that usually the first `batch_size`
 * records fill the first buffer, and a batch is ready as it lies. A failed record leaves a hole in its buffer. While
 * that buffer is the newest, the next item takes the hole; later, the batch copies its missing rows from the next
 * buffer, which leaves the hole there. */
#ifndef TRIB_DATA_LOADER_STATE_H
#define TRIB_DATA_LOADER_STATE_H

#include "data/pull.h"
#include "tributary/dataset.h"

/* This many records may wait beyond the rows: a batch is cut short when it has this many failed items, because the
 * queue must be bounded. */
enum { TRIB_LOADER_SPARE_RECORDS = 1024 };

typedef enum trib_buffer_state { BUFFER_FREE = 0, BUFFER_STARTED, BUFFER_OUT } trib_buffer_state;

typedef struct trib_batch_buffer {
    trib_batch batch; /* what the caller sees while it holds the buffer */
    unsigned char *pixels;
    trib_batch_item *items; /* room for all records */
    int *free_rows, free_count;
    trib_buffer_state state;
    struct trib_batch_buffer *newer; /* the buffer started after this one */
} trib_batch_buffer;

typedef struct trib_record {
    trib_batch_item item; /* its name is owned, and passes to the batch */
    bool done;
    trib_batch_buffer *buffer; /* where its row is; NULL: it has none */
    int row;
} trib_record;

struct trib_loader {
    trib_loader_base base; /* its lock protects everything from `buffers` on */
    trib_pull pull;
    trib_device *device; /* its host memory holds the pixels; NULL: ordinary memory */
    int batch_size, buffer_count;

    trib_batch_buffer *buffers, *oldest, *newest; /* started buffers, linked by `newer` */
    int *row_taken;                               /* scratch for forming a batch */
    trib_record *records;                         /* ring */
    int first, count, capacity;
    int scanned, scanned_good; /* finished records at the front of the queue, up to one batch */
    trib_loader_stats stats;
};

/* Call all of these with the lock held. */
trib_record *trib_loader_record(trib_loader *loader, int i); /* the i-th in the queue */
bool trib_loader_has_space(const trib_loader *loader);
/* Appends a record, with a row if it `needs_row`. There must be space. */
trib_record *trib_loader_append(trib_loader *loader, bool needs_row);
/* Sets the record's outcome, returns its row if it failed, and wakes waiters. */
void trib_loader_settle(trib_loader *loader, trib_record *record, const trib_status *status);
/* True if trib_loader_form would make a batch. */
bool trib_loader_can_form(trib_loader *loader);
/* Turns the front of the queue into a batch. Only if one can be formed and the caller does not hold all buffers. */
const trib_batch *trib_loader_form(trib_loader *loader);

void *trib_loader_worker(void *loader);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The loader's queue of records, the rows they fill, and how batches come out of it. */
#include <string.h>

#include "data/loader_state.h"

trib_record *trib_loader_record(trib_loader *loader, int i)
{
    return &loader->records[(loader->first + i) % loader->capacity];
}

static trib_batch_buffer *find_free(const trib_loader *loader)
{
    for (int i = 0; i < loader->buffer_count; ++i) {
        if (loader->buffers[i].state == BUFFER_FREE) return &loader->buffers[i];
    }
    return NULL;
}

bool trib_loader_has_space(const trib_loader *loader)
{
    if (loader->count == loader->capacity) return false;
    return (loader->newest && loader->newest->free_count) || find_free(loader);
}

/* The caller knows that one is free. */
static trib_batch_buffer *start_buffer(trib_loader *loader)
{
    trib_batch_buffer *buffer = find_free(loader);
    buffer->state = BUFFER_STARTED;
    buffer->newer = NULL;
    buffer->free_count = loader->batch_size;
    for (int i = 0; i < loader->batch_size; ++i) buffer->free_rows[i] = loader->batch_size - 1 - i;
    if (loader->newest)
        loader->newest->newer = buffer;
    else
        loader->oldest = buffer;
    loader->newest = buffer;
    return buffer;
}

trib_record *trib_loader_append(trib_loader *loader, bool needs_row)
{
    trib_record *record = trib_loader_record(loader, loader->count++);
    memset(record, 0, sizeof *record);
    if (!needs_row) return record;
    if (!loader->newest || !loader->newest->free_count) start_buffer(loader);
    record->buffer = loader->newest;
    record->row = record->buffer->free_rows[--record->buffer->free_count];
    return record;
}

static void return_row(trib_record *record)
{
    if (record->buffer) record->buffer->free_rows[record->buffer->free_count++] = record->row;
    record->buffer = NULL;
}

void trib_loader_settle(trib_loader *loader, trib_record *record, const trib_status *status)
{
    record->done = true;
    record->item.status = *status;
    if (trib_failed(status)) {
        ++loader->stats.failed;
        return_row(record);
        pthread_cond_broadcast(&loader->base.space);
    } else {
        ++loader->stats.decoded;
    }
    if (trib_loader_can_form(loader)) pthread_cond_signal(&loader->base.ready);
}

bool trib_loader_can_form(trib_loader *loader)
{
    while (loader->scanned < loader->count && loader->scanned_good < loader->batch_size) {
        const trib_record *record = trib_loader_record(loader, loader->scanned);
        if (!record->done) return false;
        loader->scanned_good += !trib_failed(&record->item.status);
        ++loader->scanned;
    }
    if (loader->scanned_good == loader->batch_size) return true;
    return loader->count && (loader->pull.ended || loader->count == loader->capacity);
}

/* Collects the first `good` rows of a batch in rows 0 .. good-1 of its own buffer. */
static void gather_rows(trib_loader *loader, trib_batch_buffer *buffer, int good)
{
    int *taken = loader->row_taken, hole = 0;
    memset(taken, 0, (size_t)loader->batch_size * sizeof *taken);
    for (int i = 0; i < loader->scanned; ++i) {
        const trib_record *record = trib_loader_record(loader, i);
        if (record->buffer == buffer) taken[record->row] = 1;
    }
    for (int i = 0; i < loader->scanned; ++i) {
        trib_record *record = trib_loader_record(loader, i);
        if (!record->buffer || (record->buffer == buffer && record->row < good)) continue;
        while (taken[hole]) ++hole;
        memcpy(buffer->pixels + (size_t)hole * loader->base.loading.row_bytes,
               record->buffer->pixels + (size_t)record->row * loader->base.loading.row_bytes,
               loader->base.loading.row_bytes);
        return_row(record);
        record->buffer = buffer;
        record->row = hole;
        taken[hole] = 1;
    }
}

const trib_batch *trib_loader_form(trib_loader *loader)
{
    trib_batch_buffer *buffer = loader->oldest ? loader->oldest : start_buffer(loader);
    gather_rows(loader, buffer, loader->scanned_good);
    for (int i = 0; i < loader->scanned; ++i) {
        trib_record *record = trib_loader_record(loader, i);
        buffer->items[i] = record->item;
        buffer->items[i].slot = record->buffer ? record->row : -1;
    }
    buffer->batch = (trib_batch) { .count = loader->scanned_good,
                                   .pixels = buffer->pixels,
                                   .dtype = loader->base.loading.dtype,
                                   .item_count = loader->scanned,
                                   .items = buffer->items };
    loader->first = (loader->first + loader->scanned) % loader->capacity;
    loader->count -= loader->scanned;
    loader->scanned = loader->scanned_good = 0;
    loader->oldest = buffer->newer;
    if (!loader->oldest) loader->newest = NULL;
    buffer->state = BUFFER_OUT;
    pthread_cond_broadcast(&loader->base.space);
    return &buffer->batch;
}

/* SPDX-License-Identifier: Apache-2.0
 * A loader's worker: takes the next item of the source, then loads it into its row. */
#include "data/loader_state.h"

/* Puts the item into the queue as soon as there is space; its name goes to the record. NULL: the loader stops. */
static trib_record *enqueue(trib_loader *loader, trib_item *item)
{
    trib_record *record = NULL;
    pthread_mutex_lock(&loader->base.lock);
    while (!loader->base.stop && !trib_loader_has_space(loader))
        pthread_cond_wait(&loader->base.space, &loader->base.lock);
    if (!loader->base.stop) {
        bool failed = trib_failed(&item->status);
        record = trib_loader_append(loader, !failed);
        record->item = (trib_batch_item) { .index = item->index, .name = item->name, .label = item->label };
        item->name = NULL;
        if (failed) trib_loader_settle(loader, record, &item->status);
    }
    pthread_mutex_unlock(&loader->base.lock);
    return record;
}

static trib_record *take_next(trib_loader *loader, trib_item *item)
{
    pthread_mutex_lock(&loader->pull.lock);
    trib_record *record = trib_pull_next(&loader->pull, item) ? enqueue(loader, item) : NULL;
    pthread_mutex_unlock(&loader->pull.lock);
    return record;
}

static void work(trib_loader *loader, trib_record *record, trib_item *item)
{
    double begin = trib_seconds();
    unsigned char *row = record->buffer->pixels + (size_t)record->row * loader->base.loading.row_bytes;
    const char *note;
    trib_status s = trib_load_item(&loader->base.loading, item, record->item.name, 0, row, &note);
    double seconds = trib_seconds() - begin;
    pthread_mutex_lock(&loader->base.lock);
    loader->stats.decode_seconds += seconds;
    record->item.note = note;
    trib_loader_settle(loader, record, &s);
    pthread_mutex_unlock(&loader->base.lock);
}

void *trib_loader_worker(void *argument)
{
    trib_loader *loader = argument;
    for (;;) {
        trib_item item = { .label = TRIB_NO_LABEL };
        trib_record *record = take_next(loader, &item);
        if (record && !trib_failed(&item.status)) work(loader, record, &item);
        trib_item_release(&item);
        if (!record) return NULL;
    }
}

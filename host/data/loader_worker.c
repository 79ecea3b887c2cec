/* SPDX-License-Identifier: Apache-2.0
 * A loader's worker: takes the next item of the source, then reads, decodes and preprocesses it into its row. */
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "data/loader_state.h"
#include "tributary/internal/alloc.h"

static bool stopping(trib_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    bool stop = loader->stop || loader->ended;
    pthread_mutex_unlock(&loader->lock);
    return stop;
}

/* The source gives nothing more. */
static void end_source(trib_loader *loader, const trib_status *status)
{
    pthread_mutex_lock(&loader->lock);
    loader->ended = true;
    loader->source_status = *status;
    pthread_cond_signal(&loader->ready);
    pthread_mutex_unlock(&loader->lock);
}

/* Reads one item that is not to be skipped. False: there is none, or the loader stops. Under source_lock. */
static bool read_source(trib_loader *loader, trib_item *item)
{
    while (!stopping(loader)) {
        bool end = false;
        trib_status s = trib_source_next(loader->source, item, &end);
        if (trib_failed(&s) || end) {
            end_source(loader, &s);
            return false;
        }
        if (!loader->skip) return true;
        --loader->skip;
        trib_item_release(item);
    }
    return false;
}

/* Puts the item into the queue as soon as there is space; its name goes to the record. NULL: the loader stops. */
static trib_record *enqueue(trib_loader *loader, trib_item *item)
{
    trib_record *record = NULL;
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop && !trib_loader_has_space(loader)) pthread_cond_wait(&loader->space, &loader->lock);
    if (!loader->stop) {
        bool failed = trib_failed(&item->status);
        record = trib_loader_append(loader, !failed);
        record->item = (trib_batch_item) { .index = item->index, .name = item->name, .label = item->label };
        item->name = NULL;
        if (failed) trib_loader_settle(loader, record, &item->status);
    }
    pthread_mutex_unlock(&loader->lock);
    return record;
}

static trib_record *take_next(trib_loader *loader, trib_item *item)
{
    trib_record *record = NULL;
    pthread_mutex_lock(&loader->source_lock);
    if (read_source(loader, item)) record = enqueue(loader, item);
    pthread_mutex_unlock(&loader->source_lock);
    return record;
}

/* To network input, or with raw pixels to the last step before it. */
static trib_status preprocess(const trib_loader *loader, const trib_image *image, void *row)
{
    if (loader->dtype == TRIB_F32) return trib_preprocess_image(loader->preprocess, image, loader->layout, row);
    trib_image crop;
    TRIB_TRY(trib_preprocess_pixels(loader->preprocess, image, &crop));
    memcpy(row, crop.pixels, loader->row_bytes);
    trib_image_release(&crop);
    return trib_success();
}

/* Frees the encoded bytes as soon as they are decoded: they may be large. */
static trib_status fill_row(const trib_loader *loader, trib_item *item, const char *name, void *row)
{
    if (!item->image.pixels && !item->bytes)
        TRIB_TRY(trib_read_whole(item->path, &item->bytes, &item->size)); /* names the file in its messages */
    trib_status s = trib_success();
    if (!item->image.pixels) s = trib_image_decode(item->bytes, item->size, &loader->decode, &item->image);
    trib_free(item->bytes);
    item->bytes = NULL;
    if (!trib_failed(&s)) s = preprocess(loader, &item->image, row);
    trib_add_context(&s, "%s", trib_shorten(name).text);
    return s;
}

static void work(trib_loader *loader, trib_record *record, trib_item *item)
{
    double begin = trib_loader_now();
    unsigned char *row = record->buffer->pixels + (size_t)record->row * loader->row_bytes;
    trib_status s = fill_row(loader, item, record->item.name, row);
    double seconds = trib_loader_now() - begin;
    pthread_mutex_lock(&loader->lock);
    loader->stats.decode_seconds += seconds;
    trib_loader_settle(loader, record, &s);
    pthread_mutex_unlock(&loader->lock);
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

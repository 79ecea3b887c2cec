/* SPDX-License-Identifier: Apache-2.0
 * Creates and destroys loaders, and serves their callers. */
#include <string.h>

#include "data/input.h"
#include "data/loader_state.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"

static trib_status check(const trib_source *source, const trib_loader_options *options)
{
    TRIB_TRY(trib_workers_check(options->batch_size, options->workers, options->prefetch));
    return trib_pull_check(source, options->skip);
}

static trib_status allocate_buffer(trib_loader *loader, trib_batch_buffer *buffer)
{
    size_t batch = (size_t)loader->batch_size, row_bytes = loader->base.loading.row_bytes;
    TRIB_TRY(trib_pixels_alloc(loader->device, loader->batch_size, row_bytes, loader->buffer_count, &buffer->pixels));
    buffer->items = trib_realloc_array(NULL, (size_t)loader->capacity, sizeof *buffer->items);
    buffer->free_rows = trib_realloc_array(NULL, batch, sizeof *buffer->free_rows);
    return buffer->items && buffer->free_rows ? trib_success() : trib_no_memory("loader");
}

static trib_status allocate(trib_loader *loader)
{
    loader->buffers = trib_alloc_zeroed((size_t)loader->buffer_count, sizeof *loader->buffers);
    loader->records = trib_alloc_zeroed((size_t)loader->capacity, sizeof *loader->records);
    loader->row_taken = trib_alloc_zeroed((size_t)loader->batch_size, sizeof *loader->row_taken);
    if (!loader->buffers || !loader->records || !loader->row_taken) return trib_no_memory("loader");
    for (int i = 0; i < loader->buffer_count; ++i) TRIB_TRY(allocate_buffer(loader, &loader->buffers[i]));
    return trib_success();
}

/* The base first: without it there is nothing to destroy. */
static trib_status make(trib_source *source, const trib_preprocess *preprocess, const trib_loader_options *options,
                        trib_loader **out)
{
    trib_loader *loader = trib_alloc_zeroed(1, sizeof *loader);
    if (!loader) return trib_no_memory("loader");
    trib_status s = trib_loader_base_open_rows(&loader->base, preprocess, options);
    if (trib_failed(&s)) {
        trib_free(loader);
        return s;
    }
    trib_pull_open(&loader->pull, &loader->base, source, options->skip);
    loader->device = options->device;
    loader->batch_size = options->batch_size;
    loader->buffer_count = (options->prefetch ? options->prefetch : TRIB_DEFAULT_PREFETCH) + 1;
    loader->capacity = loader->batch_size * loader->buffer_count + TRIB_LOADER_SPARE_RECORDS;
    *out = loader;
    return s;
}

trib_status trib_loader_create(trib_source *source, const trib_preprocess *preprocess,
                               const trib_loader_options *options, trib_loader **out)
{
    trib_loader *loader = NULL;
    TRIB_TRY(check(source, options));
    TRIB_TRY(make(source, preprocess, options, &loader));
    trib_status s = allocate(loader);
    int workers = options->workers ? options->workers : trib_workers_default();
    if (!trib_failed(&s)) s = trib_loader_base_start(&loader->base, workers, trib_loader_worker, loader);
    if (trib_failed(&s))
        trib_loader_destroy(loader);
    else
        *out = loader;
    return s;
}

static void free_names(const trib_batch_buffer *buffer)
{
    for (int i = 0; i < buffer->batch.item_count; ++i) trib_free((char *)buffer->items[i].name);
}

void trib_loader_destroy(trib_loader *loader)
{
    if (!loader || !trib_loader_base_is_here(&loader->base)) return;
    trib_pull_join(&loader->pull);
    for (int i = 0; i < loader->count; ++i) trib_free((char *)trib_loader_record(loader, i)->item.name);
    for (int i = 0; loader->buffers && i < loader->buffer_count; ++i) {
        trib_batch_buffer *buffer = &loader->buffers[i];
        if (buffer->state == BUFFER_OUT) free_names(buffer);
        trib_pixels_free(loader->device, buffer->pixels);
        trib_free(buffer->items);
        trib_free(buffer->free_rows);
    }
    trib_pull_close(&loader->pull);
    trib_free(loader->buffers);
    trib_free(loader->records);
    trib_free(loader->row_taken);
    trib_free(loader);
}

/* If no buffer is filled and none can be filled, waiting would never end. */
static bool all_out(const trib_loader *loader)
{
    for (int i = 0; i < loader->buffer_count; ++i) {
        if (loader->buffers[i].state != BUFFER_OUT) return false;
    }
    return true;
}

trib_status trib_loader_next(trib_loader *loader, const trib_batch **out)
{
    TRIB_TRY(trib_made_here(loader->base.process, "loader"));
    trib_status s = trib_success();
    double begin = trib_seconds();
    pthread_mutex_lock(&loader->base.lock);
    while (!loader->base.cancelled && !(loader->pull.ended && !loader->count) && !all_out(loader) &&
           !trib_loader_can_form(loader))
        pthread_cond_wait(&loader->base.ready, &loader->base.lock);
    if (loader->base.cancelled) {
        s = TRIB_ERROR(TRIB_CANCELLED, "loading was cancelled");
    } else if (loader->pull.ended && !loader->count) {
        s = loader->pull.status;
        if (!trib_failed(&s)) *out = NULL;
    } else if (all_out(loader)) {
        s = TRIB_ERROR(TRIB_INVALID_ARGUMENT, "all %d batches are in use; give one back first", loader->buffer_count);
    } else {
        *out = trib_loader_form(loader);
    }
    loader->stats.wait_seconds += trib_seconds() - begin;
    pthread_mutex_unlock(&loader->base.lock);
    return trib_outcome(&s);
}

void trib_loader_give_back(trib_loader *loader, const trib_batch *batch)
{
    if (!batch || !trib_loader_base_is_here(&loader->base)) return;
    pthread_mutex_lock(&loader->base.lock);
    for (int i = 0; i < loader->buffer_count; ++i) {
        trib_batch_buffer *buffer = &loader->buffers[i];
        if (&buffer->batch != batch || buffer->state != BUFFER_OUT) continue;
        free_names(buffer);
        buffer->batch.item_count = 0;
        buffer->state = BUFFER_FREE;
        pthread_cond_broadcast(&loader->base.space);
    }
    pthread_mutex_unlock(&loader->base.lock);
}

void trib_loader_cancel(trib_loader *loader)
{
    if (trib_loader_base_is_here(&loader->base)) trib_pull_stop(&loader->pull, true);
}

trib_loader_stats trib_loader_get_stats(const trib_loader *loader)
{
    trib_loader *l = (trib_loader *)loader; /* to lock it; nothing changes */
    if (!trib_loader_base_is_here(&l->base)) return (trib_loader_stats) { 0 };
    pthread_mutex_lock(&l->base.lock);
    trib_loader_stats stats = l->stats;
    pthread_mutex_unlock(&l->base.lock);
    return stats;
}

/* SPDX-License-Identifier: Apache-2.0
 * Creates and destroys training loaders, and serves their callers. */
#include "data/input.h"
#include "data/training_state.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/process.h"

trib_training_buffer *trib_training_buffer_of(trib_training_loader *loader, int64_t batch)
{
    return &loader->buffers[batch % loader->buffer_count];
}

int64_t trib_training_position_of(const trib_training_loader *loader, int64_t batch)
{
    int64_t left = loader->options.end - loader->options.position, size = loader->options.batch_size;
    return batch <= left / size ? loader->options.position + batch * size : loader->options.end;
}

/* ---- creating ---- */

static trib_status check(const trib_training_rows *rows, const trib_training_loader_options *o)
{
    TRIB_TRY(trib_workers_check(o->batch_size, o->workers, o->prefetch));
    if (o->position < 0 || o->end < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "position %lld, end %lld; neither may be negative",
                          (long long)o->position, (long long)o->end);
    if (o->sampling) TRIB_TRY(trib_sampling_check(o->sampling));
    long long count = rows->count;
    if (!count)
        return TRIB_ERROR(TRIB_NOT_FOUND, "there are no images for %s",
                          rows->part == TRIB_VALIDATION ? "validation" : "training");
    if (o->in_order || count >= o->batch_size) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%lld images are fewer than a batch of %d; use a batch size of at most %lld", count,
                      o->batch_size, count);
}

static void fill_in(trib_training_loader *loader, const trib_training_loader_options *options)
{
    trib_training_loader_options *o = &loader->options;
    *o = *options;
    if (o->sampling) loader->sampling = *o->sampling;
    if (o->sampling) loader->base.loading.sampling = &loader->sampling;
    o->sampling = NULL;
    if (!o->workers) o->workers = trib_workers_default();
    if (!o->prefetch) o->prefetch = TRIB_DEFAULT_PREFETCH;
    if (!o->end) o->end = INT64_MAX;
    if (o->in_order && o->end > loader->rows.count) o->end = loader->rows.count;
    if (o->position > o->end) o->position = o->end;
    loader->buffer_count = o->prefetch + 1;
}

static trib_status allocate_buffer(trib_training_loader *loader, trib_training_buffer *b)
{
    size_t batch = (size_t)loader->options.batch_size;
    TRIB_TRY(trib_pixels_alloc(loader->options.device, loader->options.batch_size, loader->base.loading.row_bytes,
                               loader->buffer_count, &b->pixels));
    b->labels = trib_alloc_zeroed(batch, sizeof *b->labels);
    b->samples = trib_alloc_zeroed(batch, sizeof *b->samples);
    b->names = trib_alloc_zeroed(batch, sizeof *b->names);
    return b->labels && b->samples && b->names ? trib_success() : trib_no_memory("loader");
}

static trib_status allocate(trib_training_loader *loader)
{
    loader->buffers = trib_alloc_zeroed((size_t)loader->buffer_count, sizeof *loader->buffers);
    loader->damaged = trib_alloc_zeroed((size_t)loader->images / 8 + 1, 1);
    if (!loader->buffers || !loader->damaged) return trib_no_memory("loader");
    for (int i = 0; i < loader->buffer_count; ++i) TRIB_TRY(allocate_buffer(loader, &loader->buffers[i]));
    return trib_success();
}

/* The base first: without it there is nothing to destroy. */
static trib_status make(const trib_training_rows *rows, const trib_preprocess *preprocess,
                        const trib_training_loader_options *o, trib_training_loader **out)
{
    trib_loader_options loading = {
        .layout = o->layout, .raw = o->raw, .decode = o->decode, .memory_limit = o->memory_limit
    };
    trib_training_loader *loader = trib_alloc_zeroed(1, sizeof *loader);
    if (!loader) return trib_no_memory("loader");
    trib_status s = trib_loader_base_open_rows(&loader->base, preprocess, &loading);
    if (trib_failed(&s)) {
        trib_free(loader);
        return s;
    }
    loader->rows = *rows;
    loader->images = trib_training_set_count(rows->set, rows->part);
    loader->failure = trib_success();
    fill_in(loader, o);
    *out = loader;
    return s;
}

trib_status trib_training_loader_create(const trib_training_set *set, const trib_preprocess *preprocess,
                                        const trib_training_loader_options *options, trib_training_loader **out)
{
    if (options->part != TRIB_TRAINING && options->part != TRIB_VALIDATION)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "part %d of a training set", (int)options->part);
    const trib_training_rows rows = trib_image_rows(set, options->part);
    return trib_training_loader_create_for(&rows, preprocess, options, out);
}

trib_status trib_training_loader_create_for(const trib_training_rows *rows, const trib_preprocess *preprocess,
                                            const trib_training_loader_options *options, trib_training_loader **out)
{
    trib_training_loader *loader = NULL;
    TRIB_TRY(trib_made_here(rows->set->process, "training set"));
    TRIB_TRY(check(rows, options));
    TRIB_TRY(make(rows, preprocess, options, &loader));
    trib_status s = allocate(loader);
    if (!trib_failed(&s))
        s = trib_loader_base_start(&loader->base, loader->options.workers, trib_training_worker, loader);
    if (trib_failed(&s))
        trib_training_loader_destroy(loader);
    else
        *out = loader;
    return s;
}

/* ---- destroying ---- */

static void free_buffer(const trib_training_loader *loader, trib_training_buffer *b)
{
    trib_pixels_free(loader->options.device, b->pixels);
    trib_free(b->labels);
    trib_free(b->samples);
    trib_free(b->names);
    trib_free(b->problems);
}

void trib_training_loader_destroy(trib_training_loader *loader)
{
    if (!loader || !trib_loader_base_is_here(&loader->base)) return;
    trib_loader_base_stop(&loader->base, false);
    trib_loader_base_join(&loader->base);
    for (int i = 0; loader->buffers && i < loader->buffer_count; ++i) free_buffer(loader, &loader->buffers[i]);
    trib_loader_base_close(&loader->base);
    trib_free(loader->buffers);
    trib_free(loader->damaged);
    trib_free(loader->list);
    trib_free(loader);
}

/* ---- batches ---- */

/* Waits until the next batch is made; NULL without failure: there is none. Call with the lock held. */
static trib_status wait_for_batch(trib_training_loader *loader, trib_training_buffer **out)
{
    trib_training_buffer *b = trib_training_buffer_of(loader, loader->given);
    *out = NULL;
    if (trib_training_position_of(loader, loader->given) >= loader->options.end) return trib_success();
    if (b->state == MAKING_OUT)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "all %d batches are in use; give one back first",
                          loader->buffer_count);
    while (!loader->base.cancelled && !(b->state == MAKING_STARTED && b->done == b->batch.count))
        pthread_cond_wait(&loader->base.ready, &loader->base.lock);
    if (loader->base.cancelled) return TRIB_ERROR(TRIB_CANCELLED, "loading was cancelled");
    *out = b;
    return trib_success();
}

/* Once failed, always failed: the batch is lost. */
static trib_status take_batch(trib_training_loader *loader, trib_training_buffer *b)
{
    loader->failure = trib_training_list_damaged(loader, b);
    if (trib_failed(&b->failure)) loader->failure = b->failure;
    if (trib_failed(&loader->failure)) return loader->failure;
    b->state = MAKING_OUT;
    ++loader->given;
    return trib_success();
}

trib_status trib_training_loader_next(trib_training_loader *loader, const trib_training_batch **out)
{
    trib_training_buffer *buffer = NULL;
    TRIB_TRY(trib_made_here(loader->base.process, "loader"));
    double begin = trib_seconds();
    pthread_mutex_lock(&loader->base.lock);
    trib_status s = trib_outcome(&loader->failure);
    if (!trib_failed(&s)) s = wait_for_batch(loader, &buffer);
    if (!trib_failed(&s) && buffer) s = take_batch(loader, buffer);
    if (!trib_failed(&s)) *out = buffer ? &buffer->batch : NULL;
    loader->stats.wait_seconds += trib_seconds() - begin;
    pthread_mutex_unlock(&loader->base.lock);
    return trib_outcome(&s);
}

void trib_training_loader_give_back(trib_training_loader *loader, const trib_training_batch *batch)
{
    if (!batch || !trib_loader_base_is_here(&loader->base)) return;
    pthread_mutex_lock(&loader->base.lock);
    for (int i = 0; i < loader->buffer_count; ++i) {
        trib_training_buffer *b = &loader->buffers[i];
        if (&b->batch != batch || b->state != MAKING_OUT) continue;
        b->state = MAKING_FREE;
        pthread_cond_broadcast(&loader->base.space);
    }
    pthread_mutex_unlock(&loader->base.lock);
}

void trib_training_loader_cancel(trib_training_loader *loader)
{
    if (trib_loader_base_is_here(&loader->base)) trib_loader_base_stop(&loader->base, true);
}

trib_training_loader_stats trib_training_loader_get_stats(const trib_training_loader *loader)
{
    trib_training_loader *l = (trib_training_loader *)loader; /* to lock it; nothing changes */
    if (!trib_loader_base_is_here(&l->base)) return (trib_training_loader_stats) { 0 };
    pthread_mutex_lock(&l->base.lock);
    trib_training_loader_stats stats = l->stats;
    pthread_mutex_unlock(&l->base.lock);
    return stats;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "data/workers.h"

#include <signal.h>

#include "data/input.h"
#include "tributary/cpus.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"
#include "tributary/internal/process.h"

enum { MAX_WORKERS = 1024, MAX_BATCH = 1 << 20, MAX_PREFETCH = 1024, PIXEL_ALIGNMENT = 64 };
/* MAX_BATCH rows of 16384 x 16384 pixels, the most that trib_preprocess_check allows, are 2^52 bytes. */
_Static_assert(sizeof(size_t) >= 8, "the bytes of a batch must fit into a size_t");

trib_status trib_workers_check(int batch_size, int workers, int prefetch)
{
    if (batch_size < 1 || batch_size > MAX_BATCH)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "batch size %d; it must be 1 .. %d", batch_size, MAX_BATCH);
    if (workers < 0 || workers > MAX_WORKERS)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d loader workers; it must be 0 .. %d", workers, MAX_WORKERS);
    if (prefetch < 0 || prefetch > MAX_PREFETCH)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d batches ahead; it must be 0 .. %d", prefetch, MAX_PREFETCH);
    return trib_success();
}

int trib_workers_default(void)
{
    int count = trib_cpus_get().count;
    return count < MAX_WORKERS ? count : MAX_WORKERS;
}

/* ---- the base ---- */

static trib_status make_locks(trib_loader_base *base)
{
    if (trib_fault("lock")) return trib_no_memory("loader");
    /* These need no memory and cannot fail with default attributes on Linux. */
    int failed = pthread_mutex_init(&base->lock, NULL) | pthread_cond_init(&base->ready, NULL) |
                 pthread_cond_init(&base->space, NULL);
    return failed ? trib_no_memory("loader") : trib_success();
}

trib_status trib_loader_base_open(trib_loader_base *base, const trib_decode_options *decode, int64_t memory_limit)
{
    *base = (trib_loader_base) { .process = trib_process() };
    TRIB_TRY(trib_loading_init(&base->loading, decode, memory_limit));
    trib_status s = make_locks(base);
    if (trib_failed(&s)) trib_loading_destroy(&base->loading);
    return s;
}

trib_status trib_loader_base_open_rows(trib_loader_base *base, const trib_preprocess *preprocess,
                                       const trib_loader_options *options)
{
    TRIB_TRY(trib_rows_check(preprocess, options));
    TRIB_TRY(trib_loader_base_open(base, &options->decode, options->memory_limit));
    trib_loading_set_rows(&base->loading, preprocess, options);
    return trib_success();
}

/* Threads take no signals: the program's own handle them. */
trib_status trib_loader_base_start(trib_loader_base *base, int count, void *(*work)(void *), void *loader)
{
    sigset_t all, before;
    int error = 0;
    base->threads = trib_alloc_zeroed((size_t)count, sizeof *base->threads);
    if (!base->threads) return trib_no_memory("loader");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (!error && base->started < count) {
        error = trib_fault("thread") ? -1 : pthread_create(&base->threads[base->started], NULL, work, loader);
        base->started += !error;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!error) return trib_success();
    return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, error, "pthread_create",
                             "cannot start loader thread %d of %d; ask for fewer workers", base->started + 1, count);
}

bool trib_loader_base_is_here(const trib_loader_base *base) { return base->process == trib_process(); }

void trib_loader_base_stop(trib_loader_base *base, bool cancelled)
{
    pthread_mutex_lock(&base->lock);
    base->stop = true;
    base->cancelled |= cancelled;
    pthread_cond_broadcast(&base->space);
    pthread_cond_broadcast(&base->ready);
    pthread_mutex_unlock(&base->lock);
    trib_loading_stop(&base->loading);
}

void trib_loader_base_join(trib_loader_base *base)
{
    while (base->started) pthread_join(base->threads[--base->started], NULL);
}

void trib_loader_base_close(trib_loader_base *base)
{
    trib_loader_base_stop(base, false);
    trib_loader_base_join(base);
    trib_free(base->threads);
    trib_loading_destroy(&base->loading);
    pthread_mutex_destroy(&base->lock);
    pthread_cond_destroy(&base->ready);
    pthread_cond_destroy(&base->space);
}

/* ---- memory ---- */

trib_status trib_pixels_alloc(trib_device *device, int batch_size, size_t row_bytes, int batches,
                              unsigned char **pixels)
{
    void *memory = NULL;
    size_t bytes = (size_t)batch_size * row_bytes;
    trib_status s = trib_success();
    if (device)
        s = trib_host_alloc(device, bytes, &memory);
    else if (!(memory = trib_alloc_aligned(bytes, PIXEL_ALIGNMENT)))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY,
                          "%d batches of %d images need %zu MiB; lower the batch size or the prefetch", batches,
                          batch_size, (bytes >> 20) * (size_t)batches);
    trib_add_context(&s, "a batch of %d images", batch_size);
    if (!trib_failed(&s)) *pixels = memory;
    return trib_outcome(&s);
}

void trib_pixels_free(trib_device *device, unsigned char *pixels)
{
    if (device)
        trib_host_free(device, pixels);
    else
        trib_free(pixels);
}

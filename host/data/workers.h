/* SPDX-License-Identifier: Apache-2.0
 * What loaders have in common: limits, worker threads, memory for batches. */
#ifndef TRIB_DATA_WORKERS_H
#define TRIB_DATA_WORKERS_H

#include <pthread.h>
#include <time.h>

#include "data/load.h"
#include "tributary/device.h"

enum { TRIB_DEFAULT_PREFETCH = 2 };

/* Options of a loader: each within its limits. */
trib_status trib_workers_check(int batch_size, int workers, int prefetch);
/* One per CPU. */
int trib_workers_default(void);

/* What every loader begins with: how it loads an image, its threads, and what they wait for. */
typedef struct trib_loader_base {
    trib_loading loading;
    pthread_t *threads;
    int started;      /* of them */
    uint64_t process; /* that created it, the only one with the threads */

    pthread_mutex_t lock; /* protects what follows, and all of the loader that its threads change */
    pthread_cond_t ready; /* a batch can be taken, or there will be none */
    pthread_cond_t space; /* there is room for more images */
    bool stop, cancelled;
} trib_loader_base;

/* On failure there is nothing to close. */
trib_status trib_loader_base_open(trib_loader_base *base, const trib_decode_options *decode, int64_t memory_limit);
/* For a loader of rows. */
trib_status trib_loader_base_open_rows(trib_loader_base *base, const trib_preprocess *preprocess,
                                       const trib_loader_options *options);
/* Starts `count` threads that run work(loader). On failure, close the base: some may have started. */
trib_status trib_loader_base_start(trib_loader_base *base, int count, void *(*work)(void *), void *loader);
/* In a child of fork(), the lock may be held by a thread that does not exist there: touch nothing. */
bool trib_loader_base_is_here(const trib_loader_base *base);
/* Wakes everybody who waits for room, a batch or memory. Threads end; cancelled: callers fail from now on. */
void trib_loader_base_stop(trib_loader_base *base, bool cancelled);
/* Waits for the threads, which must have been stopped. */
void trib_loader_base_join(trib_loader_base *base);
void trib_loader_base_close(trib_loader_base *base); /* stops and joins first */

/* Memory for one of `batches` batches, of the device if there is one. */
trib_status trib_pixels_alloc(trib_device *device, int batch_size, size_t row_bytes, int batches,
                              unsigned char **pixels);
void trib_pixels_free(trib_device *device, unsigned char *pixels); /* NULL is fine */

/* Of a clock that only goes forward. */
static inline double trib_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

#endif

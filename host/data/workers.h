/* SPDX-License-Identifier: Apache-2.0
 * What loaders have in common: limits, worker threads, memory for batches. */
#ifndef TRIB_DATA_WORKERS_H
#define TRIB_DATA_WORKERS_H

#include <pthread.h>
#include <time.h>

#include "tributary/device.h"

enum { TRIB_DEFAULT_PREFETCH = 2 };

/* Options of a loader: each within its limits. */
trib_status trib_workers_check(int batch_size, int workers, int prefetch);
/* One per CPU. */
int trib_workers_default(void);
/* Starts threads that run work(loader). *started tells how many, also on failure; the caller joins them. */
trib_status trib_workers_start(pthread_t *threads, int count, int *started, void *(*work)(void *), void *loader);

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

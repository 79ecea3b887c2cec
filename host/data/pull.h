/* SPDX-License-Identifier: Apache-2.0
 * The source of a loader: workers take its items, one worker at a time. */
#ifndef TRIB_DATA_PULL_H
#define TRIB_DATA_PULL_H

#include "data/workers.h"
#include "tributary/dataset.h"

typedef struct trib_pull {
    trib_loader_base *base;
    trib_source *source;
    /* Held by the worker that reads, also while it waits for room; taken before the base's lock. */
    pthread_mutex_t lock;
    int64_t skip; /* items still to skip; under `lock` */
    /* Under the base's lock. */
    bool ended;
    trib_status status; /* why the source ended; success at its regular end */
} trib_pull;

/* Of loaders' options: the source belongs to this process, and `skip` is not negative. */
trib_status trib_pull_check(const trib_source *source, int64_t skip);
/* The base is open. Limits what the source holds to the base's memory. */
void trib_pull_open(trib_pull *pull, trib_loader_base *base, trib_source *source, int64_t skip);
/* Reads one item after those to skip, and counts its data before the source reads more: if there is no memory for them,
 * the item has failed. False: there is none, or the loader stops. Call with `lock` held. */
bool trib_pull_next(trib_pull *pull, trib_item *item);
/* Nothing more comes, and why; callers are woken. */
void trib_pull_end(trib_pull *pull, const trib_status *status);
/* Stops the base, and who waits for standard input as well. */
void trib_pull_stop(trib_pull *pull, bool cancelled);
/* Stops and joins the threads, if any were started. */
void trib_pull_join(trib_pull *pull);
/* Joins, and closes the base as well. */
void trib_pull_close(trib_pull *pull);

#endif

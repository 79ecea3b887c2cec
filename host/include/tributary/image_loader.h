/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a function applied to every image of a source, on worker threads, with results in the order of the source.
 *
 *     static trib_status measure(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept);
 *
 *     trib_image_loader *loader;
 *     check(trib_image_loader_create(source, NULL, measure, free, NULL, &loader));
 *     for (const trib_image_item *item; check(trib_image_loader_next(loader, &item)), item;) {
 *         ... item->name, and item->result or item->status ...
 *         trib_image_loader_give_back(loader, item);
 *     }
 *     trib_image_loader_destroy(loader);
 *
 * Where trib_loader (dataset.h) makes the input of one network, this one leaves to its caller what becomes of an image:
 * crops of several sizes, regions, proposals. A damaged image comes at its place, with the reason, and never stops the
 * others. As with trib_loader, everything belongs to the process that made it: in a child of fork(),
 * trib_image_loader_create and trib_image_loader_next fail with TRIB_INVALID_ARGUMENT, and the other functions do
 * nothing. */
#ifndef TRIBUTARY_IMAGE_LOADER_H
#define TRIBUTARY_IMAGE_LOADER_H

#include "tributary/dataset.h"

TRIB_BEGIN_DECLS

/* An image that a worker has decoded, lent to a trib_image_make until it returns. */
typedef struct trib_image_task {
    const char *name; /* as in trib_item, like index and label */
    int64_t index;
    int label;
    const uint8_t *bytes; /* the encoded image, as in its file; NULL for one that never was encoded (IDX) */
    size_t size;
    const trib_image *image; /* 1 or 3 channels */
} trib_image_task;

/* Makes something of an image. *result is NULL beforehand and may stay so; *bytes_kept, 0 beforehand, is how much
 * memory the result holds until it is released. Called from several threads at once. A failure is that item's status,
 * with the image's name in front, but TRIB_OUT_OF_MEMORY and TRIB_CANCELLED end the run; *result is ignored then. */
typedef trib_status (*trib_image_make)(void *context, const trib_image_task *task, void **result, int64_t *bytes_kept);
/* Most bytes that trib_image_make takes for an image of this size, its result included; negative is 0. */
typedef int64_t (*trib_image_make_bytes)(void *context, int width, int height);
/* Frees a result; not called with NULL. */
typedef void (*trib_image_release_result)(void *result);

typedef struct trib_image_loader_options {
    int workers;  /* threads; 0: one per CPU this process may use (cpus.h) */
    int ahead;    /* images in the making or waiting for trib_image_loader_next; 0: four per worker */
    int64_t skip; /* items to skip without decoding (resume) */
    trib_decode_options decode;
    int64_t memory_limit;             /* bytes for reading, decoding and making, as trib_loader_options.memory_limit */
    int64_t results_limit;            /* bytes of results; 0: a quarter of memory_limit */
    trib_image_make_bytes make_bytes; /* NULL: making takes little memory */
} trib_image_loader_options;

/* Does the work of an image loader for one item, on the calling thread. Frees the item's data; the caller still
 * releases the item. Fails with item->status if that is a failure. `options` may be NULL. */
trib_status trib_item_make(trib_item *item, const trib_image_loader_options *options, trib_image_make make,
                           void *context, void **result, int64_t *bytes_kept);

typedef struct trib_image_item {
    int64_t index; /* in the source; skipped items count */
    const char *name;
    int label;
    trib_status status; /* why there is no result */
    const char *note;   /* that of trib_image_decode; NULL: none */
    void *result;       /* NULL if the item failed */
} trib_image_item;

typedef struct trib_image_loader trib_image_loader;

/* Starts the workers. Source and context must outlive the loader. `options` and `release` may be NULL: all defaults,
 * and results that need no release.
 *
 * Memory is bounded, whatever the images and the number of workers. Of memory_limit, encoded images may take an eighth
 * each and three eighths together; decoding, with what make_bytes says, five eighths. An image that needs more fails
 * with TRIB_UNSUPPORTED (trib_loader_create has the exceptions). No new image is begun while results that were made and
 * not given back hold more than results_limit: so they can be more by one for each worker. But a caller that waits with
 * no image in the making gets one, however much it holds: what it holds is its own decision. */
trib_status trib_image_loader_create(trib_source *source, const trib_image_loader_options *options,
                                     trib_image_make make, trib_image_release_result release, void *context,
                                     trib_image_loader **out);
/* Stops the workers, after their current images, and releases all results, those not given back included. As with
 * trib_loader, the source's next item is undefined. NULL is fine. */
void trib_image_loader_destroy(trib_image_loader *loader);
/* The next item in source order, valid until given back; *out = NULL at the end. Any number may be held. Fails if the
 * source fails or the run ends (trib_image_make), after all earlier items and on all later calls, and if cancelled. */
trib_status trib_image_loader_next(trib_image_loader *loader, const trib_image_item **out);
/* Releases its result, too. In any order, from any thread. NULL is fine. */
void trib_image_loader_give_back(trib_image_loader *loader, const trib_image_item *item);
/* Makes current and later calls of trib_image_loader_next fail with TRIB_CANCELLED. Safe from any thread. */
void trib_image_loader_cancel(trib_image_loader *loader);

typedef struct trib_image_loader_stats {
    int64_t made, failed; /* images */
    double make_seconds;  /* summed over workers: reading, decoding, making */
    double wait_seconds;  /* time trib_image_loader_next waited */
} trib_image_loader_stats;
trib_image_loader_stats trib_image_loader_get_stats(const trib_image_loader *loader);

TRIB_END_DECLS
#endif

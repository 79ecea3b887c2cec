/* SPDX-License-Identifier: Apache-2.0
 * From one item to its image and what is made of it: reading, decoding, preprocessing, within a limit of memory that
 * threads share.
 *
 * The limit is divided, so that no thread waits for memory while it holds memory that others wait for:
 *
 *     2/8  the source: in a tar shard, the current member (at most an eighth), and half an eighth each for members that
 *          wait for their label and for targets of links
 *     1/8  encoded images that workers hold
 *     5/8  decoding, and what is made of images
 *
 * A worker with an encoded image waits only for decoding; one that decodes waits for nothing. */
#ifndef TRIB_DATA_LOAD_H
#define TRIB_DATA_LOAD_H

#include "data/budget.h"
#include "tributary/dataset.h"
#include "tributary/sampling.h"

typedef struct trib_loading {
    trib_decode_options decode;
    trib_budget encoded, decoding;
    /* Rows of pixels; NULL and 0 where none are made. */
    const trib_preprocess *preprocess;
    const trib_sampling *sampling; /* NULL: evaluation */
    trib_layout layout;
    trib_dtype dtype; /* of pixels */
    size_t row_bytes;
} trib_loading;

/* `memory_limit` as in trib_loader_options. */
trib_status trib_loading_init(trib_loading *loading, const trib_decode_options *decode, int64_t memory_limit);
void trib_loading_destroy(trib_loading *loading);
/* Current and later waiters for memory return with TRIB_CANCELLED. */
void trib_loading_stop(trib_loading *loading);

/* Counts what the source read for the item, until trib_load_image frees it. If it is too much, or on TRIB_CANCELLED,
 * frees it and fails. */
trib_status trib_load_count(trib_loading *loading, trib_item *item);
/* The same before something is read: counts `bytes`, which the item will hold when trib_load_image is called. */
trib_status trib_load_reserve(trib_loading *loading, const char *name, int64_t bytes);
void trib_load_unreserve(trib_loading *loading, int64_t bytes);
/* For an item that came to hold fewer: gives all that was reserved back, and fails. */
trib_status trib_load_check_reserved(trib_loading *loading, trib_item *item, const char *name, int64_t bytes);
/* Reads the item's file, if it has one. */
trib_status trib_load_read(trib_loading *loading, trib_item *item);

/* What is made of a decoded image. */
typedef struct trib_image_use {
    int64_t (*bytes)(void *context, int width, int height, int channels); /* the most that `use` takes */
    trib_status (*use)(void *context, const trib_item *item, const trib_image *image);
    void *context;
    bool reads_encoded; /* `use` reads the item's bytes, which otherwise are freed as soon as they are decoded */
} trib_image_use;
/* Reads what was not read yet, decodes it, calls use->use, and frees all data of the item as soon as possible. `name`
 * is for messages; *note as in trib_image. */
trib_status trib_load_image(trib_loading *loading, trib_item *item, const char *name, const trib_image_use *use,
                            const char **note);
/* The same for an item whose data were not counted, with a loading of its own. */
trib_status trib_load_single(trib_loading *loading, trib_item *item, const trib_image_use *use);

/* Of the options that concern rows. */
trib_status trib_rows_check(const trib_preprocess *preprocess, const trib_loader_options *options);
/* Rows of an image are made in this way; options that were checked. */
void trib_loading_set_rows(trib_loading *loading, const trib_preprocess *preprocess,
                           const trib_loader_options *options);
/* trib_load_image that fills a row of pixels. `key` is for sampling. */
trib_status trib_load_item(trib_loading *loading, trib_item *item, const char *name, uint64_t key, void *pixels,
                           const char **note);

#endif

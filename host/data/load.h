/* SPDX-License-Identifier: Apache-2.0
 * From one item to its row of pixels: reading, decoding, preprocessing, within a limit of memory that threads share.
 *
 * The limit is cut up, so that nobody waits for memory while holding what others wait for:
 *
 *     2/8  the source: members of a tar shard that wait for their label, each at most an eighth
 *     1/8  encoded images that workers hold
 *     5/8  decoding, and resizing
 *
 * A worker that has an encoded image waits only for decoding; one that decodes waits for nothing. */
#ifndef TRIB_DATA_LOAD_H
#define TRIB_DATA_LOAD_H

#include "data/budget.h"
#include "tributary/dataset.h"

typedef struct trib_loading {
    const trib_preprocess *preprocess;
    trib_decode_options decode;
    trib_layout layout;
    trib_dtype dtype; /* of pixels */
    size_t row_bytes;
    trib_budget encoded, decoding;
} trib_loading;

/* Checks the options that concern one image. */
trib_status trib_loading_init(trib_loading *loading, const trib_preprocess *preprocess,
                              const trib_loader_options *options);
void trib_loading_destroy(trib_loading *loading);
/* Threads that wait for memory, or ask later, come back with TRIB_CANCELLED. */
void trib_loading_stop(trib_loading *loading);

/* What the source read for the item is counted from here on, until trib_load_item frees it. Fails, having freed it,
 * when it is too much at all, or with TRIB_CANCELLED. */
trib_status trib_load_count(trib_loading *loading, trib_item *item);
/* Fills `row`, and frees all the item's data as soon as possible. `name` is for messages; *note as in trib_image. */
trib_status trib_load_item(trib_loading *loading, trib_item *item, const char *name, void *row, const char **note);

#endif

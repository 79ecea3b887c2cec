/* SPDX-License-Identifier: Apache-2.0
 * From the name or the number of an image or a category to its index. */
#ifndef TRIBUTARY_DETECT_KEYS_H
#define TRIBUTARY_DETECT_KEYS_H

#include "detect/boxes.h"

typedef struct trib_key {
    const char *name; /* of the set; not ended where a stem ends */
    size_t length;
    int64_t id;
    int index;
} trib_key;

/* Sorted. Zero-initialise; release. Valid as long as the set's list does not change. */
typedef struct trib_keys {
    trib_key *items;
    size_t count;
} trib_keys;

/* All fail with TRIB_BAD_DATA where two have the same key. */
trib_status trib_keys_of_stems(const trib_truths *truths, trib_keys *out); /* images by trib_stem of their names */
trib_status trib_keys_of_image_ids(const trib_truths *truths, trib_keys *out);
trib_status trib_keys_of_category_ids(const trib_truths *truths, trib_keys *out);
trib_status trib_keys_of_category_names(const trib_truths *truths, trib_keys *out);
void trib_keys_release(trib_keys *keys);

/* The index, or -1. */
int trib_find_stem(const trib_keys *keys, const char *name); /* of its stem */
int trib_find_name(const trib_keys *keys, const char *name); /* all of it */
int trib_find_id(const trib_keys *keys, int64_t id);

/* What files about an image are called after: its name without folders and without an image's extension. Returns where
 * it begins in `name`. */
const char *trib_stem(const char *name, size_t *length);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * A sample of a tar shard: members side by side that share their name up to the first dot. Images are held back until
 * their label is known.
 *
 *     a.jpg  a.cls                     a.cls is the label of all images of the sample a ...
 *     a.left.jpg  a.right.jpg  a.cls
 *     a.b.jpg  a.b.cls  a.c.jpg  a.c.cls   ... but for those that have one of their own */
#ifndef TRIB_DATA_SAMPLE_H
#define TRIB_DATA_SAMPLE_H

#include "tributary/dataset.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_held_item {
    trib_item item;
    size_t member; /* offset of the member's name in the item's name */
    bool settled;  /* no later member can change its label */
} trib_held_item;

typedef struct trib_sample_label {
    char *stem; /* name of the .cls member without that extension; NULL: there was none */
    int value;
    trib_status problem; /* why there is no label */
} trib_sample_label;

typedef struct trib_sample {
    bool need_labels;
    size_t most_bytes;               /* beyond these limits, items are not held back */
    char *key;                       /* NULL: before the first member */
    trib_sample_label whole, latest; /* key.cls; the latest one with more dots */
    trib_held_item *held;            /* emptied before it is filled again */
    size_t count, capacity, given, bytes, settled;
    bool over; /* the held items are ready */
} trib_sample;

/* Begins a new sample if `member` belongs to one. *entered = false: take the items of the last sample first. */
trib_status trib_sample_enter(trib_sample *sample, const char *member, bool *entered);
/* Takes the item, also on failure. Its name ends in `member`; NULL: it is the reason why something could not be read.
 */
trib_status trib_sample_hold(trib_sample *sample, trib_item *item, const char *member);
/* The label in the .cls member of this name, or its error. */
trib_status trib_sample_set_label(trib_sample *sample, const char *member, int label, const trib_status *problem);
/* No more members come. */
void trib_sample_end(trib_sample *sample);
/* Moves the next item with its label to *item; false: none is ready. */
bool trib_sample_take(trib_sample *sample, trib_item *item);
void trib_sample_free(trib_sample *sample);

#ifdef __cplusplus
}
#endif
#endif

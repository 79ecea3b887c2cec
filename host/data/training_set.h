/* SPDX-License-Identifier: Apache-2.0
 * A training set: its sources, and what the scan found in them. */
#ifndef TRIB_DATA_TRAINING_SET_H
#define TRIB_DATA_TRAINING_SET_H

#include "data/load.h"
#include "data/names.h"
#include "tributary/training_data.h"

enum { TRIB_PARTS = 2 };

/* An image: where it is, and what it is called. */
typedef struct trib_found_image {
    size_t name;   /* offset in the set's text */
    int64_t place; /* in its input */
    int64_t size;  /* what loading it reserves; 0: a file, unknown */
    int32_t input, label;
} trib_found_image;

typedef struct trib_found_images {
    trib_source *source; /* borrowed: both parts may be of one */
    trib_found_image *items;
    size_t count, capacity;
} trib_found_images;

/* Files and folders to open: inputs of each part, the second possibly without any. */
typedef struct trib_training_inputs {
    trib_names parts[TRIB_PARTS];
    bool paired; /* the second part was found beside the first */
} trib_training_inputs;

struct trib_training_set {
    trib_training_inputs inputs;
    trib_source *sources[TRIB_PARTS]; /* the second is NULL if validation images are a share of the first */
    trib_found_images parts[TRIB_PARTS];
    char *text; /* all names in sequence */
    size_t text_size, text_capacity;
    trib_names class_names; /* none: classes are numbers */
    trib_names notes;
    int class_count;
    uint64_t hash, process;
};

/* Looks for validation data beside the inputs unless there is a share. */
trib_status trib_training_inputs_find(const char *const *inputs, int count, const trib_training_set_options *options,
                                      trib_training_inputs *out);
void trib_training_inputs_free(trib_training_inputs *inputs);

/* Opens a second source of a part's images, in the order in which the set has them; those of a share of the first
 * part's lie among them. *out is NULL if the part has no source of its own. For sets without labels. */
trib_status trib_training_set_reopen(const trib_training_set *set, trib_training_part part, trib_source **out);

/* True if every image to train on is of an input whose images have one size: IDX files. */
bool trib_training_set_has_one_size(const trib_training_set *set);

/* FNV-1a: the hash of what came before and of some more bytes. */
#define TRIB_HASH_START 14695981039346656037u
uint64_t trib_training_hash(uint64_t hash, const void *bytes, size_t size);

/* Adds all images of the source to `part`, and a share of them to validation. */
trib_status trib_training_scan(trib_training_set *set, trib_source *source, trib_training_part part, double share);

/* Reserves memory for the data of an image and finds them, on any thread. */
trib_status trib_training_set_load(const trib_training_set *set, trib_training_part part, int64_t index,
                                   trib_loading *loading, trib_item *item);

#endif

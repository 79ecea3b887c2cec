/* SPDX-License-Identifier: Apache-2.0
 * Windows of the images of a training set: boxes with labels, from which a network learns to tell what a region of an
 * image shows, as R-CNN's is fine-tuned.
 *
 * A row is a window with context around it, warped to the network's input by the same function as when objects are
 * detected (tributary/region.h); beyond the image is the mean. Of every million rows from the first on, as many as
 * asked for show objects: row n shows one where n times the share passes a whole number, so of 128 rows 32 if the share
 * is 0.25, and of every batch as near to it as can be. Objects come in a random order, each once, then again in another
 * order, and so does background. An epoch is as many rows as have each object once. */
#ifndef TRIB_DATA_TRAINING_WINDOWS_H
#define TRIB_DATA_TRAINING_WINDOWS_H

#include "data/training_rows.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_window {
    float x, y, width, height; /* pixels of the image, without context */
    int32_t image;             /* of its part */
    int32_t label;
} trib_window;

typedef struct trib_training_windows trib_training_windows;

typedef struct trib_windows_options {
    double objects;     /* share of rows that show objects, above 0 and at most 1 */
    int context;        /* pixels of the network's input on each side */
    int32_t background; /* label */
    int64_t kept_bytes; /* of decoded images, which are kept for their next windows */
} trib_windows_options;

/* Without windows. The set must outlive it. */
trib_status trib_training_windows_create(const trib_training_set *set, const trib_windows_options *options,
                                         trib_training_windows **out);
void trib_training_windows_destroy(trib_training_windows *windows); /* NULL is fine */

trib_status trib_training_windows_add(trib_training_windows *windows, trib_training_part part,
                                      const trib_window *window);
/* After the last one: chooses the windows of the validation's images that are measured, in the share of the rows, at
 * most `most`; none if they do not show objects and background. Fails if there is none of objects to train on, or none
 * of background where the share needs some. */
trib_status trib_training_windows_finish(trib_training_windows *windows, int64_t most);

int64_t trib_training_windows_objects(const trib_training_windows *windows, trib_training_part part);
int64_t trib_training_windows_background(const trib_training_windows *windows, trib_training_part part);
/* Of all windows, in the order in which they were added, and of the options. */
uint64_t trib_training_windows_hash(const trib_training_windows *windows);

/* Rows to train on, or with TRIB_VALIDATION the ones that are measured, for a loader with in_order. Pixels are float32;
 * the loader's sampling counts for mirrors only. */
trib_training_rows trib_window_rows(const trib_training_windows *windows, trib_training_part part);

#ifdef __cplusplus
}
#endif
#endif

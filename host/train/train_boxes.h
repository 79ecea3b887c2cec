/* SPDX-License-Identifier: Apache-2.0
 * What a region classifier is trained on: truth, proposals, and the windows that they make. */
#ifndef TRIBUTARY_TRAIN_TRAIN_BOXES_H
#define TRIBUTARY_TRAIN_TRAIN_BOXES_H

#include "data/training_windows.h"
#include "detect/by_image.h"
#include "detect/image_names.h"
#include "detect/truth_file.h"
#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

struct trib_train;

/* One truth. */
typedef struct trib_train_truth {
    const char *path;
    trib_truth_file file;
    trib_image_names names;
    trib_by_image places; /* of its boxes */
    int *class_of;        /* each category's */
    const char **by;      /* the image of the set that each of the truth's is */
} trib_train_truth;

/* All zero: whole images are trained on. */
typedef struct trib_train_boxes {
    trib_train_truth truths[2]; /* of all images, or of those to train on and of those for validation */
    int truth_count;
    const char **labels;
    int classes;    /* background among them */
    int background; /* class */
    trib_training_windows *windows;
    trib_training_rows rows[2]; /* by part */
    int64_t damaged, unknown;   /* images that could not be read; that the truth does not have */
    int64_t trained;            /* images whose windows are trained on */
} trib_train_boxes;

/* Reads the truth, or both. */
trib_status trib_train_open_truth(struct trib_train *train);
/* The truth of a part's images. */
trib_train_truth *trib_train_truth_of(struct trib_train *train, int part);
/* Puts the classes into the order of a model that has the same ones. */
trib_status trib_train_order_classes(struct trib_train *train);
/* Of a network that is known. Fails if its input has no room for the context. */
trib_status trib_train_choose_context(struct trib_train *train);
/* Finds proposals of all images, in the run's folder those of an earlier start, and makes windows of them. *cancelled:
 * a wish to stop came first. `keep`: those that are computed are put there. */
trib_status trib_train_make_windows(struct trib_train *train, bool keep, bool *cancelled);
void trib_train_close_boxes(struct trib_train *train);

#ifdef __cplusplus
}
#endif
#endif

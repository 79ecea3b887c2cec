/* SPDX-License-Identifier: Apache-2.0
 * Precision against recall of a ranked list, and the three ways to make one number of it. */
#ifndef TRIBUTARY_DETECT_PRECISION_RECALL_H
#define TRIBUTARY_DETECT_PRECISION_RECALL_H

#include <stdbool.h>
#include <stddef.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_RECALL_POINTS = 101 };

/* A point per detection, surest first; those that are neither right nor wrong are left out. Zero-initialise; release.
 */
typedef struct trib_precision_recall {
    size_t truths; /* to be found */
    size_t count, capacity;
    size_t *hits;   /* true positives up to and with this detection */
    double *scores; /* of this detection */
} trib_precision_recall;

void trib_precision_recall_release(trib_precision_recall *curve);
/* Empties it for up to `capacity` detections and `truths` truths. */
trib_status trib_precision_recall_start(trib_precision_recall *curve, size_t truths, size_t capacity);
void trib_precision_recall_add(trib_precision_recall *curve, double score, bool hit);

double trib_precision_at(const trib_precision_recall *curve, size_t i);
double trib_recall_at(const trib_precision_recall *curve, size_t i);

/* All return -1 where there is nothing to be found. The best precision at a recall is the highest one at that recall or
 * a higher one, 0 if it is never reached. */

/* VOC from 2010 on, and ILSVRC: the area under the best precision. */
double trib_average_precision_area(const trib_precision_recall *curve);
/* VOC up to 2009: the mean of the best precision at recalls 0, 1/10 ... 1. A recall of 3 in 10 reaches 3/10 (in the
 * devkit's own arithmetic, 3 * 0.1, it just does not). */
double trib_average_precision_11(const trib_precision_recall *curve);
/* COCO: the mean at recalls i * 0.01 in double precision, as its tools have them. `points`, if not NULL, gets the best
 * precision at each of the TRIB_RECALL_POINTS, or -1. */
double trib_average_precision_101(const trib_precision_recall *curve, double *points);

#ifdef __cplusplus
}
#endif
#endif

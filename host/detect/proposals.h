/* SPDX-License-Identifier: Apache-2.0
 * How well boxes without classes cover the objects: what the best classifier could find with them.
 *
 * Recall at t: the share of truths that a proposal of their image overlaps with an IoU of at least t. Mean best
 * overlap: the highest IoU with a proposal, averaged over the truths; per class it is the average best overlap (ABO),
 * and the mean over classes the MABO (Uijlings et al., Selective Search for Object Recognition, IJCV 2013, section 5).
 * Truths that are `difficult` or `crowd` are left out. */
#ifndef TRIBUTARY_DETECT_PROPOSALS_H
#define TRIBUTARY_DETECT_PROPOSALS_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_coverage {
    size_t truths; /* that count */
    /* All -1 where none counts. */
    double recall50, recall70;
    double recall_mean;  /* over IoUs 0.5, 0.55 .. 0.95 */
    double best_overlap; /* mean over truths */
    double mabo;         /* mean over classes */
    double per_image;    /* proposals, over all images of the set */
} trib_coverage;

/* The category of proposals is not looked at, but must be one of the set's. `abo`, if not NULL, gets one number per
 * category, -1 where none of its truths counts. Fails as trib_boxes_check does. */
trib_status trib_coverage_compute(const trib_truths *truths, const trib_detections *proposals, trib_coverage *out,
                                  double *abo);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * The boxes of an image that remain of those of all its regions: non-maximum suppression, class by class. */
#ifndef TRIBUTARY_DETECT_NMS_H
#define TRIBUTARY_DETECT_NMS_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A box that may be an object of a class. */
typedef struct trib_scored_box {
    trib_box box;
    int klass;
    double score; /* higher is surer; not NaN */
} trib_scored_box;

typedef struct trib_nms_options {
    double overlap; /* IoU, 0 .. 1: a box that overlaps a surer one of its class by more is dropped. R-CNN's is 0.3 */
    int most_boxes; /* of an image, all classes together; the surest remain */
} trib_nms_options;

/* Moves what remains to the front of `boxes`, the surest first, and returns its number. Greedy: boxes are taken from
 * the surest on; of equal ones the one that comes first in the list, so the order of regions decides, and the same list
 * gives the same result. Boxes without area overlap nothing. Fails when out of memory; NaN among the scores is the
 * caller's to exclude. */
trib_status trib_nms(const trib_nms_options *options, trib_scored_box *boxes, size_t count, size_t *kept);

#ifdef __cplusplus
}
#endif
#endif

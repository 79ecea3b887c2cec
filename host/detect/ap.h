/* SPDX-License-Identifier: Apache-2.0
 * Average precision by the rules of VOC and ILSVRC DET. (COCO's: detect/coco_ap.h.)
 *
 * The detections of a class are gone through from the surest to the least sure one, over all images (equal scores: in
 * the order of the list), and each is a hit, a miss, or neither:
 *
 * VOC (the devkit's VOCevaldet.m): the truth of its class and image that overlaps most, used or not (equally much: the
 * first), counts. IoU below 0.5: a miss. `difficult`: neither. Used by a surer detection: a miss. Else a hit.
 * COCO's `crowd` counts as difficult, since VOC knows none.
 *
 * ILSVRC (the devkit's eval_detection.m): of the truths that are not used yet, and whose overlap reaches their own
 * threshold min(0.5, w h / ((w + 10) (h + 10))), the one that overlaps most is hit; without one, a miss. Up to 25
 * pixels a side, the threshold so allows for about five pixels on every side. `difficult` and `crowd` are not looked
 * at. The devkit's list of pairs of image and class to leave out is not read.
 *
 * The devkits' areas of inclusive pixels, with + 1, are those of half-open boxes. */
#ifndef TRIBUTARY_DETECT_AP_H
#define TRIBUTARY_DETECT_AP_H

#include "detect/boxes.h"
#include "detect/precision_recall.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum trib_ap_rule {
    TRIB_AP_VOC,         /* from 2010 on: the area */
    TRIB_AP_VOC2007,     /* up to 2009: 11 points */
    TRIB_AP_ILSVRC,      /* the area */
    TRIB_AP_ILSVRC_PLAIN /* threshold 0.5 for objects of all sizes */
} trib_ap_rule;

typedef struct trib_class_ap {
    double ap; /* -1: the class has nothing to be found */
    trib_precision_recall curve;
} trib_class_ap;

/* Zero-initialise; release. */
typedef struct trib_ap {
    trib_class_ap *classes; /* as the truth's categories */
    size_t count;
    double mean; /* over classes that have something to be found; -1: none has */
} trib_ap;

/* `iou`: the threshold of overlap; 0: 0.5. Fails with TRIB_BAD_DATA as trib_boxes_check does. *out is changed only on
 * success. */
trib_status trib_ap_compute(const trib_truths *truths, const trib_detections *detections, trib_ap_rule rule, double iou,
                            trib_ap *out);
void trib_ap_release(trib_ap *ap);
/* Threshold of ILSVRC for one box, at most `most`. */
double trib_ilsvrc_threshold(const trib_box *box, double most);

#ifdef __cplusplus
}
#endif
#endif

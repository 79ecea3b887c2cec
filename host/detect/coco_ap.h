/* SPDX-License-Identifier: Apache-2.0
 * Average precision and recall by the rules of COCO, exactly as its own tools compute them (cocoapi, cocoeval.py).
 *
 * Per class, image and overlap t of 0.5, 0.55 .. 0.95: the surest detections, up to 100, take in turn the truth that
 * overlaps most and is not taken (equally much: the last), with an IoU of at least t. A truth that is a crowd, or whose
 * area is not of the size asked for, is ignored: it is taken only where no other truth can be, and who takes it is
 * neither right nor wrong. A crowd can be taken any number of times, and its overlap is intersection over the
 * detection's area. A detection that takes nothing is a miss, but ignored if its own area is not of the size asked for.
 * Over all images detections are in order of score (equal ones: of image, then of the list). AP is the mean of the best
 * precision at 101 recalls.
 *
 * Sizes: small up to 32 x 32, medium from there to 96 x 96, large from there on, ends included. Classes without a truth
 * that counts are left out of means. `difficult` is not looked at: COCO's tools do not have it. In
 * these tools a truth whose `id` is 0 is never found; here the ids of boxes do not matter. */
#ifndef TRIBUTARY_DETECT_COCO_AP_H
#define TRIBUTARY_DETECT_COCO_AP_H

#include "detect/boxes.h"
#include "detect/precision_recall.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_COCO_IOUS = 10 };
typedef enum trib_coco_size {
    TRIB_COCO_ALL,
    TRIB_COCO_SMALL,
    TRIB_COCO_MEDIUM,
    TRIB_COCO_LARGE,
    TRIB_COCO_SIZES
} trib_coco_size;

/* Of one class, or the mean over classes. -1: nothing to be found. */
typedef struct trib_coco_numbers {
    double ap[TRIB_COCO_SIZES];     /* mean over the overlaps; ap[TRIB_COCO_ALL] is COCO's AP */
    double ap50, ap75;              /* at IoU 0.5 and 0.75 */
    double recall_of[3];            /* mean over the overlaps, of most[0], most[1], most[2] detections an image */
    double recall[TRIB_COCO_SIZES]; /* the same of most[2]; [TRIB_COCO_ALL] is recall_of[2] again */
} trib_coco_numbers;

typedef struct trib_coco_class {
    trib_coco_numbers numbers;
    double best_precision[TRIB_COCO_IOUS][TRIB_RECALL_POINTS]; /* all sizes, most[2] detections */
} trib_coco_class;

/* Zero-initialise; release. */
typedef struct trib_coco_ap {
    trib_coco_class *classes; /* as the truth's categories */
    size_t count;
    trib_coco_numbers mean; /* the twelve that COCO reports */
} trib_coco_ap;

/* `most`: three rising numbers of detections per image and class; NULL: 1, 10, 100. Fails as trib_boxes_check does.
 * *out is changed only on success. */
trib_status trib_coco_ap_compute(const trib_truths *truths, const trib_detections *detections, const int most[3],
                                 trib_coco_ap *out);
void trib_coco_ap_release(trib_coco_ap *ap);
/* The i-th overlap, 0.5 .. 0.95, in the bits that numpy.linspace gives. */
double trib_coco_iou(int i);

#ifdef __cplusplus
}
#endif
#endif

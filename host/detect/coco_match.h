/* SPDX-License-Identifier: Apache-2.0
 * Who takes whom in one image, by COCO's rules. */
#ifndef TRIBUTARY_DETECT_COCO_MATCH_H
#define TRIBUTARY_DETECT_COCO_MATCH_H

#include "detect/coco_ap.h"
#include "detect/ranking.h"

enum { TRIB_COCO_MISS, TRIB_COCO_HIT, TRIB_COCO_IGNORED };

/* A detection among those of its class. */
typedef struct trib_coco_entry {
    double score;
    int image, rank; /* in its image, 0 for the surest */
    unsigned char verdict[TRIB_COCO_SIZES][TRIB_COCO_IOUS];
} trib_coco_entry;

/* Memory that images share. Zero-initialise; release. */
typedef struct trib_coco_scratch {
    double *iou; /* [detection][truth] */
    size_t iou_capacity;
    size_t *order; /* truths: those that count, then those that are ignored */
    size_t order_capacity;
    bool *taken; /* as `order` */
    size_t taken_capacity;
} trib_coco_scratch;

void trib_coco_scratch_release(trib_coco_scratch *scratch);

/* False for an area that is not of the size asked for. */
bool trib_coco_is_of_size(double area, trib_coco_size size);
/* One class and image: `found`, surest first, and `wanted`, in the order of the list; entries[i] is of found[i]. */
trib_status trib_coco_match(const trib_truths *truths, const trib_ranked *wanted, size_t wanted_count,
                            const trib_detections *detections, const trib_ranked *found, size_t found_count,
                            trib_coco_scratch *scratch, trib_coco_entry *entries);

#endif

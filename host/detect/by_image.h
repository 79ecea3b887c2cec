/* SPDX-License-Identifier: Apache-2.0
 * Boxes by their image, for what goes from image to image: each list of boxes is gone through once. */
#ifndef TRIBUTARY_DETECT_BY_IMAGE_H
#define TRIBUTARY_DETECT_BY_IMAGE_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Places in a set's list: those of image i are list[first[i]] .. list[first[i + 1] - 1], in their order.
 * Zero-initialise; release. */
typedef struct trib_by_image {
    size_t *first, *list;
} trib_by_image;

/* Both fail on boxes that trib_boxes_check refuses, and leave *out to be released then, too. */
trib_status trib_truths_by_image(const trib_truths *truths, trib_by_image *out);
trib_status trib_detections_by_image(const trib_truths *truths, const trib_detections *detections, trib_by_image *out);
void trib_by_image_release(trib_by_image *places);

#ifdef __cplusplus
}
#endif
#endif

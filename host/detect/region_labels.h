/* SPDX-License-Identifier: Apache-2.0
 * What a region of an image shows, by the truth: how a region classifier is taught. */
#ifndef TRIBUTARY_DETECT_REGION_LABELS_H
#define TRIBUTARY_DETECT_REGION_LABELS_H

#include "detect/boxes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Beside a category. */
enum { TRIB_REGION_OF_BACKGROUND = -1, TRIB_REGION_OF_NEITHER = -2 };

#define TRIB_REGION_OVERLAP 0.5 /* R-CNN's */

/* The category of the object that the region overlaps most, if their IoU is at least TRIB_REGION_OVERLAP (of equals the
 * first one in the list). A region that overlaps only a difficult object so much, or lies by half of its area in a
 * crowd, is neither an example of an object nor of background, and everything else is background. `truths` are those of
 * the image. */
int trib_region_label(const trib_truth *truths, size_t count, const trib_box *region);

#ifdef __cplusplus
}
#endif
#endif

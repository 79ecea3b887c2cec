/* SPDX-License-Identifier: Apache-2.0
 * Truth and detections in the orders that rules of average precision go through them. */
#ifndef TRIBUTARY_DETECT_RANKING_H
#define TRIBUTARY_DETECT_RANKING_H

#include "detect/boxes.h"

/* A truth or a detection: `at` is its place in the list it comes from. */
typedef struct trib_ranked {
    double score;
    int image, category;
    size_t at;
} trib_ranked;

typedef struct trib_span {
    size_t first, count;
} trib_span;

/* By category, image, place. Release *out with trib_free. */
trib_status trib_rank_truths(const trib_truths *truths, trib_ranked **out);
/* By category, image, falling score, place. */
trib_status trib_rank_by_image(const trib_detections *detections, trib_ranked **out);
/* By category, falling score, place. */
trib_status trib_rank_by_score(const trib_detections *detections, trib_ranked **out);

/* Where a category is in any of the three, and where one of its images is in the first two. */
trib_span trib_span_of_category(const trib_ranked *ranked, size_t count, int category);
trib_span trib_span_of_image(const trib_ranked *ranked, size_t count, int category, int image);

#endif

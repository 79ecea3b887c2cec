/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/region_labels.h"

/* Of a crowd, a region may show any part. */
static double share_in_crowd(const trib_box *region, const trib_box *crowd)
{
    const double area = trib_box_area(region);
    return area > 0 ? trib_box_intersection(region, crowd) / area : 0;
}

int trib_region_label(const trib_truth *truths, size_t count, const trib_box *region)
{
    double best = 0;
    int category = TRIB_REGION_OF_BACKGROUND;
    bool unclear = false;
    for (size_t i = 0; i < count; ++i) {
        const trib_truth *t = &truths[i];
        const double overlap = t->crowd ? share_in_crowd(region, &t->box) : trib_box_iou(region, &t->box);
        if (overlap < TRIB_REGION_OVERLAP) continue;
        if (t->crowd || t->difficult) {
            unclear = true;
        } else if (overlap > best) {
            best = overlap;
            category = t->category;
        }
    }
    return category == TRIB_REGION_OF_BACKGROUND && unclear ? TRIB_REGION_OF_NEITHER : category;
}

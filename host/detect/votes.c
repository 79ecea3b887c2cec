/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/votes.h"

#include <string.h>

static const double LEAST_OVERLAP = 0.5;

static trib_box box_of(const trib_proposal *p) { return (trib_box) { p->x0, p->y0, p->x1 - p->x0, p->y1 - p->y0 }; }

static double overlap(const trib_box *box, const trib_proposal *region)
{
    const trib_box other = box_of(region);
    return trib_box_iou(box, &other);
}

static void add(double weight, const double *probabilities, int classes, double *sums)
{
    for (int c = 0; c < classes; ++c) sums[c] += weight * probabilities[c];
}

void trib_votes_count(const trib_proposals *regions, int classes, const double *probabilities, double *votes)
{
    const size_t count = regions->count, width = (size_t)classes;
    for (size_t i = 0; i < count; ++i) {
        const trib_box box = box_of(&regions->boxes[i]);
        double *own = votes + i * width, weights = 1;
        memset(own, 0, width * sizeof *own);
        for (size_t j = 0; j < count; ++j) {
            const double o = overlap(&box, &regions->boxes[j]), weight = o * o * o * o;
            if (o < LEAST_OVERLAP) continue;
            weights += weight;
            add(weight, probabilities + j * width, classes, own);
        }
        for (size_t c = 0; c < width; ++c) own[c] /= weights;
    }
}

trib_box trib_voted_box(const trib_proposals *regions, const trib_box *box, int classes, const double *votes, int klass)
{
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0, weights = 0;
    for (size_t j = 0; j < regions->count; ++j) {
        const trib_proposal *p = &regions->boxes[j];
        if (overlap(box, p) < LEAST_OVERLAP) continue;
        const double weight = votes[j * (size_t)classes + (size_t)klass];
        weights += weight;
        x0 += weight * p->x0, y0 += weight * p->y0;
        x1 += weight * p->x1, y1 += weight * p->y1;
    }
    if (!(weights > 0)) return *box;
    return (trib_box) { x0 / weights, y0 / weights, (x1 - x0) / weights, (y1 - y0) / weights };
}

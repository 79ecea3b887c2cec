/* SPDX-License-Identifier: Apache-2.0
 * Regions that nearly coincide show the same object, so they vote: on what it is, and on where it ends.
 *
 * With o(i, j) the IoU of regions i and j, w(i, j) = o(i, j)^4 where o(i, j) >= 0.5, otherwise 0, and p the network's
 * probabilities,
 *
 *     votes[i][class] = sum over j of w(i, j) p[j][class] / (1 + sum over j of w(i, j))
 *
 * i votes for itself with w = 1; the other 1 is a vote for nothing, so that a region that stands alone counts half. A
 * box ends where the regions do that overlap it, on average, each as heavy as its votes for the class: box voting
 * (Gidaris and Komodakis, "Object detection via a multi-region and semantic segmentation-aware CNN model", 2015). */
#ifndef TRIBUTARY_DETECT_VOTES_H
#define TRIBUTARY_DETECT_VOTES_H

#include "detect/boxes.h"
#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `probabilities` and `votes`: regions->count x classes. Sums are in the order of the regions. */
void trib_votes_count(const trib_proposals *regions, int classes, const double *probabilities, double *votes);

/* The mean of the regions that have an IoU of at least 0.5 with a box, weighted by their votes for the class. Without
 * any votes: the box. */
trib_box trib_voted_box(const trib_proposals *regions, const trib_box *box, int classes, const double *votes,
                        int klass);

#ifdef __cplusplus
}
#endif
#endif

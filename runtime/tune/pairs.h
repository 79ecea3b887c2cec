/* SPDX-License-Identifier: Apache-2.0
 * Which of two ways to run is faster, on a machine whose speed varies: they run in pairs, in the order A B B A, and the
 * ratios B / A of the pairs are compared. */
#ifndef TRIBUTARY_RUNTIME_TUNE_PAIRS_H
#define TRIBUTARY_RUNTIME_TUNE_PAIRS_H

#include <stdbool.h>

#include "tributary/tune.h"

/* Below this, with all of its interval, a ratio counts as faster. */
#define TRIB_FASTER 0.99

/* Sorts the ratios. The interval is that of the median, at 95 % or a little more, from order statistics: it assumes
 * nothing of how times are distributed. Of 12 ratios, the 3rd to the 10th; of 20, the 6th to the 15th. Fewer than 6
 * have none: 0 .. INFINITY. A ratio that is no number makes the upper end INFINITY. */
trib_ratio trib_ratio_of(double *ratios, int count);

static inline bool trib_is_faster(const trib_ratio *ratio) { return ratio->high < TRIB_FASTER; }

#endif

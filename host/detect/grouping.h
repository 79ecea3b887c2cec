/* SPDX-License-Identifier: Apache-2.0
 * Grouping: neighbours merge, the most similar first, until one region is left. */
#ifndef TRIBUTARY_DETECT_GROUPING_H
#define TRIBUTARY_DETECT_GROUPING_H

#include "detect/regions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* `similarities`: a set of TRIB_BY_... Writes the boxes of all regions, 2 x regions->count - 1: first the start
 * regions', in their order, then the merged ones' as they appear. Fails when out of memory. */
trib_status trib_group_regions(const trib_regions *regions, unsigned similarities, trib_proposal *boxes);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * Boxes, each once, with the lowest of its ranks. */
#ifndef TRIBUTARY_DETECT_BOX_SET_H
#define TRIBUTARY_DETECT_BOX_SET_H

#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_ranked_box {
    uint64_t rank;
    trib_proposal box;
} trib_ranked_box;

/* All zero: an empty set. */
typedef struct trib_box_set {
    trib_ranked_box *boxes; /* owned */
    uint32_t *table;        /* owned; 1 + index of a box, 0: free; open addressing */
    size_t count, capacity, table_size;
} trib_box_set;
void trib_box_set_release(trib_box_set *set);

/* Fails when out of memory. */
trib_status trib_box_set_add(trib_box_set *set, uint64_t rank, trib_proposal box);
/* By rank, then from the top left. The set only lists from then on. */
void trib_box_set_sort(trib_box_set *set);

#ifdef __cplusplus
}
#endif
#endif

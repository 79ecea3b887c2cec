/* SPDX-License-Identifier: Apache-2.0
 * In how much of a time how many intervals lie. */
#ifndef TRIBUTARY_HOST_PROFILE_OVERLAP_H
#define TRIBUTARY_HOST_PROFILE_OVERLAP_H

#include <stddef.h>
#include <stdint.h>

/* Where an interval begins (+1) or ends (-1). */
typedef struct trib_edge {
    int64_t time;
    int change;
} trib_edge;

/* Adds to at[k] the length of the time in [from, to) in which k intervals lie; all of them lie in [from, to), and none
 * is empty. Sorts the edges. */
void trib_overlap_sweep(trib_edge *edges, size_t count, int64_t from, int64_t to, int64_t *at);

#endif

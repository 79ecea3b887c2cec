/* SPDX-License-Identifier: Apache-2.0
 * Start regions: the graph-based segmentation of tributary/proposals.h. Edges depend on the colours alone, so they are
 * made and sorted once for all k. */
#ifndef TRIBUTARY_DETECT_SEGMENTS_H
#define TRIBUTARY_DETECT_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Weights are in 1/65536 of a grey level. They are that fine because k / size is small for large regions: in steps of
 * 1/64, flat and noisy areas fell into twice as many regions. */
enum { TRIB_SEGMENT_SHIFT = 16, TRIB_MAX_SEGMENT_K = 1 << 24 };

/* Edge 2 p leads from pixel p to the one on its right, 2 p + 1 to the one below. */
typedef struct trib_edge {
    uint32_t weight, edge;
} trib_edge;

/* Edges of neighbouring pixels, lightest first; of equal weight, the lowest first. */
typedef struct trib_edges {
    int width, height;
    size_t count;
    trib_edge *list; /* owned */
} trib_edges;
void trib_edges_release(trib_edges *edges);

/* `planes`: height x width x channels bytes, 1 or 3 channels. Fails when out of memory. */
trib_status trib_edges_make(const uint8_t *planes, int width, int height, int channels, trib_edges *out);

/* Gives each pixel its region: 0, 1, ... in order of their first pixel, row by row; each of at least `k` pixels, unless
 * it is the only one. Fails when out of memory. */
trib_status trib_segments_make(const trib_edges *edges, int k, int32_t *labels, int *count);

#ifdef __cplusplus
}
#endif
#endif

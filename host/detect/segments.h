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

enum {
    TRIB_SEGMENT_UNIT = 64, /* of weights: a grey level is that much */
    TRIB_MAX_SEGMENT_K = 1 << 24
};

/* Edges of neighbouring pixels, lightest first. Edge 2 p leads from pixel p to the one on its right, 2 p + 1 to the one
 * below. */
typedef struct trib_edges {
    int width, height;
    size_t count;
    uint32_t *edges;   /* owned */
    uint16_t *weights; /* owned; in units of 1 / TRIB_SEGMENT_UNIT */
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

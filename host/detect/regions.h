/* SPDX-License-Identifier: Apache-2.0
 * What grouping needs to know of start regions: sizes, boxes, histograms and neighbours. */
#ifndef TRIBUTARY_DETECT_REGIONS_H
#define TRIBUTARY_DETECT_REGIONS_H

#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_COLOUR_BINS = 25, TRIB_HISTOGRAM_STEP = 8 };

typedef struct trib_region_pair {
    int32_t a, b; /* a < b */
} trib_region_pair;

typedef struct trib_regions {
    int count, channels;
    int32_t pixels; /* of the image */
    /* A region's histograms, in pixels: colour_bins of colour, filled up with zeros, then texture_bins of texture; both
     * are multiples of TRIB_HISTOGRAM_STEP. */
    int colour_bins, texture_bins;
    int32_t *histograms; /* owned, as all below; count x (colour_bins + texture_bins) */
    int32_t *sizes;      /* in pixels */
    trib_proposal *boxes;
    trib_region_pair *pairs; /* neighbours, each pair once, ascending */
    size_t pair_count;
} trib_regions;
void trib_regions_release(trib_regions *regions);

/* An image's colours and their texture (trib_texture_bins). */
typedef struct trib_region_source {
    int width, height, channels;
    const uint8_t *planes, *texture;
} trib_region_source;

/* From the labels of trib_segments_make, 0 .. count - 1. Fails when out of memory. */
trib_status trib_regions_make(const trib_region_source *source, const int32_t *labels, int count, trib_regions *out);

#ifdef __cplusplus
}
#endif
#endif

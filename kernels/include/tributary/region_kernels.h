/* SPDX-License-Identifier: Apache-2.0
 * Tributary: regions of pictures, cut, warped, mirrored and normalised in one pass. */
#ifndef TRIBUTARY_REGION_KERNELS_H
#define TRIBUTARY_REGION_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/declare.h"

TRIB_BEGIN_DECLS

/* A region as a device reads it, one per image of a batch. Zeros: no picture; all samples are 0. */
typedef struct trib_region_row {
    uint64_t pixels; /* where the picture's first pixel is, in bytes from `pictures` below: 8-bit RGB, rows of 3 *
                        picture_width bytes */
    int32_t picture_width, picture_height; /* at most TRIB_PICTURE_MOST_SIDE */
    float x, y, width, height;             /* in pixels; see tributary/region.h */
    int32_t mirror, unused;
} trib_region_row;

/* Up to here, float32 tells half a pixel from the next. */
enum { TRIB_PICTURE_MOST_SIDE = 1 << 22 };
enum { TRIB_REGION_ROW_BYTES = 40, TRIB_REGIONS_MOST_CHANNELS = 8 };

typedef struct trib_regions_geometry {
    int n, h, w;                   /* y */
    int channels;                  /* of y, 3 or more; those beyond 3 are 0 */
    int64_t image, pixel, channel; /* elements of y from one to the next */
    bool bgr;                      /* y's channel order */
    float scale[3], shift[3];
} trib_regions_geometry;

/* y[n,i,j,c] = sample * scale[c] + shift[c], with the sample at
 *
 *     px = x + (j + 0.5) * (width / w) - 0.5        py = y + (i + 0.5) * (height / h) - 0.5
 *
 * of picture n, bilinear between the four pixels around it, of which those beyond the edge are the edge; mirrored, j
 * counts from the right. Where the sample's point lies outside of the picture (-0.5 to its width or height - 0.5, both
 * included) y is 0. In float32; a point is fmaf(j + 0.5, width / w, x) - 0.5 on every device, so that all agree on what
 * is outside. A region of w x h pixels at whole coordinates has the numbers of trib_normalise_u8. */
void trib_ref_regions(const trib_regions_geometry *g, const trib_region_row *rows, const uint8_t *pictures, float *y);

TRIB_END_DECLS
#endif

/* SPDX-License-Identifier: Apache-2.0
 * One picture of all layouts: an image is a number of channel groups, a group is rows of pixels, and a pixel holds the
 * group's channels side by side.
 *
 *     nchw     c groups of 1        nhwc     1 group of c      nChw16c  ceil(c/16) groups of 16
 *
 * Element (n, channel, pixel) of a view is at n*image + (channel/width)*group + pixel*pitch + channel%width. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_PIXELS_H
#define TRIBUTARY_RUNTIME_CPU_OPS_PIXELS_H

#include <stdint.h>

#include "tributary/op.h"

typedef struct trib_pixels {
    int n, h, w;
    int channels; /* of the slice, block padding included */
    int width;    /* channels of a group */
    int groups;
    int64_t image, group, pitch; /* floats */
} trib_pixels;

trib_pixels trib_pixels_of(const trib_view *view);
/* Whether `images` consecutive images of the view are adjacent, without parts of other slices in between. */
bool trib_pixels_dense(const trib_view *view, int images);

/* Copies `count` channels of every pixel, from channel `from_first` to channel `to_first`, with max(0, x) on request.
 */
void trib_pixels_copy(const trib_pixels *from, const float *x, int from_first, const trib_pixels *to, float *y,
                      int to_first, int count, bool relu);
/* Adds `count` channels of every pixel, from the first on. */
void trib_pixels_add(const trib_pixels *from, const float *x, const trib_pixels *to, float *y, int count);
/* Zeroes channels [first, channels): the padding behind a tensor's last channel. */
void trib_pixels_clear(const trib_pixels *to, float *y, int first);

#endif

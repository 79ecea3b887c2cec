/* SPDX-License-Identifier: Apache-2.0
 * Tributary: a window of a resized image, computed as PIL computes the whole. */
#ifndef TRIBUTARY_IMAGE_RESAMPLE_H
#define TRIBUTARY_IMAGE_RESAMPLE_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An axis: `in` samples become `out`, of which [first, first + count) are wanted. */
typedef struct trib_axis {
    int in, out, first, count;
} trib_axis;

/* A part of an image. */
typedef struct trib_image_part {
    int left, top, width, height;
} trib_image_part;

/* Allocates `window`: x.count x y.count pixels with the channels of `in`. */
trib_status trib_resample(const trib_image *in, trib_axis x, trib_axis y, trib_interpolation interpolation,
                          trib_resample_order order, trib_image *window);

/* The same for a part of `in`, as if that were an image of its own: x.in and y.in are the box's sizes. */
trib_status trib_resample_box(const trib_image *in, trib_image_part box, trib_axis x, trib_axis y,
                              trib_interpolation interpolation, trib_resample_order order, trib_image *window);

/* Peak memory of trib_resample, including `window`. */
int64_t trib_resample_bytes(trib_axis x, trib_axis y, int channels, trib_interpolation interpolation);

/* Fixed point: sums of pixel * weight are scaled by 2^22 and rounded before they are clamped to 0..255. */
enum { TRIB_WEIGHT_BITS = 22, TRIB_WEIGHT_HALF = 1 << (TRIB_WEIGHT_BITS - 1) };

/* Wanted sample i is the sum of in[begin[i] + t] * weight[i * taps + t] over t < length[i]; the rest are 0. `taps` is
 * even. */
typedef struct trib_weights {
    int count, taps;
    int *begin, *length;
    int32_t *weight;
} trib_weights;

/* 0: too many, and trib_weights_make fails. */
int trib_weights_taps(trib_axis axis, trib_interpolation interpolation);
trib_status trib_weights_make(trib_axis axis, trib_interpolation interpolation, trib_weights *out);
void trib_weights_release(trib_weights *w);

/* The two inner loops. All variants give the same bytes. */
typedef struct trib_resample_kernels {
    /* Filters `rows` rows, row_bytes apart, to the window's columns, out_bytes apart. Reads no byte at or after `end`.
     */
    void (*horizontal)(const uint8_t *in, size_t row_bytes, const uint8_t *end, int rows, int channels,
                       const trib_weights *w, uint8_t *out, size_t out_bytes);
    /* Filters `taps` rows to one row of `bytes`. */
    void (*vertical)(const uint8_t *const *rows, const int32_t *weight, int taps, size_t bytes, uint8_t *out);
} trib_resample_kernels;

trib_resample_kernels trib_resample_portable(void);
/* The fastest variant for this machine. */
trib_resample_kernels trib_resample_best(void);

static inline uint8_t trib_clip_sum(int32_t sum)
{
    int32_t v = sum >> TRIB_WEIGHT_BITS;
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
}

#ifdef __cplusplus
}
#endif
#endif

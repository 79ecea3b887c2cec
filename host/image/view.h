/* SPDX-License-Identifier: Apache-2.0
 * Tributary: what a key decides about a view, before any pixel is touched. */
#ifndef TRIBUTARY_IMAGE_VIEW_H
#define TRIBUTARY_IMAGE_VIEW_H

#include "image/resample.h"
#include "tributary/sampling.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum trib_distortion { TRIB_CONTRAST = 0, TRIB_BRIGHTNESS, TRIB_COLOUR } trib_distortion;
enum { TRIB_DISTORTIONS = 3 };

typedef struct trib_image_view {
    trib_image_part box; /* part of the image that is resized */
    trib_axis x, y;      /* and how */
    trib_interpolation interpolation;
    bool mirror;
    trib_distortion order[TRIB_DISTORTIONS];
    float factor[TRIB_DISTORTIONS]; /* of each kind; 1: none */
    double shift[3];                /* added to R, G and B (0 .. 255) */
} trib_image_view;

/* For an image of width x height pixels. */
trib_status trib_image_view_draw(const trib_sampling *sampling, const trib_preprocess *preprocess, int width,
                                 int height, uint64_t key, trib_image_view *out);

/* One of PIL's ImageEnhance classes, on RGB, in place. */
void trib_distort(trib_image *image, trib_distortion kind, float factor);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: random views of an image for training: crop, mirror, interpolation, distortion of colours.
 *
 * A view depends on the image, the sampling, and a 64-bit key: the same three give the same bytes on any thread, in any
 * order, after any restart. */
#ifndef TRIBUTARY_SAMPLING_H
#define TRIBUTARY_SAMPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/image.h"

TRIB_BEGIN_DECLS

typedef enum trib_sampling_crop {
    TRIB_CROP_EVALUATION = 0, /* that of the preprocessing: resize, then the centre */
    TRIB_CROP_WINDOW,         /* the whole image squashed to 8/7 of the crop (256 for 224), then a window anywhere */
    TRIB_CROP_AREA            /* a part of random area and aspect ratio, resized to the crop */
} trib_sampling_crop;

/* What is random. All numbers are drawn independently of each other. */
typedef struct trib_sampling {
    const char *name;
    trib_sampling_crop crop;
    /* TRIB_CROP_AREA: the share of the image's area, 0 < min <= max <= 1, distributed evenly; and width over height,
     * whose logarithm is distributed evenly. Of ten tries, the first that fits into the image counts; otherwise the
     * largest centre crop of a permitted aspect ratio is taken. */
    double min_area, max_area, min_aspect, max_aspect;
    bool any_interpolation; /* bilinear, bicubic, nearest or area, each as likely; otherwise the preprocessing's */
    bool mirror;            /* left and right swapped for every second image */
    /* Contrast, brightness and colour, in random order, each with a factor of 1 - distortion to 1 + distortion
     * (0 .. 1), as PIL's ImageEnhance does it. */
    double distortion;
    /* Colours shifted along the principal components of ImageNet's, each by a normal number with this deviation times
     * the component's eigenvalue (AlexNet's lighting). */
    double lighting;
} trib_sampling;

/* The presets:
 *
 *     none     evaluation preprocessing; nothing is random
 *     mirror   the same, mirrored at random
 *     caffe    window, mirror
 *     paper    area 8 to 100 %, aspect ratio 3/4 to 4/3, any interpolation, mirror, distortion 0.5, lighting 0.1
 *
 * NULL: there is none of this name. */
const trib_sampling *trib_sampling_find(const char *name);
/* The i-th preset; NULL past the last. */
const trib_sampling *trib_sampling_at(int i);
/* Fails with TRIB_INVALID_ARGUMENT, naming the field. */
trib_status trib_sampling_check(const trib_sampling *sampling);

/* A view of the image: 8-bit RGB of preprocess->crop_width x crop_height pixels, released by the caller. Of
 * `preprocess`, the normalisation is not used, and resizing only where `sampling` says so. */
trib_status trib_sampling_pixels(const trib_sampling *sampling, const trib_preprocess *preprocess,
                                 const trib_image *image, uint64_t key, trib_image *out);
/* The same, then normalised as trib_preprocess_image does. */
trib_status trib_sampling_image(const trib_sampling *sampling, const trib_preprocess *preprocess,
                                const trib_image *image, uint64_t key, trib_layout layout, float *out);
/* Most memory that either takes for such an image and any key, without the image and `out`; 0 if they would refuse it.
 */
int64_t trib_sampling_bytes(const trib_sampling *sampling, const trib_preprocess *preprocess, int width, int height,
                            int channels);

TRIB_END_DECLS
#endif

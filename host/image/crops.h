/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the parts of an image that a network is asked about, whose probabilities are averaged.
 *
 *     1     the model's own preprocessing: one part
 *     10    the centre square of the smallest scale: its four corners and its centre; each also mirrored
 *     144   of each scale the left, centre and right square (top, centre and bottom of an upright image); of each
 * square the four corners, the centre and the whole square resized to the input; each also mirrored: 36 for each of the
 * paper's four scales
 *
 * A scale is the length of the image's short side after a resize that keeps the aspect; the long side is rounded down,
 * and centres are at int(round((a - b) / 2)), half to even, both as in torchvision. The whole image is resized before
 * anything is cut, in 8 bits, with the model's interpolation and order of passes.
 *
 * Parts that coincide are listed once, with a larger weight: a square image has 48 of 144. Mirroring is left to who
 * cuts (trib_region.mirror). */
#ifndef TRIBUTARY_IMAGE_CROPS_H
#define TRIBUTARY_IMAGE_CROPS_H

#include "image/resample.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    TRIB_MOST_SCALES = 8,
    TRIB_CROPS_OF_A_SCALE = 36,
    TRIB_MOST_CROPS = TRIB_MOST_SCALES * TRIB_CROPS_OF_A_SCALE,
    TRIB_MOST_CROP_PICTURES = TRIB_MOST_SCALES * 6
};

/* Made by trib_crops_init. */
typedef struct trib_crops {
    int policy; /* 1, 10 or 144 */
    trib_preprocess preprocess;
    int scales[TRIB_MOST_SCALES], scale_count; /* 0 for 1 crop, one for 10 */
} trib_crops;

/* Checks the policy and fills `out`. scale_count 0: the paper's 256, 288, 320 and 352 times input size / 224, rounded;
 * of several, 10 crops take the smallest. Fails with TRIB_INVALID_ARGUMENT if the policy is unknown, if 1 crop is given
 * scales, if a scale is smaller than the input or there are too many, and, for 10 and 144 crops, if the input is not
 * square: what these parts would be is defined for squares only. */
trib_status trib_crops_init(const trib_preprocess *preprocess, int policy, const int *scales, int scale_count,
                            trib_crops *out);

/* How many parts the policy has by name, those that coincide counted each: 1, 10, or 36 for each scale. */
int trib_crops_evaluations(const trib_crops *crops);

/* Whether both ask for the same pixels of every image: normalisation, which comes later, may differ. */
bool trib_crops_same(const trib_crops *a, const trib_crops *b);

/* One part: a box of a picture. Its network input is the picture's pixels themselves: width x height is the input. */
typedef struct trib_crop {
    int picture; /* index */
    int x, y, width, height;
    bool mirror;
    int times;     /* how often the policy has it */
    double weight; /* times / evaluations: they sum to 1 */
} trib_crop;

/* How a picture is made: a window of the resized image, or a square of an earlier picture, resized. */
typedef struct trib_crop_picture {
    int from;             /* an earlier picture; -1: the image */
    trib_image_part part; /* of that, the part which is resized */
    trib_axis x, y;       /* and how */
} trib_crop_picture;

/* What an image of one size gives. The order depends on nothing but policy and size: scales as given, squares left to
 * right or top to bottom, corners (top left, top right, bottom left, bottom right), centre, whole, and each before its
 * mirror image. */
typedef struct trib_crop_layout {
    int picture_count, crop_count;
    trib_crop_picture pictures[TRIB_MOST_CROP_PICTURES];
    trib_crop crops[TRIB_MOST_CROPS];
} trib_crop_layout;

/* For an image of width x height pixels. Fails with TRIB_BAD_DATA if the image is too elongated to be resized. */
trib_status trib_crops_layout(const trib_crops *crops, int width, int height, trib_crop_layout *out);

/* The pictures of a layout, 8-bit RGB, made from an image of the layout's size: layout->picture_count of them. On
 * failure, `pictures` are empty. Release each with trib_image_release. */
trib_status trib_crops_pictures(const trib_crops *crops, const trib_crop_layout *layout, const trib_image *image,
                                trib_image *pictures);

/* Peak memory of trib_crops_pictures for an image of such a size, without the image; 0 if it would be refused. Bounded
 * for every aspect: three squares and three inputs for each scale, and the rows that a resize goes through. */
int64_t trib_crops_bytes(const trib_crops *crops, int width, int height, int channels);

#ifdef __cplusplus
}
#endif
#endif

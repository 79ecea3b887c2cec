/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the steps of preprocessing, which evaluation and sampling share. */
#ifndef TRIBUTARY_IMAGE_PREPROCESS_H
#define TRIBUTARY_IMAGE_PREPROCESS_H

#include "image/resample.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fails if the caller's image is empty or cannot be resized. */
trib_status trib_image_check(const trib_image *image);
/* Fails if `call` cannot write there. */
trib_status trib_preprocess_check_output(const char *call, trib_layout layout, const float *out);
/* Python's int(round((size - crop) / 2.0)): halves are rounded to even. */
int trib_centre_offset(int size, int crop);
/* Resize and centre crop of an image of w x h pixels. */
trib_status trib_preprocess_axes(const trib_preprocess *p, int w, int h, trib_axis *x, trib_axis *y);
/* Turns gray into RGB. */
trib_status trib_image_to_rgb(trib_image *image);
void trib_preprocess_normalise_pixels(const trib_preprocess *p, const trib_image *crop, trib_layout layout, float *out);

#ifdef __cplusplus
}
#endif
#endif

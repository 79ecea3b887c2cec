/* SPDX-License-Identifier: Apache-2.0
 * Tributary: which side of a photo is up. */
#ifndef TRIBUTARY_IMAGE_EXIF_H
#define TRIBUTARY_IMAGE_EXIF_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The orientation, 1 to 8, in EXIF data (with or without the leading "Exif\\0\\0"); 1, upright, if there is none. */
int trib_exif_orientation(const uint8_t *bytes, size_t size);

/* Turns and mirrors an image of `orientation` upright; on failure it stays as it was. */
trib_status trib_image_turn_upright(trib_image *image, int orientation);

#ifdef __cplusplus
}
#endif
#endif

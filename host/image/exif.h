/* SPDX-License-Identifier: Apache-2.0
 * Tributary: which side of a photo is up. */
#ifndef TRIBUTARY_IMAGE_EXIF_H
#define TRIBUTARY_IMAGE_EXIF_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The orientation, 1 to 8, that EXIF data (with or without its "Exif\0\0") gives; 1, upright, when it gives none. */
int trib_exif_orientation(const uint8_t *bytes, size_t size);

/* Turns and mirrors an image of `orientation` so that it is upright; on failure it stays as it was. */
trib_status trib_image_turn_upright(trib_image *image, int orientation);

#ifdef __cplusplus
}
#endif
#endif

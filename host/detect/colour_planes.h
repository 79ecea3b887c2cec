/* SPDX-License-Identifier: Apache-2.0
 * The colours of an image in the spaces of tributary/proposals.h. */
#ifndef TRIBUTARY_DETECT_COLOUR_PLANES_H
#define TRIBUTARY_DETECT_COLOUR_PLANES_H

#include "tributary/proposals.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Channels of a colour space: 1 or 3. */
int trib_colour_channels(trib_colour_space space);
/* Writes width x height x channels bytes, interleaved as the image is. Fails when out of memory. */
trib_status trib_colour_planes(const trib_image *image, trib_colour_space space, uint8_t *out);

#ifdef __cplusplus
}
#endif
#endif

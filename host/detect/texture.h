/* SPDX-License-Identifier: Apache-2.0
 * Texture of tributary/proposals.h, pixel by pixel. */
#ifndef TRIBUTARY_DETECT_TEXTURE_H
#define TRIBUTARY_DETECT_TEXTURE_H

#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_TEXTURE_AXES = 4, TRIB_TEXTURE_BINS = 10 };

/* For each row, axis (across, down, and their sum and difference), pixel and channel one byte: the bin of the
 * derivative's size, plus TRIB_TEXTURE_BINS where it is negative; 0 in the first bin of either sign. `planes` is height
 * x width x channels bytes, `out` height x 4 x width x channels. Fails when out of memory. */
trib_status trib_texture_bins(const uint8_t *planes, int width, int height, int channels, uint8_t *out);

#ifdef __cplusplus
}
#endif
#endif

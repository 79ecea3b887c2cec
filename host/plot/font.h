/* SPDX-License-Identifier: Apache-2.0
 * Letters for pictures: ASCII, in cells of 5 x 9 pixels. Capitals take the upper 7 rows; the lower 2 are for what
 * reaches below the line. */
#ifndef TRIBUTARY_PLOT_FONT_H
#define TRIBUTARY_PLOT_FONT_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_GLYPH_WIDTH = 5, TRIB_GLYPH_HEIGHT = 9, TRIB_GLYPH_STEP = 6 /* from one character to the next */ };

/* Whether a pixel belongs to the character; characters that are not printable ASCII are a frame. */
bool trib_glyph_has(unsigned char character, int row, int column);

#ifdef __cplusplus
}
#endif
#endif

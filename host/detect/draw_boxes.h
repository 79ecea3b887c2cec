/* SPDX-License-Identifier: Apache-2.0
 * Boxes on pictures, for people. */
#ifndef TRIBUTARY_DETECT_DRAW_BOXES_H
#define TRIBUTARY_DETECT_DRAW_BOXES_H

#include "detect/boxes.h"
#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_colour {
    uint8_t r, g, b;
} trib_colour;

/* Neighbouring classes differ most; none is dark. */
trib_colour trib_class_colour(int klass);

/* Draws a frame inside the box, and above it, or inside where there is no room, `text` on the frame's colour. Of
 * `text`, UTF-8, characters beyond ASCII are small frames; what does not fit in the picture is left out. Lines and
 * letters grow with the picture. What reaches beyond the picture is cut off; a box without area is a line. `picture`
 * has three channels. */
void trib_draw_box(trib_image *picture, const trib_box *box, trib_colour colour, const char *text);

#ifdef __cplusplus
}
#endif
#endif

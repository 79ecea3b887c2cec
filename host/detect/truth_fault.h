/* SPDX-License-Identifier: Apache-2.0
 * Truth that cannot be true. */
#ifndef TRIBUTARY_DETECT_TRUTH_FAULT_H
#define TRIBUTARY_DETECT_TRUTH_FAULT_H

#include "detect/boxes.h"

/* All of the box is beyond an edge of the image, whose size is known. (Real annotations go a pixel or two beyond
 * edges.) */
static inline bool trib_is_outside(const trib_box *box, const trib_boxed_image *image)
{
    const bool beside = box->x > image->width || box->x + box->width < 0;
    const bool above = box->y > image->height || box->y + box->height < 0;
    return image->width > 0 && image->height > 0 && (beside || above);
}

#endif

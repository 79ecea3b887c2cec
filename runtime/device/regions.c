/* SPDX-License-Identifier: Apache-2.0 */
#include "device/regions.h"

#include <string.h>

/* The channels, which are at most a block of any layout, lie side by side or in planes; a block's padding is written,
 * too. */
trib_regions_geometry trib_regions_of(const trib_op_desc *desc)
{
    const trib_normalise *a = &desc->attributes.regions.normalise;
    const trib_view *y = &desc->outputs[0];
    const int64_t area = (int64_t)y->h * y->w;
    const int block = trib_layout_block(y->layout), total = (y->c_total + block - 1) / block * block;
    trib_regions_geometry g = { .n = y->n, .h = y->h, .w = y->w, .channels = y->c, .bgr = a->bgr };
    g.image = total * area;
    g.pixel = y->layout == TRIB_NHWC ? total : block;
    g.channel = y->layout == TRIB_NCHW ? area : 1;
    if (block > 1) g.channels = block;
    memcpy(g.scale, a->scale, sizeof g.scale);
    memcpy(g.shift, a->shift, sizeof g.shift);
    return g;
}

/* SPDX-License-Identifier: Apache-2.0
 * The fourth branch: its pool becomes the prologue of the following 1x1 convolution, so that the pooled image, as large
 * as the module's input, is never materialised. */
#include "lowering/fuse.h"
#include "lowering/passes.h"

/* Pixels of the smallest tile that a core of a GPU computes at a time. */
enum { TILE_PIXELS = 128 };

/* A GPU needs a tile for every core. With fewer pixels the joined op is the longest of its module: on an H100, 11 to 16
 * us at batch 1, where a pool and a library's product take 6 together. */
static bool fills_the_device(const trib_lowering *l, const trib_op_desc *joined)
{
    const trib_device_info *info = trib_device_get_info(l->device);
    const trib_view *y = &joined->outputs[0];
    const bool forced = l->options.forced_passes >> TRIB_PASS_FUSE_POOL_PROJECTION & 1u;
    return forced || info->host || (int64_t)y->n * y->h * y->w >= (int64_t)info->cores * TILE_PIXELS;
}

trib_status trib_pass_fuse_pool_projection(trib_lowering *l)
{
    int maxima = 0, averages = 0;
    TRIB_TRY(trib_fuse_pairs(l, TRIB_PASS_FUSE_POOL_PROJECTION, TRIB_MAX_POOL2D, TRIB_CONV2D, TRIB_AS_PROLOGUE,
                             fills_the_device, &maxima));
    TRIB_TRY(trib_fuse_pairs(l, TRIB_PASS_FUSE_POOL_PROJECTION, TRIB_AVG_POOL2D, TRIB_CONV2D, TRIB_AS_PROLOGUE,
                             fills_the_device, &averages));
    return trib_lowering_note(l, "fuse_pool_projection: %d pools became part of the 1x1 convolution behind them",
                              maxima + averages);
}

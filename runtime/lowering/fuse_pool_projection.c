/* SPDX-License-Identifier: Apache-2.0
 * The fourth branch: its pool becomes the prologue of the following 1x1 convolution, so that the pooled image, as large
 * as the module's input, is never materialised. */
#include "lowering/fuse.h"
#include "lowering/passes.h"

trib_status trib_pass_fuse_pool_projection(trib_lowering *l)
{
    int maxima = 0, averages = 0;
    TRIB_TRY(
        trib_fuse_pairs(l, TRIB_PASS_FUSE_POOL_PROJECTION, TRIB_MAX_POOL2D, TRIB_CONV2D, TRIB_AS_PROLOGUE, &maxima));
    TRIB_TRY(
        trib_fuse_pairs(l, TRIB_PASS_FUSE_POOL_PROJECTION, TRIB_AVG_POOL2D, TRIB_CONV2D, TRIB_AS_PROLOGUE, &averages));
    return trib_lowering_note(l, "fuse_pool_projection: %d pools became part of the 1x1 convolution behind them",
                              maxima + averages);
}

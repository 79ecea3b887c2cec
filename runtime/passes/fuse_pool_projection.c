/* SPDX-License-Identifier: Apache-2.0
 * The fourth branch: its 3x3 max pool and the 1x1 convolution behind it become one op, so that the pooled image, as
 * large as the module's input, is nowhere stored. */
#include "passes/fuse.h"
#include "passes/passes.h"

static bool convolution_of_pool(const trib_op_desc *pool, const trib_op_desc *conv, trib_op_desc *desc)
{
    const trib_view *x = &pool->inputs[0], *pooled = &pool->outputs[0];
    if (conv->output_count != 1 || pooled->h != x->h || pooled->w != x->w) return false;
    desc->kind = TRIB_MAX_POOL2D_CONV2D;
    desc->attributes.pool_conv = (trib_pool_conv) { pool->attributes.pool2d, conv->attributes.conv2d };
    return true;
}

trib_status trib_pass_fuse_pool_projection(trib_lowering *l)
{
    int joined = 0;
    TRIB_TRY(trib_join_pairs(l, TRIB_MAX_POOL2D, TRIB_CONV2D, convolution_of_pool, &joined));
    return trib_lowering_note(l, "fuse_pool_projection: %d pools became part of the 1x1 convolution behind them",
                              joined);
}

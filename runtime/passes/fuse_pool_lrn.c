/* SPDX-License-Identifier: Apache-2.0
 * The stem's pairs: pool1 and norm1, norm2 and pool2. What lies between them is 0.8 MB (pool1) and 2.4 MB (norm2) per
 * image in float32, the largest single saving of memory traffic there is. */
#include "passes/fuse.h"
#include "passes/passes.h"

static bool lrn_of_pool(const trib_op_desc *pool, const trib_op_desc *lrn, trib_op_desc *desc)
{
    desc->kind = TRIB_MAX_POOL2D_LRN;
    desc->attributes.pool_lrn = (trib_pool_lrn) { pool->attributes.pool2d, lrn->attributes.lrn };
    return true;
}

static bool pool_of_lrn(const trib_op_desc *lrn, const trib_op_desc *pool, trib_op_desc *desc)
{
    desc->kind = TRIB_LRN_MAX_POOL2D;
    desc->attributes.pool_lrn = (trib_pool_lrn) { pool->attributes.pool2d, lrn->attributes.lrn };
    return true;
}

trib_status trib_pass_fuse_pool_lrn(trib_lowering *l)
{
    int after = 0, before = 0;
    TRIB_TRY(trib_join_pairs(l, TRIB_MAX_POOL2D, TRIB_LRN, lrn_of_pool, &after));
    TRIB_TRY(trib_join_pairs(l, TRIB_LRN, TRIB_MAX_POOL2D, pool_of_lrn, &before));
    return trib_lowering_note(l, "fuse_pool_lrn: %d pairs of a max pool and an LRN became one op", after + before);
}

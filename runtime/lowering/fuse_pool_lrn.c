/* SPDX-License-Identifier: Apache-2.0
 * The stem's pairs: pool1 and norm1, norm2 and pool2. The tensors between them take 0.8 MB (pool1) and 2.4 MB (norm2)
 * per image in float32, so this saves more memory traffic than any other pass. */
#include "lowering/fuse.h"
#include "lowering/passes.h"

trib_status trib_pass_fuse_pool_lrn(trib_lowering *l)
{
    int after = 0, before = 0;
    TRIB_TRY(trib_fuse_pairs(l, TRIB_PASS_FUSE_POOL_LRN, TRIB_MAX_POOL2D, TRIB_LRN, TRIB_AS_EPILOGUE, NULL, &after));
    TRIB_TRY(trib_fuse_pairs(l, TRIB_PASS_FUSE_POOL_LRN, TRIB_LRN, TRIB_MAX_POOL2D, TRIB_AS_PROLOGUE, NULL, &before));
    return trib_lowering_note(l, "fuse_pool_lrn: %d pairs of a max pool and an LRN became one op", after + before);
}

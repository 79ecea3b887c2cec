/* SPDX-License-Identifier: Apache-2.0
 * Shared by passes that make one op of several. They run before implementations are chosen; each asks the device
 * whether it can run the joined op, and otherwise leaves the ops unchanged. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_FUSE_H
#define TRIBUTARY_RUNTIME_LOWERING_FUSE_H

#include "lowering/lowering.h"

trib_status trib_can_run(const trib_lowering *lowering, const trib_op_desc *desc, bool *can);

/* Wherever an op of kind `first` is followed by one of kind `second`, its only reader, the two become one op: the first
 * as the prologue of the second, or the second as the epilogue of the first. Only in forks that the pass concerns
 * (trib_pass_concerns), and where the joined op is worth it (NULL: always). Counts the pairs. */
typedef enum trib_fusion { TRIB_AS_PROLOGUE, TRIB_AS_EPILOGUE } trib_fusion;
typedef bool trib_worth_fusing(const trib_lowering *lowering, const trib_op_desc *joined);
trib_status trib_fuse_pairs(trib_lowering *lowering, trib_pass pass, trib_kind first, trib_kind second,
                            trib_fusion fusion, trib_worth_fusing *worth, int *fused);

#endif

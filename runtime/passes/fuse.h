/* SPDX-License-Identifier: Apache-2.0
 * What the passes that make one op of several share. They run before implementations are chosen; each asks the device
 * first whether it can run the joined op, and leaves the ops as they are where it cannot. */
#ifndef TRIBUTARY_RUNTIME_PASSES_FUSE_H
#define TRIBUTARY_RUNTIME_PASSES_FUSE_H

#include "plan/lowering.h"

trib_status trib_can_run(const trib_lowering *lowering, const trib_op_desc *desc, bool *can);

/* Joins an op of kind `first` with the op of kind `second` that alone reads what it writes, wherever there is such a
 * pair. `join` fills `desc` from the two (its views are set: the input of the first, the outputs of the second) or
 * returns false when these two do not fit. Counts the pairs. */
typedef bool (*trib_join_descs)(const trib_op_desc *first, const trib_op_desc *second, trib_op_desc *desc);
trib_status trib_join_pairs(trib_lowering *lowering, trib_kind first, trib_kind second, trib_join_descs join,
                            int *joined);

void trib_remove_op(trib_lowering *lowering, size_t index);

#endif

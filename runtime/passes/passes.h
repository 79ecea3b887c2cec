/* SPDX-License-Identifier: Apache-2.0
 * Lowering, one file per pass. Graph passes rewrite a graph of their own; plan passes rewrite the lowering. */
#ifndef TRIBUTARY_RUNTIME_PASSES_PASSES_H
#define TRIBUTARY_RUNTIME_PASSES_PASSES_H

#include "graph/graph.h"
#include "plan/lowering.h"

/* Keeps what the wanted outputs need, and drops what is an identity at inference. Always runs. */
trib_status trib_pass_prune(trib_graph *graph, int *removed);
trib_status trib_pass_fold_batch_norm(trib_graph *graph, int *folded);
trib_status trib_pass_fuse_bias_relu(trib_graph *graph, int *fused);

/* Gives branch ends their slice of the joined buffer. Layouts are known, implementations are not. */
trib_status trib_pass_elide_concat(trib_lowering *lowering);
/* Ops that become one; the first two belong to the schedule `fused`. */
trib_status trib_pass_merge_reductions(trib_lowering *lowering);
trib_status trib_pass_fuse_pool_projection(trib_lowering *lowering);
trib_status trib_pass_fuse_pool_lrn(trib_lowering *lowering);
trib_status trib_pass_choose_implementation(trib_lowering *lowering);
trib_status trib_pass_assign_streams(trib_lowering *lowering);
trib_status trib_pass_plan_memory(trib_lowering *lowering);

#endif

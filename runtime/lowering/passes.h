/* SPDX-License-Identifier: Apache-2.0
 * Lowering, one file per pass, listed in the table of pipeline.c. A pass changes the lowering, and notes what it did.
 */
#ifndef TRIBUTARY_RUNTIME_LOWERING_PASSES_H
#define TRIBUTARY_RUNTIME_LOWERING_PASSES_H

#include "lowering/lowering.h"

/* What a pass changes. */
typedef enum trib_pass_stage {
    TRIB_PASSES_ON_GRAPH = 0, /* layers */
    TRIB_PASSES_ON_VIEWS,     /* places of the layers' outputs; no ops yet */
    TRIB_PASSES_ON_OPS        /* the plan's ops and buffers */
} trib_pass_stage;

/* Runs the passes of a stage, in order, except those that are switched off or whose schedules no fork has. */
trib_status trib_run_passes(trib_lowering *lowering, trib_pass_stage stage);
/* Whether the schedule of this fork (-1: outside of all) is one of the pass's. Passes for some schedules check every op
 * with this. */
bool trib_pass_concerns(const trib_lowering *lowering, trib_pass pass, int fork);
/* Fails if a pass that such a plan requires is among these (bits 1u << trib_pass). */
trib_status trib_check_disabled_passes(unsigned disabled, bool training);

trib_status trib_pass_prune(trib_lowering *lowering);
trib_status trib_pass_fold_batch_norm(trib_lowering *lowering);
trib_status trib_pass_fuse_bias_relu(trib_lowering *lowering);
trib_status trib_pass_elide_concat(trib_lowering *lowering);
trib_status trib_pass_merge_reductions(trib_lowering *lowering);
trib_status trib_pass_widen_joins(trib_lowering *lowering);
trib_status trib_pass_fuse_pool_projection(trib_lowering *lowering);
trib_status trib_pass_fuse_pool_lrn(trib_lowering *lowering);
trib_status trib_pass_backward(trib_lowering *lowering);
trib_status trib_pass_recompute(trib_lowering *lowering);
trib_status trib_pass_choose_implementation(trib_lowering *lowering);
trib_status trib_pass_prepare_parameters(trib_lowering *lowering);
trib_status trib_pass_assign_streams(trib_lowering *lowering);
trib_status trib_pass_plan_memory(trib_lowering *lowering);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The passes, in the order they run. */
#include <string.h>

#include "lowering/passes.h"

typedef struct pass_row {
    const char *name;
    trib_pass_stage stage;
    unsigned schedules; /* only for these schedules, bits 1u << schedule; 0: for all */
    bool required;      /* cannot be switched off */
    bool knows_off;     /* also runs when switched off, in its simplest form */
    bool fuses;         /* makes one op of several layers: not for the reference, which has one op per layer */
    unsigned purposes;  /* only for these, bits 1u << purpose; 0: for both */
    trib_status (*run)(trib_lowering *lowering);
} pass_row;

typedef enum purpose { INFERENCE, TRAINING } purpose;

#define ONLY(which) (1u << (which))

static const pass_row rows[TRIB_PASS_COUNT] = {
    [TRIB_PASS_PRUNE] = { "prune", TRIB_PASSES_ON_GRAPH, .required = true, .run = trib_pass_prune },
    [TRIB_PASS_FOLD_BATCH_NORM] = { "fold_batch_norm", TRIB_PASSES_ON_GRAPH, .purposes = ONLY(INFERENCE),
                                    .run = trib_pass_fold_batch_norm },
    [TRIB_PASS_FUSE_BIAS_RELU] = { "fuse_bias_relu", TRIB_PASSES_ON_GRAPH, .run = trib_pass_fuse_bias_relu },
    [TRIB_PASS_ELIDE_CONCAT] = { "elide_concat", TRIB_PASSES_ON_VIEWS, .run = trib_pass_elide_concat },
    /* These three take branches off the figure's streams, so they are only for forks with that schedule. */
    [TRIB_PASS_MERGE_REDUCTIONS] = { "merge_reductions", TRIB_PASSES_ON_OPS, .schedules = ONLY(TRIB_FUSED),
                                     .fuses = true, .purposes = ONLY(INFERENCE), .run = trib_pass_merge_reductions },
    [TRIB_PASS_WIDEN_JOINS] = { "widen_joins", TRIB_PASSES_ON_OPS, .schedules = ONLY(TRIB_FUSED), .fuses = true,
                                .purposes = ONLY(INFERENCE), .run = trib_pass_widen_joins },
    [TRIB_PASS_FUSE_POOL_PROJECTION] = { "fuse_pool_projection", TRIB_PASSES_ON_OPS, .schedules = ONLY(TRIB_FUSED),
                                         .fuses = true, .purposes = ONLY(INFERENCE),
                                         .run = trib_pass_fuse_pool_projection },
    [TRIB_PASS_FUSE_POOL_LRN] = { "fuse_pool_lrn", TRIB_PASSES_ON_OPS, .fuses = true, .purposes = ONLY(INFERENCE),
                                  .run = trib_pass_fuse_pool_lrn },
    [TRIB_PASS_BACKWARD] = { "backward", TRIB_PASSES_ON_OPS, .required = true, .purposes = ONLY(TRAINING),
                             .run = trib_pass_backward },
    [TRIB_PASS_RECOMPUTE] = { "recompute", TRIB_PASSES_ON_OPS, .purposes = ONLY(TRAINING), .run = trib_pass_recompute },
    [TRIB_PASS_CHOOSE_IMPLEMENTATION] = { "choose_implementation", TRIB_PASSES_ON_OPS, .required = true,
                                          .run = trib_pass_choose_implementation },
    [TRIB_PASS_PREPARE_PARAMETERS] = { "prepare_parameters", TRIB_PASSES_ON_OPS, .required = true,
                                       .purposes = ONLY(INFERENCE), .run = trib_pass_prepare_parameters },
    [TRIB_PASS_ASSIGN_STREAMS] = { "assign_streams", TRIB_PASSES_ON_OPS, .required = true,
                                   .run = trib_pass_assign_streams },
    [TRIB_PASS_PLAN_MEMORY] = { "plan_memory", TRIB_PASSES_ON_OPS, .knows_off = true, .run = trib_pass_plan_memory },
};

const char *trib_pass_name(trib_pass pass) { return (unsigned)pass < TRIB_PASS_COUNT ? rows[pass].name : "unknown"; }

int trib_pass_find(const char *name)
{
    for (int i = 0; i < TRIB_PASS_COUNT; ++i)
        if (!strcmp(rows[i].name, name)) return i;
    return -1;
}

static bool serves(const pass_row *row, bool training)
{
    return !row->purposes || row->purposes >> (training ? TRAINING : INFERENCE) & 1u;
}

trib_status trib_check_disabled_passes(unsigned disabled, bool training)
{
    for (int i = 0; i < TRIB_PASS_COUNT; ++i)
        if (rows[i].required && serves(&rows[i], training) && disabled >> i & 1u)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the pass %s cannot be left out: no plan is made without it",
                              rows[i].name);
    return trib_success();
}

bool trib_pass_concerns(const trib_lowering *l, trib_pass pass, int fork)
{
    unsigned schedules = rows[pass].schedules;
    return !schedules || schedules >> trib_plan_schedule_of(l->plan, fork) & 1u;
}

static bool concerns_any(const trib_lowering *l, trib_pass pass)
{
    for (int fork = -1; fork < l->plan->fork_count; ++fork)
        if (trib_pass_concerns(l, pass, fork)) return true;
    return false;
}

static bool runs(const trib_lowering *l, trib_pass pass)
{
    const pass_row *row = &rows[pass];
    if (!concerns_any(l, pass)) return false;
    if (row->fuses && l->options.reference) return false;
    if (!serves(row, l->options.training)) return false;
    return row->knows_off || !trib_pass_disabled(l, pass);
}

trib_status trib_run_passes(trib_lowering *l, trib_pass_stage stage)
{
    for (int i = 0; i < TRIB_PASS_COUNT; ++i)
        if (rows[i].stage == stage && runs(l, (trib_pass)i)) TRIB_TRY(rows[i].run(l));
    return trib_success();
}

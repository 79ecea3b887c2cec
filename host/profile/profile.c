/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/profile.h"

#include <string.h>

#include "profile/analysis.h"
#include "profile/blocks.h"

static trib_status allocate(trib_analysis *a)
{
    const size_t ops = (size_t)a->graph->op_count;
    const size_t windows = (size_t)(a->graph->part_count ? a->graph->part_count : 1);
    a->out->op_count = a->graph->op_count;
    a->out->stream_count = a->graph->stream_count;
    a->out->window_count = (int)windows;
    a->out->ops = a->ops = trib_blocks_add(&a->out->storage, ops, sizeof *a->ops);
    a->out->windows = a->windows = trib_blocks_add(&a->out->storage, windows, sizeof *a->windows);
    a->before = trib_blocks_add(&a->scratch, ops, sizeof *a->before);
    a->after = trib_blocks_add(&a->scratch, ops, sizeof *a->after);
    a->cuts = trib_blocks_add(&a->scratch, windows + 1, sizeof *a->cuts);
    a->first_share = trib_blocks_add(&a->scratch, windows + 1, sizeof *a->first_share);
    a->whole = trib_blocks_add(&a->scratch, ops, sizeof *a->whole);
    a->length = trib_blocks_add(&a->scratch, ops, sizeof *a->length);
    a->mark = trib_blocks_add(&a->scratch, ops, sizeof *a->mark);
    const bool all =
        a->ops && a->windows && a->before && a->after && a->cuts && a->first_share && a->whole && a->length && a->mark;
    return all ? trib_success() : trib_blocks_no_memory();
}

static trib_status analyse(trib_analysis *a)
{
    TRIB_TRY(trib_analysis_check(a));
    a->out->noise = trib_clock_noise(a->run->clock_step);
    TRIB_TRY(allocate(a));
    TRIB_TRY(trib_analysis_place(a));
    TRIB_TRY(trib_analysis_share(a));
    TRIB_TRY(trib_analysis_overlap(a));
    TRIB_TRY(trib_analysis_idle(a));
    TRIB_TRY(trib_analysis_total(a));
    TRIB_TRY(trib_analysis_bounds(a));
    TRIB_TRY(trib_analysis_paths(a));
    trib_analysis_slack(a);
    return trib_success();
}

trib_status trib_profile_analyse(const trib_profile_graph *graph, const trib_profile_run *run,
                                 const trib_profile_limits *limits, trib_profile *out, trib_contradiction *found)
{
    static const trib_profile_limits unknown;
    if (!graph || !run || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: graph, run or result is missing");
    trib_profile profile;
    memset(&profile, 0, sizeof profile);
    profile.lane = run->lane;
    profile.chunk = run->chunk;
    trib_analysis a;
    memset(&a, 0, sizeof a);
    a.graph = graph;
    a.run = run;
    a.limits = limits ? limits : &unknown;
    a.out = &profile;
    a.found = (trib_contradiction) { TRIB_CONTRADICTION_NONE, -1, -1, 0 };
    trib_status status = analyse(&a);
    trib_blocks_release(&a.scratch);
    if (found) *found = a.found;
    if (trib_failed(&status))
        trib_profile_release(&profile);
    else
        *out = profile;
    return status;
}

void trib_profile_release(trib_profile *profile)
{
    if (!profile) return;
    trib_blocks_release(&profile->storage);
    memset(profile, 0, sizeof *profile);
}

/* ---- names ---- */

const char *trib_profile_kind_name(trib_profile_kind kind)
{
    static const char *const names[] = { "trunk", "forward", "backward" };
    return kind >= 0 && kind <= TRIB_PROFILE_BACKWARD ? names[kind] : "?";
}

const char *trib_idle_cause_name(trib_idle_cause cause)
{
    static const char *const names[TRIB_IDLE_CAUSE_COUNT] = { "dependency", "fork",       "imbalance", "launch",
                                                              "latency",    "contention", "no work" };
    return cause >= 0 && cause < TRIB_IDLE_CAUSE_COUNT ? names[cause] : "?";
}

const char *trib_bound_term_name(trib_bound_term term)
{
    static const char *const names[TRIB_BOUND_COUNT] = { "none", "critical path", "work per stream", "device filled",
                                                         "roofline" };
    return term >= 0 && term < TRIB_BOUND_COUNT ? names[term] : "?";
}

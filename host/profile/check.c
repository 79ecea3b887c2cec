/* SPDX-License-Identifier: Apache-2.0
 * Refuses what no analysis could make sense of, before anything is computed. */
#include <math.h>

#include "profile/analysis.h"

const char *trib_profile_op_name(const trib_profile_graph *graph, int op)
{
    const char *name = op >= 0 && op < graph->op_count ? graph->ops[op].name : NULL;
    return name ? name : "(no name)";
}

#define REFUSE(...) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, __VA_ARGS__)

/* Adds up, or says that the sum is out of range. */
static bool add(int64_t *sum, int64_t value)
{
    if (value < 0 || value > TRIB_PROFILE_MOST - *sum) return false;
    *sum += value;
    return true;
}

static trib_status check_waits(const trib_profile_graph *g, int i)
{
    const trib_profile_op *op = &g->ops[i];
    if (op->wait_count < 0 || (op->wait_count && !op->waits)) REFUSE("profile: op %d has no list of waits", i);
    for (int w = 0; w < op->wait_count; ++w)
        if (op->waits[w] < 0 || op->waits[w] >= i)
            REFUSE("profile: op %d (%s) waits for op %d, which does not come before it", i, trib_profile_op_name(g, i),
                   op->waits[w]);
    return trib_success();
}

static trib_status check_op(const trib_profile_graph *g, int i)
{
    const trib_profile_op *op = &g->ops[i];
    const char *name = trib_profile_op_name(g, i);
    int windows = g->part_count ? g->part_count : 1;
    if (op->stream < 0 || op->stream >= g->stream_count)
        REFUSE("profile: op %d (%s) is on stream %d of %d", i, name, op->stream, g->stream_count);
    if (op->window < 0 || op->window >= windows)
        REFUSE("profile: op %d (%s) is in window %d of %d", i, name, op->window, windows);
    int branches = g->part_count ? g->parts[op->window].branch_count : 0;
    if (op->branch < -1 || op->branch >= branches)
        REFUSE("profile: op %d (%s) is in branch %d of %d", i, name, op->branch, branches);
    if (op->share < 0 || op->share > TRIB_WHOLE_DEVICE)
        REFUSE("profile: op %d (%s) fills %d millionths of the device", i, name, op->share);
    return check_waits(g, i);
}

static trib_status check_graph(const trib_profile_graph *g)
{
    if (g->op_count <= 0 || !g->ops) REFUSE("profile: there are no ops");
    if (g->stream_count <= 0) REFUSE("profile: there are no streams");
    if (g->part_count < 0 || (g->part_count && !g->parts)) REFUSE("profile: the list of windows is missing");
    for (int w = 0; w < g->part_count; ++w) {
        if (w + 1 < g->part_count && (g->parts[w].last < 0 || g->parts[w].last >= g->op_count))
            REFUSE("profile: window %d ends with op %d, of %d", w, g->parts[w].last, g->op_count);
        if (g->parts[w].branch_count < 0) REFUSE("profile: window %d has fewer than no branches", w);
    }
    for (int i = 0; i < g->op_count; ++i) TRIB_TRY(check_op(g, i));
    return trib_success();
}

/* Sums of what an analysis adds up. */
static trib_status check_sums(const trib_analysis *a)
{
    const trib_profile_graph *g = a->graph;
    int64_t alone = 0, bytes = 0, flops = 0, serial = 0;
    for (int i = 0; i < g->op_count; ++i) {
        const char *name = trib_profile_op_name(g, i);
        if (a->run->alone && !add(&alone, a->run->alone[i]))
            REFUSE("profile: the time of op %d (%s) alone is negative, or all add up to more than 2^62 ns", i, name);
        if (!add(&bytes, g->ops[i].bytes) || !add(&flops, g->ops[i].flops))
            REFUSE("profile: bytes or operations of op %d (%s) are negative, or add up to more than 2^62", i, name);
    }
    for (int w = 0; a->run->serial && w < (g->part_count ? g->part_count : 1); ++w)
        if (!add(&serial, a->run->serial[w]))
            REFUSE("profile: the serial time of window %d is negative, or all add up to more than 2^62 ns", w);
    return trib_success();
}

static trib_status check_rate(const char *what, double rate)
{
    if (!isfinite(rate) || rate < 0 || (rate > 0 && rate < 1) || rate > (double)TRIB_PROFILE_MOST)
        REFUSE("profile: a %s of %g per second; it must be 0 (unknown), or 1 to 4e18", what, rate);
    return trib_success();
}

trib_status trib_analysis_check(const trib_analysis *a)
{
    TRIB_TRY(check_graph(a->graph));
    TRIB_TRY(check_rate("copy rate", a->limits->copy_rate));
    TRIB_TRY(check_rate("math rate", a->limits->math_rate));
    if (a->limits->start_latency < 0 || a->limits->start_latency > TRIB_PROFILE_MOST / 2)
        REFUSE("profile: a start latency of %lld ns", (long long)a->limits->start_latency);
    if (!a->run->times) REFUSE("profile: there are no times");
    if (a->run->clock_step < 0 || a->run->clock_step > INT64_C(1000000000))
        REFUSE("profile: a clock step of %lld ns", (long long)a->run->clock_step);
    return check_sums(a);
}

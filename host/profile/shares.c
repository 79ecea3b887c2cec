/* SPDX-License-Identifier: Apache-2.0
 * Cuts the run into windows, and ops into the shares that lie in them. */
#include "profile/analysis.h"
#include "profile/blocks.h"

__extension__ typedef __int128 wide;

/* Windows never go back in time: where an op ended before the window begins, the window is empty. */
static void cut(trib_analysis *a)
{
    const int count = a->out->window_count;
    const trib_profile_window *run = &a->out->total;
    a->cuts[0] = run->from;
    for (int w = 0; w + 1 < count; ++w) a->cuts[w + 1] = trib_later(a->cuts[w], a->ops[a->graph->parts[w].last].to);
    a->cuts[count] = run->to;
    for (int w = 0; w < count; ++w) {
        a->windows[w].from = a->cuts[w];
        a->windows[w].to = a->cuts[w + 1];
        a->windows[w].wall = a->cuts[w + 1] - a->cuts[w];
    }
}

int trib_analysis_window_after(const trib_analysis *a, int64_t time)
{
    int low = 0, high = a->out->window_count - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (a->cuts[middle + 1] > time)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

int trib_analysis_window_at(const trib_analysis *a, int op, int64_t time)
{
    const int own = trib_analysis_op(a, op)->window;
    if (a->cuts[own] <= time && time <= a->cuts[own + 1]) return own;
    return trib_analysis_window_after(a, time);
}

/* What goes with [begin, time) of an op's interval, so that shares add up to `whole`. */
static int64_t up_to(int64_t whole, const trib_profile_op_result *op, int64_t time)
{
    if (op->from == op->to) return whole;
    return (int64_t)((wide)whole * (time - op->from) / (op->to - op->from));
}

static int64_t part_of(int64_t whole, const trib_profile_op_result *op, int64_t from, int64_t to)
{
    if (op->from == op->to) return whole;
    return up_to(whole, op, to) - up_to(whole, op, from);
}

static trib_share share_of(const trib_analysis *a, int i, int64_t from, int64_t to)
{
    const trib_profile_op *op = trib_analysis_op(a, i);
    const trib_profile_op_result *r = &a->ops[i];
    trib_share share = { .op = i, .from = from, .to = to };
    if (!op->runs) return share;
    if (a->run->alone) share.alone = part_of(a->run->alone[i], r, from, to);
    share.bytes = part_of(op->bytes, r, from, to);
    share.flops = part_of(op->flops, r, from, to);
    return share;
}

/* The windows [*first, *last] that op i has shares in. Its shares in empty windows among them are left out. */
static void span(const trib_analysis *a, int i, int *first, int *last)
{
    const trib_profile_op_result *op = &a->ops[i];
    if (op->from == op->to)
        *first = *last = trib_analysis_window_at(a, i, op->from);
    else {
        *first = trib_analysis_window_after(a, op->from);
        *last = *first;
        while (a->cuts[*last + 1] < op->to) ++*last;
    }
}

static bool has_share(const trib_analysis *a, int i, int w)
{
    return a->ops[i].from == a->ops[i].to || a->windows[w].wall > 0;
}

/* Counts shares into first_share[w + 1], then sums them up to where each window's begin. */
static trib_status count(trib_analysis *a)
{
    int first, last;
    int64_t sum = 0;
    for (int i = 0; i < a->graph->op_count; ++i) {
        span(a, i, &first, &last);
        for (int w = first; w <= last; ++w) a->first_share[w + 1] += has_share(a, i, w);
    }
    for (int w = 0; w < a->out->window_count; ++w) {
        sum += a->first_share[w + 1];
        if (sum > INT32_MAX) return TRIB_ERROR(TRIB_UNSUPPORTED, "profile: more than 2^31 ops in windows");
        a->first_share[w + 1] = (int)sum;
    }
    return trib_success();
}

static void fill(trib_analysis *a, int *next)
{
    int first, last;
    for (int i = 0; i < a->graph->op_count; ++i) {
        const trib_profile_op_result *op = &a->ops[i];
        span(a, i, &first, &last);
        for (int w = first; w <= last; ++w)
            if (has_share(a, i, w))
                a->shares[next[w]++] = share_of(a, i, first == last ? op->from : trib_later(op->from, a->cuts[w]),
                                                first == last ? op->to : trib_earlier(op->to, a->cuts[w + 1]));
        a->whole[i] = share_of(a, i, op->from, op->to);
    }
}

trib_status trib_analysis_share(trib_analysis *a)
{
    const size_t windows = (size_t)a->out->window_count;
    cut(a);
    TRIB_TRY(count(a));
    a->shares = trib_blocks_add(&a->scratch, (size_t)a->first_share[windows], sizeof *a->shares);
    int *next = trib_blocks_add(&a->scratch, windows, sizeof *next);
    if (!a->shares || !next) return trib_blocks_no_memory();
    for (size_t w = 0; w < windows; ++w) next[w] = a->first_share[w];
    fill(a, next);
    return trib_success();
}

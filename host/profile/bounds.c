/* SPDX-License-Identifier: Apache-2.0
 * How short a window could be at best. */
#include "profile/analysis.h"

__extension__ typedef __int128 wide;

/* value * by / of, rounded up. */
static trib_status scaled(int64_t value, int64_t by, int64_t of, int64_t *out)
{
    wide time = ((wide)value * by + of - 1) / of;
    if (time > TRIB_PROFILE_MOST) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: a bound of more than 2^62 ns");
    *out = (int64_t)time;
    return trib_success();
}

/* The longest path that ends with a share's op, of ops that have shares here: those that are marked. */
static int64_t longest_before(const trib_analysis *a, int i, int mark)
{
    const trib_profile_op *op = trib_analysis_op(a, i);
    int64_t longest = 0;
    if (a->before[i] >= 0 && a->mark[a->before[i]] == mark) longest = a->length[a->before[i]];
    for (int k = 0; k < op->wait_count; ++k)
        if (a->mark[op->waits[k]] == mark) longest = trib_later(longest, a->length[op->waits[k]]);
    return longest;
}

/* `mark`: a number of its own for each set of shares, not 0. */
static int64_t longest_path(trib_analysis *a, const trib_share *shares, int count, int mark)
{
    int64_t longest = 0;
    for (int k = 0; k < count; ++k) {
        const int i = shares[k].op;
        a->length[i] = longest_before(a, i, mark) + shares[k].alone;
        a->mark[i] = mark;
        longest = trib_later(longest, a->length[i]);
    }
    return longest;
}

static int64_t device_bound(const trib_analysis *a, const trib_share *shares, int count)
{
    wide sum = 0;
    for (int k = 0; k < count; ++k) sum += (wide)shares[k].alone * trib_analysis_op(a, shares[k].op)->share;
    return (int64_t)((sum + TRIB_WHOLE_DEVICE - 1) / TRIB_WHOLE_DEVICE);
}

static trib_status roofline(const trib_analysis *a, const trib_share *shares, int count, trib_profile_bounds *b)
{
    int64_t bytes = 0, flops = 0;
    for (int k = 0; k < count; ++k) {
        bytes += shares[k].bytes;
        flops += shares[k].flops;
    }
    const int64_t second = 1000000000;
    if (a->limits->copy_rate > 0) TRIB_TRY(scaled(bytes, second, (int64_t)a->limits->copy_rate, &b->copies));
    if (a->limits->math_rate > 0) TRIB_TRY(scaled(flops, second, (int64_t)a->limits->math_rate, &b->math));
    return trib_success();
}

static void choose(trib_profile_bounds *b)
{
    const int64_t terms[TRIB_BOUND_COUNT] = { 0, b->path, b->streams, b->device, trib_later(b->copies, b->math) };
    for (int t = 1; t < TRIB_BOUND_COUNT; ++t) {
        if (terms[t] <= b->best) continue;
        b->best = terms[t];
        b->binding = (trib_bound_term)t;
    }
}

static trib_status bound(trib_analysis *a, trib_profile_window *window, const trib_share *shares, int count, int mark)
{
    trib_profile_bounds *b = &window->bounds;
    b->path = longest_path(a, shares, count, mark);
    if (window->streams) TRIB_TRY(scaled(window->alone, 1, window->streams, &b->streams));
    b->device = device_bound(a, shares, count);
    TRIB_TRY(roofline(a, shares, count, b));
    choose(b);
    return trib_success();
}

trib_status trib_analysis_bounds(trib_analysis *a)
{
    const int count = a->out->window_count;
    for (int w = 0; w < count; ++w)
        TRIB_TRY(
            bound(a, &a->windows[w], a->shares + a->first_share[w], a->first_share[w + 1] - a->first_share[w], w + 1));
    return bound(a, &a->out->total, a->whole, a->graph->op_count, count + 1);
}

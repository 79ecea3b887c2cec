/* SPDX-License-Identifier: Apache-2.0
 * How many streams were busy for how long, and whose work it was. */
#include "profile/overlap.h"

#include <stdlib.h>

#include "profile/analysis.h"
#include "profile/blocks.h"

static int by_time(const void *left, const void *right)
{
    const trib_edge *a = left, *b = right;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    return a->change - b->change; /* ends first: intervals that touch do not overlap */
}

void trib_overlap_sweep(trib_edge *edges, size_t count, int64_t from, int64_t to, int64_t *at)
{
    qsort(edges, count, sizeof *edges, by_time);
    int busy = 0;
    for (size_t i = 0; i < count; ++i) {
        at[busy] += edges[i].time - from;
        from = edges[i].time;
        busy += edges[i].change;
    }
    at[busy] += to - from;
}

/* ---- one window ---- */

static void sum_branches(const trib_analysis *a, int w, const trib_share *share)
{
    trib_profile_window *window = &a->windows[w];
    const trib_profile_op *op = trib_analysis_op(a, share->op);
    const bool own = op->window == w && op->branch >= 0;
    trib_profile_branch *branch = own ? (trib_profile_branch *)&window->branches[op->branch] : &window->trunk;
    branch->busy += share->to - share->from;
    branch->alone += share->alone;
}

static size_t sum_shares(const trib_analysis *a, int w, trib_edge *edges)
{
    trib_profile_window *window = &a->windows[w];
    trib_profile_stream *streams = (trib_profile_stream *)window->stream;
    size_t count = 0;
    for (int k = a->first_share[w]; k < a->first_share[w + 1]; ++k) {
        const trib_share *share = &a->shares[k];
        const trib_profile_op *op = trib_analysis_op(a, share->op);
        if (!op->runs) continue;
        streams[op->stream].has_ops = true;
        streams[op->stream].busy += share->to - share->from;
        window->sum += share->to - share->from;
        window->alone += share->alone;
        sum_branches(a, w, share);
        if (share->from == share->to) continue;
        edges[count++] = (trib_edge) { share->from, 1 };
        edges[count++] = (trib_edge) { share->to, -1 };
    }
    return count;
}

static void sum_streams(trib_profile_window *window, int stream_count)
{
    for (int s = 0; s < stream_count; ++s) {
        window->streams += window->stream[s].has_ops;
        window->busy += window->stream[s].busy;
    }
    window->any = window->wall - window->at[0];
    window->overlap = window->any - (stream_count > 0 ? window->at[1] : 0);
}

static void largest_branch(trib_profile_window *window)
{
    for (int b = 0; b < window->branch_count; ++b) {
        window->branch_work += window->branches[b].alone;
        window->branch_largest = trib_later(window->branch_largest, window->branches[b].alone);
    }
}

static trib_status allocate(trib_analysis *a, int w)
{
    trib_profile_window *window = &a->windows[w];
    const size_t streams = (size_t)a->graph->stream_count;
    window->branch_count = a->graph->part_count ? a->graph->parts[w].branch_count : 0;
    window->stream = trib_blocks_add(&a->out->storage, streams, sizeof *window->stream);
    window->at = trib_blocks_add(&a->out->storage, streams + 1, sizeof *window->at);
    window->branches = trib_blocks_add(&a->out->storage, (size_t)window->branch_count, sizeof *window->branches);
    return window->stream && window->at && window->branches ? trib_success() : trib_blocks_no_memory();
}

trib_status trib_analysis_overlap(trib_analysis *a)
{
    size_t most = 0;
    for (int w = 0; w < a->out->window_count; ++w) {
        size_t shares = (size_t)(a->first_share[w + 1] - a->first_share[w]);
        if (shares > most) most = shares;
    }
    trib_edge *edges = trib_blocks_add(&a->scratch, 2 * most, sizeof *edges);
    if (!edges) return trib_blocks_no_memory();
    for (int w = 0; w < a->out->window_count; ++w) {
        trib_profile_window *window = &a->windows[w];
        TRIB_TRY(allocate(a, w));
        size_t count = sum_shares(a, w, edges);
        trib_overlap_sweep(edges, count, window->from, window->to, (int64_t *)window->at);
        sum_streams(window, a->graph->stream_count);
        largest_branch(window);
        if (a->run->serial) window->serial = a->run->serial[w];
    }
    return trib_success();
}

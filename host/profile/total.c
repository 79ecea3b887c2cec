/* SPDX-License-Identifier: Apache-2.0
 * The run: sums over its windows. */
#include "profile/analysis.h"
#include "profile/blocks.h"

static void add_window(trib_analysis *a, const trib_profile_window *window)
{
    trib_profile_window *total = &a->out->total;
    trib_profile_stream *streams = (trib_profile_stream *)total->stream;
    int64_t *at = (int64_t *)total->at;
    for (int s = 0; s < a->graph->stream_count; ++s) {
        streams[s].busy += window->stream[s].busy;
        streams[s].has_ops |= window->stream[s].has_ops;
        for (int c = 0; c < TRIB_IDLE_CAUSE_COUNT; ++c) streams[s].idle[c] += window->stream[s].idle[c];
    }
    for (int k = 0; k <= a->graph->stream_count; ++k) at[k] += window->at[k];
    total->busy += window->busy;
    total->any += window->any;
    total->overlap += window->overlap;
    total->sum += window->sum;
    total->alone += window->alone;
    total->serial += window->serial;
    total->branch_work += window->branch_work;
    total->branch_largest += window->branch_largest;
    total->idle_count += window->idle_count;
}

/* Of ops that are in no branch, whatever window they reach into. */
static void sum_trunk(trib_analysis *a)
{
    trib_profile_branch *trunk = &a->out->total.trunk;
    for (int i = 0; i < a->graph->op_count; ++i) {
        const trib_share *share = &a->whole[i];
        if (trib_analysis_op(a, i)->branch >= 0 || !trib_analysis_op(a, i)->runs) continue;
        trunk->busy += share->to - share->from;
        trunk->alone += share->alone;
    }
}

/* Each stream's, from window to window. */
static trib_status join_pieces(trib_analysis *a)
{
    trib_profile_window *total = &a->out->total;
    trib_profile_idle *all = trib_blocks_add(&a->out->storage, (size_t)total->idle_count, sizeof *all);
    int *next = trib_blocks_add(&a->scratch, (size_t)a->out->window_count, sizeof *next);
    if (!all || !next) return trib_blocks_no_memory();
    int count = 0;
    for (int s = 0; s < a->graph->stream_count; ++s)
        for (int w = 0; w < a->out->window_count; ++w) {
            const trib_profile_window *window = &a->windows[w];
            while (next[w] < window->idle_count && window->pieces[next[w]].stream == s)
                all[count++] = window->pieces[next[w]++];
        }
    total->pieces = all;
    return trib_success();
}

trib_status trib_analysis_total(trib_analysis *a)
{
    trib_profile_window *total = &a->out->total;
    const size_t streams = (size_t)a->graph->stream_count;
    total->stream = trib_blocks_add(&a->out->storage, streams, sizeof *total->stream);
    total->at = trib_blocks_add(&a->out->storage, streams + 1, sizeof *total->at);
    if (!total->stream || !total->at) return trib_blocks_no_memory();
    total->wall = total->to - total->from;
    for (int w = 0; w < a->out->window_count; ++w) add_window(a, &a->windows[w]);
    for (size_t s = 0; s < streams; ++s) {
        total->streams += total->stream[s].has_ops;
        for (int c = 0; c < TRIB_IDLE_CAUSE_COUNT; ++c) total->idle[c] += total->stream[s].idle[c];
    }
    sum_trunk(a);
    return join_pieces(a);
}

/* SPDX-License-Identifier: Apache-2.0
 * Several lanes: one device under all of them. */
#include <stdlib.h>
#include <string.h>

#include "profile/analysis.h"
#include "profile/blocks.h"
#include "profile/overlap.h"

/* An op that ran, on a stream of a lane. */
typedef struct interval {
    int lane, stream;
    int64_t from, to;
} interval;

static int by_stream(const void *left, const void *right)
{
    const interval *a = left, *b = right;
    if (a->lane != b->lane) return a->lane < b->lane ? -1 : 1;
    if (a->stream != b->stream) return a->stream < b->stream ? -1 : 1;
    if (a->from != b->from) return a->from < b->from ? -1 : 1;
    return (a->to > b->to) - (a->to < b->to);
}

static bool same_stream(const interval *a, const interval *b) { return a->lane == b->lane && a->stream == b->stream; }

typedef struct gathering {
    const trib_profile *const *runs;
    const trib_profile_graph *const *graphs;
    int run_count;
    int64_t noise; /* of the worst of their clocks */
    interval *list;
    size_t count;
} gathering;

static trib_status gather(gathering *g, void **scratch)
{
    size_t most = 0;
    for (int r = 0; r < g->run_count; ++r) {
        if (g->runs[r]->op_count != g->graphs[r]->op_count)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: run %d is not of its graph: %d ops, %d", r,
                              g->runs[r]->op_count, g->graphs[r]->op_count);
        most += (size_t)g->runs[r]->op_count;
        g->noise = trib_later(g->noise, g->runs[r]->noise);
    }
    g->list = trib_blocks_add(scratch, most, sizeof *g->list);
    if (!g->list) return trib_blocks_no_memory();
    for (int r = 0; r < g->run_count; ++r)
        for (int i = 0; i < g->graphs[r]->op_count; ++i) {
            const trib_profile_op_result *op = &g->runs[r]->ops[i];
            if (!g->graphs[r]->ops[i].runs || op->from == op->to) continue;
            g->list[g->count++] = (interval) { g->runs[r]->lane, g->graphs[r]->ops[i].stream, op->from, op->to };
        }
    return trib_success();
}

/* Trims what overlaps by no more than noise. */
static trib_status check_streams(const gathering *g)
{
    for (size_t i = 1; i < g->count; ++i) {
        interval *before = &g->list[i - 1], *now = &g->list[i];
        if (!same_stream(before, now) || now->from >= before->to) continue;
        if (before->to - now->from > g->noise)
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "timestamps contradict the plan: on lane %d, stream %d, runs overlap by %lld ns",
                              now->lane, now->stream, (long long)(before->to - now->from));
        now->from = before->to;
        if (now->to < now->from) now->to = now->from;
    }
    return trib_success();
}

static void find_span(const interval *list, size_t count, trib_profile_device *out)
{
    for (size_t i = 0; i < count; ++i) {
        if (!i || list[i].from < out->from) out->from = list[i].from;
        if (!i || list[i].to > out->to) out->to = list[i].to;
    }
}

/* Cuts the intervals to [from, to) and sums them up; returns the number of edges. */
static size_t cut(const interval *list, size_t count, trib_profile_device *out, trib_edge *edges)
{
    size_t edge = 0;
    const interval *last = NULL;
    for (size_t i = 0; i < count; ++i) {
        const int64_t from = trib_later(list[i].from, out->from), to = trib_earlier(list[i].to, out->to);
        if (from >= to) continue;
        out->streams += !last || !same_stream(last, &list[i]);
        last = &list[i];
        out->busy += to - from;
        edges[edge++] = (trib_edge) { from, 1 };
        edges[edge++] = (trib_edge) { to, -1 };
    }
    return edge;
}

static trib_status unite(const gathering *g, void **scratch, trib_profile_device *out)
{
    trib_edge *edges = trib_blocks_add(scratch, 2 * g->count, sizeof *edges);
    if (!edges) return trib_blocks_no_memory();
    const size_t count = cut(g->list, g->count, out, edges);
    int64_t *at = trib_blocks_add(scratch, (size_t)out->streams + 2, sizeof *at);
    if (!at) return trib_blocks_no_memory();
    trib_overlap_sweep(edges, count, out->from, out->to, at);
    out->any = out->to - out->from - at[0];
    out->overlap = out->any - at[1];
    return trib_success();
}

trib_status trib_profile_device_of(const trib_profile *const *runs, const trib_profile_graph *const *graphs,
                                   int run_count, int64_t from, int64_t to, trib_profile_device *out)
{
    if (!runs || !graphs || run_count <= 0 || from > to)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: no runs, or a span that ends before it begins");
    gathering g = { .runs = runs, .graphs = graphs, .run_count = run_count };
    trib_profile_device device;
    memset(&device, 0, sizeof device);
    device.from = from;
    device.to = to;
    void *scratch = NULL;
    trib_status status = gather(&g, &scratch);
    if (!trib_failed(&status)) {
        qsort(g.list, g.count, sizeof *g.list, by_stream);
        status = check_streams(&g);
    }
    if (from == to) find_span(g.list, g.count, &device);
    if (!trib_failed(&status)) status = unite(&g, &scratch, &device);
    trib_blocks_release(&scratch);
    if (!trib_failed(&status)) *out = device;
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 * From runs to profiles: the first of several runs alike is the pattern, whose ops, in the order in which they were
 * issued, are cut into modules. */
#include "profile/nsys_network.h"

#include <stdlib.h>
#include <string.h>

#include "profile/nsys_pattern.h"
#include "tributary/internal/alloc.h"

/* Times of a report may be negative, and 0 means none in an analysis. */
static const int64_t shift = INT64_C(1) << 48;
/* ns. Reports have CUPTI's times, which may be wrong by two steps (H100, CUPTI 13.0: 1152 ns). */
enum { CLOCK_STEP = 1000 };

/* Of a run alike the pattern: both have their ops in the same order of names. */
static void take_times(const trib_nsys_report *report, const trib_nsys_pattern *pattern, const trib_nsys_run *run,
                       trib_op_time *times)
{
    memset(times, 0, (size_t)pattern->op_count * sizeof *times);
    for (uint32_t i = 0; i < run->count; ++i) {
        const trib_nsys_op *op = &report->ops[run->ops[i].op];
        trib_op_time *t = &times[pattern->place[i]];
        t->start = op->start + shift;
        t->end = op->end + shift;
        t->issued = op->issued == TRIB_NSYS_NO_TIME || op->issued + shift < 1 ? 0 : op->issued + shift;
    }
}

static trib_status analyse(const trib_nsys_report *report, const trib_nsys_pattern *pattern, const trib_nsys_run *run,
                           trib_op_time *times, trib_nsys_network *network)
{
    const trib_profile_limits limits = { 0 };
    const trib_profile_run input = { .times = times, .clock_step = CLOCK_STEP, .chunk = run->key };
    trib_profile *out = &network->runs[network->run_count];
    take_times(report, pattern, run, times);
    trib_status status = trib_profile_analyse(&network->graph, &input, &limits, out, NULL);
    if (!trib_failed(&status)) ++network->run_count;
    if (!trib_failed(&status) || status.code == TRIB_OUT_OF_MEMORY) return status;
    if (network->contradicting++ == 0) network->contradiction = status;
    return trib_success();
}

static trib_status take_medians(trib_nsys_network *network)
{
    const trib_profile **runs = trib_realloc_array(NULL, (size_t)network->run_count, sizeof *runs);
    if (!runs) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %d runs", network->run_count);
    for (int i = 0; i < network->run_count; ++i) runs[i] = &network->runs[i];
    trib_status status = trib_profile_medians_of(runs, network->run_count, &network->medians);
    trib_free(runs);
    return status;
}

/* `runs`: `count` of them, alike. */
static trib_status profile(const trib_nsys_report *report, const trib_nsys_run *const *runs, size_t count,
                           trib_nsys_network *network)
{
    trib_nsys_pattern pattern = { 0 };
    trib_op_time *times = NULL;
    const size_t step = (count + TRIB_NSYS_MOST_RUNS - 1) / TRIB_NSYS_MOST_RUNS;
    *network = (trib_nsys_network) { .process = runs[0]->process,
                                     .name = runs[0]->name,
                                     .in_graph = runs[0]->in_graph,
                                     .total = (int64_t)count,
                                     .streams_known = runs[0]->streams_known };
    trib_status status = trib_nsys_pattern_of(report, runs[0], &pattern, &network->graph);
    if (trib_failed(&status)) goto done;
    times = trib_alloc_zeroed((size_t)pattern.op_count, sizeof *times);
    network->runs = trib_alloc_zeroed((count + step - 1) / step, sizeof *network->runs);
    if (!times || !network->runs) {
        status = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu runs", count);
        goto done;
    }
    for (size_t i = 0; i < count; i += step)
        TRIB_TRY_GOTO(status, done, analyse(report, &pattern, runs[i], times, network));
    if (network->run_count > 0) status = take_medians(network);
done:
    trib_nsys_pattern_release(&pattern);
    trib_free(times);
    return status;
}

/* ---- which runs are alike ---- */

static int compare(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int unlike(const trib_nsys_run *a, const trib_nsys_run *b)
{
    int order = compare(a->process, b->process);
    if (!order) order = compare(a->name, b->name);
    if (!order) order = compare(a->in_graph, b->in_graph);
    return order ? order : compare((int64_t)(a->signature >> 1), (int64_t)(b->signature >> 1));
}

/* Of runs alike, earlier ones come first: runs are found in the order of time, and lie in one array. */
static int by_likeness(const void *a, const void *b)
{
    const trib_nsys_run *x = *(const trib_nsys_run *const *)a, *y = *(const trib_nsys_run *const *)b;
    int order = unlike(x, y);
    return order ? order : (x > y) - (x < y);
}

static int most_runs(const void *a, const void *b)
{
    const trib_nsys_network *x = a, *y = b;
    int order = compare(y->total, x->total);
    return order ? order : compare(x->name, y->name);
}

static size_t count_alike(const trib_nsys_run *const *runs, size_t from, size_t count)
{
    size_t end = from + 1;
    while (end < count && !unlike(runs[from], runs[end])) ++end;
    return end - from;
}

static trib_status profile_all(const trib_nsys_report *report, const trib_nsys_run *const *runs, size_t count,
                               trib_nsys_networks *out)
{
    size_t kinds = 0;
    for (size_t i = 0; i < count; i += count_alike(runs, i, count)) ++kinds;
    out->items = trib_alloc_zeroed(kinds, sizeof *out->items);
    if (!out->items) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu networks", kinds);
    for (size_t i = 0; i < count;) {
        size_t alike = count_alike(runs, i, count);
        TRIB_TRY(profile(report, &runs[i], alike, &out->items[out->count++]));
        i += alike;
    }
    qsort(out->items, (size_t)out->count, sizeof *out->items, most_runs);
    return trib_success();
}

trib_status trib_nsys_networks_of(const trib_nsys_report *report, trib_nsys_networks *out)
{
    trib_nsys_runs runs;
    *out = (trib_nsys_networks) { 0 };
    TRIB_TRY(trib_nsys_runs_of(report, &runs));
    const trib_nsys_run **sorted = trib_realloc_array(NULL, runs.count, sizeof *sorted);
    trib_status status = sorted ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu runs", runs.count);
    for (size_t i = 0; sorted && i < runs.count; ++i) sorted[i] = &runs.items[i];
    if (sorted) qsort(sorted, runs.count, sizeof *sorted, by_likeness);
    if (sorted) status = profile_all(report, sorted, runs.count, out);
    trib_free(sorted);
    trib_nsys_runs_release(&runs);
    if (trib_failed(&status)) trib_nsys_networks_release(out);
    return status;
}

void trib_nsys_networks_release(trib_nsys_networks *networks)
{
    for (int i = 0; i < networks->count; ++i) {
        trib_nsys_network *n = &networks->items[i];
        trib_profile_medians_release(&n->medians);
        for (int r = 0; r < n->run_count; ++r) trib_profile_release(&n->runs[r]);
        trib_free(n->runs);
        trib_profile_graph_release(&n->graph);
    }
    trib_free(networks->items);
    *networks = (trib_nsys_networks) { 0 };
}

/* SPDX-License-Identifier: Apache-2.0
 * Several runs: the middle of each number. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile/blocks.h"
#include "profile/profile.h"

/* ---- the middle of a list; of an even number, the lower of the two ---- */

static int by_whole(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

static int by_real(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static int64_t middle(int64_t *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, by_whole);
    return values[(count - 1) / 2];
}

static double middle_ratio(double *values, int count)
{
    for (int i = 0; i < count; ++i)
        if (isnan(values[i])) return NAN;
    qsort(values, (size_t)count, sizeof *values, by_real);
    return values[(count - 1) / 2];
}

/* ---- one window of every run ---- */

typedef struct runs {
    const trib_profile *const *list;
    int count;
    int64_t *values;          /* scratch, one per run */
    trib_profile_gain *gains; /* scratch, one per run */
    double *ratios;           /* scratch, one per run */
} runs;

/* `w` -1: the total. */
static const trib_profile_window *window_of(const runs *r, int run, int w)
{
    return w < 0 ? &r->list[run]->total : &r->list[run]->windows[w];
}

/* The fields of a window, and where their medians are kept. */
static const struct {
    size_t from, to;
} fields[] = {
#define FIELD(window, median)                                                        \
    {                                                                                \
        offsetof(trib_profile_window, window), offsetof(trib_profile_median, median) \
    }
    FIELD(wall, wall),
    FIELD(serial, serial),
    FIELD(busy, busy),
    FIELD(any, any),
    FIELD(overlap, overlap),
    FIELD(sum, sum),
    FIELD(alone, alone),
    FIELD(path.busy, path_busy),
    FIELD(path.gaps, path_gaps),
    FIELD(path.host, path_host),
    FIELD(bounds.path, bounds.path),
    FIELD(bounds.streams, bounds.streams),
    FIELD(bounds.device, bounds.device),
    FIELD(bounds.copies, bounds.copies),
    FIELD(bounds.math, bounds.math),
    FIELD(bounds.best, bounds.best),
#undef FIELD
};

static int64_t *field(void *base, size_t offset) { return (int64_t *)((char *)base + offset); }

static int64_t middle_at(const runs *r, int w, size_t offset)
{
    for (int i = 0; i < r->count; ++i)
        memcpy(&r->values[i], (const char *)window_of(r, i, w) + offset, sizeof r->values[i]);
    return middle(r->values, r->count);
}

static trib_bound_term most_frequent(const runs *r, int w)
{
    int times[TRIB_BOUND_COUNT] = { 0 }, best = 0;
    for (int i = 0; i < r->count; ++i) ++times[window_of(r, i, w)->bounds.binding];
    for (int t = 1; t < TRIB_BOUND_COUNT; ++t)
        if (times[t] > times[best]) best = t;
    return (trib_bound_term)best;
}

/* A trib_profile_gain is ratios alone. */
static trib_profile_gain middle_gain(const runs *r, int w)
{
    trib_profile_gain out;
    for (int i = 0; i < r->count; ++i) r->gains[i] = trib_profile_gain_of(window_of(r, i, w));
    for (size_t k = 0; k < sizeof out / sizeof(double); ++k) {
        for (int i = 0; i < r->count; ++i)
            memcpy(&r->ratios[i], (const char *)&r->gains[i] + k * sizeof(double), sizeof(double));
        const double ratio = middle_ratio(r->ratios, r->count);
        memcpy((char *)&out + k * sizeof(double), &ratio, sizeof ratio);
    }
    return out;
}

static trib_profile_median median_of(const runs *r, int w)
{
    trib_profile_median m;
    memset(&m, 0, sizeof m);
    for (size_t k = 0; k < sizeof fields / sizeof *fields; ++k)
        *field(&m, fields[k].to) = middle_at(r, w, fields[k].from);
    for (size_t c = 0; c < TRIB_IDLE_CAUSE_COUNT; ++c)
        m.idle[c] = middle_at(r, w, offsetof(trib_profile_window, idle) + c * sizeof(int64_t));
    m.binding = m.bounds.binding = most_frequent(r, w);
    m.gain = middle_gain(r, w);
    return m;
}

/* ---- all of them ---- */

static int trace_of(const runs *r)
{
    const int64_t wall = middle_at(r, -1, offsetof(trib_profile_window, wall));
    for (int i = 0; i < r->count; ++i)
        if (r->list[i]->total.wall == wall) return i;
    return 0;
}

static trib_status fill(runs *r, void **scratch, trib_profile_medians *out)
{
    const size_t count = (size_t)r->count;
    trib_profile_median *windows = trib_blocks_add(&out->storage, (size_t)out->window_count, sizeof *windows);
    r->values = trib_blocks_add(scratch, count, sizeof *r->values);
    r->gains = trib_blocks_add(scratch, count, sizeof *r->gains);
    r->ratios = trib_blocks_add(scratch, count, sizeof *r->ratios);
    if (!windows || !r->values || !r->gains || !r->ratios) return trib_blocks_no_memory();
    for (int w = 0; w < out->window_count; ++w) windows[w] = median_of(r, w);
    out->windows = windows;
    out->total = median_of(r, -1);
    out->trace = trace_of(r);
    return trib_success();
}

trib_status trib_profile_medians_of(const trib_profile *const *list, int count, trib_profile_medians *out)
{
    if (count <= 0 || !list) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: no run to take a median of");
    for (int i = 1; i < count; ++i)
        if (list[i]->window_count != list[0]->window_count)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: run %d has %d windows, the first one has %d", i,
                              list[i]->window_count, list[0]->window_count);
    runs r = { .list = list, .count = count };
    void *scratch = NULL;
    trib_profile_medians medians;
    memset(&medians, 0, sizeof medians);
    medians.run_count = count;
    medians.window_count = list[0]->window_count;
    trib_status status = fill(&r, &scratch, &medians);
    trib_blocks_release(&scratch);
    if (trib_failed(&status))
        trib_profile_medians_release(&medians);
    else
        *out = medians;
    return status;
}

void trib_profile_medians_release(trib_profile_medians *medians)
{
    if (!medians) return;
    trib_blocks_release(&medians->storage);
    memset(medians, 0, sizeof *medians);
}

/* ---- times alone ---- */

static trib_status middle_duration(const trib_profile_graph *graph, int op, const trib_op_time *const *times, int count,
                                   int64_t *values, int64_t *out)
{
    *out = 0;
    if (!graph->ops[op].runs) return trib_success();
    for (int i = 0; i < count; ++i) {
        const trib_op_time *t = &times[i][op];
        if (!t->start && !t->end)
            return TRIB_ERROR(TRIB_BAD_DATA, "timestamps are missing: %s was not timed alone; measure again",
                              graph->ops[op].name ? graph->ops[op].name : "(no name)");
        if (__builtin_sub_overflow(t->end, t->start, &values[i]) || values[i] < 0)
            return TRIB_ERROR(TRIB_BAD_DATA, "timestamps contradict the plan: %s ends before it starts",
                              graph->ops[op].name ? graph->ops[op].name : "(no name)");
    }
    *out = middle(values, count);
    return trib_success();
}

trib_status trib_profile_alone(const trib_profile_graph *graph, const trib_op_time *const *times, int count,
                               int64_t *alone)
{
    if (!graph || !times || !alone || count <= 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "profile: no run to take times alone from");
    void *scratch = NULL;
    int64_t *values = trib_blocks_add(&scratch, (size_t)count, sizeof *values);
    trib_status status = values ? trib_success() : trib_blocks_no_memory();
    for (int i = 0; i < graph->op_count && !trib_failed(&status); ++i)
        status = middle_duration(graph, i, times, count, values, &alone[i]);
    trib_blocks_release(&scratch);
    return status;
}

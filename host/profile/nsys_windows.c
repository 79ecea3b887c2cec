/* SPDX-License-Identifier: Apache-2.0
 * The windows of a report: everything of a process on a device, and the NVTX ranges of a name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/nsys_overlap.h"
#include "tributary/internal/alloc.h"

/* Ops by group: those of group g are items[begin[g]] .. items[begin[g + 1] - 1], with rising indices. */
typedef struct groups {
    uint32_t *items;
    size_t *begin;
    size_t count;
} groups;

static void release(groups *g)
{
    trib_free(g->items);
    trib_free(g->begin);
    *g = (groups) { 0 };
}

/* `group_of` says each op's group; TRIB_NSYS_NONE: none. */
static trib_status group(const trib_nsys_report *report, const void *map, size_t count,
                         uint32_t (*group_of)(const trib_nsys_op *op, const void *map), groups *out)
{
    out->count = count;
    out->items = trib_realloc_array(NULL, report->op_count, sizeof *out->items);
    out->begin = trib_alloc_zeroed(count + 2, sizeof *out->begin);
    if (!out->items || !out->begin) {
        release(out);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the windows of %zu ops", report->op_count);
    }
    size_t *next = out->begin + 1; /* the begin of each group, moved to its end as ops are placed */
    for (size_t i = 0; i < report->op_count; ++i) {
        uint32_t g = group_of(&report->ops[i], map);
        if (g != TRIB_NSYS_NONE && g + 1 < count) ++next[g + 1];
    }
    for (size_t g = 1; g < count; ++g) next[g] += next[g - 1];
    for (size_t i = 0; i < report->op_count; ++i) {
        uint32_t g = group_of(&report->ops[i], map);
        if (g != TRIB_NSYS_NONE) out->items[next[g]++] = (uint32_t)i;
    }
    return trib_success();
}

static int falling(int64_t a, int64_t b) { return (a < b) - (a > b); }

/* ---- devices ---- */

static uint32_t device_of(const trib_nsys_op *op, const void *map) { return ((const uint32_t *)map)[op->stream]; }

static trib_status find_device(const trib_nsys_stream *stream, trib_nsys_overlaps *out, uint32_t *index)
{
    for (*index = 0; *index < out->device_count; ++*index)
        if (out->devices[*index].process == stream->process && out->devices[*index].device == stream->device)
            return trib_success();
    void *devices = out->devices;
    int failed = trib_grow(&devices, &out->device_capacity, out->device_count + 1, sizeof *out->devices);
    out->devices = devices;
    if (failed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's devices");
    out->devices[out->device_count++] = (trib_nsys_device) { .process = stream->process, .device = stream->device };
    return trib_success();
}

static int more_work(const void *a, const void *b)
{
    return falling(((const trib_nsys_lane *)a)->busy, ((const trib_nsys_lane *)b)->busy);
}

static trib_status keep_lanes(const trib_nsys_sweep *sweep, trib_nsys_device *device)
{
    size_t count;
    const trib_nsys_lane *lanes = trib_nsys_sweep_lanes(sweep, &count);
    device->lanes = trib_realloc_array(NULL, count, sizeof *lanes);
    if (!device->lanes) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu streams", count);
    memcpy(device->lanes, lanes, count * sizeof *lanes);
    qsort(device->lanes, count, sizeof *lanes, more_work);
    return trib_success();
}

static trib_status sum_devices(const trib_nsys_report *report, trib_nsys_sweep *sweep, uint32_t *map,
                               trib_nsys_overlaps *out)
{
    groups g = { 0 };
    for (size_t i = 0; i < report->stream_count; ++i) TRIB_TRY(find_device(&report->streams[i], out, &map[i]));
    trib_status status = group(report, map, out->device_count, device_of, &g);
    for (size_t i = 0; !trib_failed(&status) && i < out->device_count; ++i) {
        trib_nsys_device *device = &out->devices[i];
        if (g.begin[i + 1] == g.begin[i]) continue; /* all its ops were without times */
        device->sums = trib_nsys_sweep_run(sweep, g.items + g.begin[i], g.begin[i + 1] - g.begin[i]);
        status = keep_lanes(sweep, device);
    }
    release(&g);
    return status;
}

/* ---- ranges ---- */

/* A range of a name that is in no other of that name: the ops whose calls were made in it, on its thread. */
typedef struct span {
    uint32_t thread;
    int64_t from, to;
} span;

typedef struct spans {
    const trib_nsys_report *report;
    span *items;
    size_t count;
} spans;

static uint32_t first_name(const trib_nsys_report *report, const trib_nsys_range *range)
{
    return range->name == TRIB_NSYS_NONE ? TRIB_NSYS_NONE : report->names.items[range->name].first;
}

/* `out->items` has room for all ranges, which come by thread and start. Of two that overlap in part, what both have is
 * the first one's. */
static void list_spans(const trib_nsys_report *report, uint32_t name, spans *out)
{
    out->count = 0;
    for (size_t i = 0; i < report->range_count; ++i) {
        const trib_nsys_range *r = &report->ranges[i];
        const span *last = out->count ? &out->items[out->count - 1] : NULL;
        if (first_name(report, r) != name) continue;
        const bool follows = last && last->thread == r->thread && last->to > r->start;
        if (!follows || last->to < r->end)
            out->items[out->count++] = (span) { r->thread, follows ? last->to : r->start, r->end };
    }
}

static uint32_t window_of(const trib_nsys_op *op, const void *map)
{
    const spans *s = map;
    size_t low = 0, high = s->count;
    if (op->range == TRIB_NSYS_NONE) return TRIB_NSYS_NONE;
    const uint32_t thread = s->report->ranges[op->range].thread;
    while (low < high) { /* the last that begins at or before the call */
        const size_t middle = low + (high - low) / 2;
        const span *m = &s->items[middle];
        if (m->thread < thread || (m->thread == thread && m->from <= op->called))
            low = middle + 1;
        else
            high = middle;
    }
    const span *found = low ? &s->items[low - 1] : NULL;
    return found && found->thread == thread && op->called < found->to ? (uint32_t)(low - 1) : TRIB_NSYS_NONE;
}

/* At most 2^62: only a file made up has more. */
static void add_to(int64_t *to, int64_t x)
{
    const int64_t most = INT64_C(1) << 62;
    *to = *to > most - x ? most : *to + x;
}

static void add_sums(trib_nsys_sums *to, const trib_nsys_sums *s)
{
    add_to(&to->wall, s->wall);
    add_to(&to->busy, s->busy);
    add_to(&to->any, s->any);
    add_to(&to->overlap, s->overlap);
    add_to(&to->launch, s->launch);
    add_to(&to->wait, s->wait);
    add_to(&to->tail, s->tail);
    to->ops += s->ops;
    if (s->streams > to->streams) to->streams = s->streams;
}

static int rising(const void *a, const void *b) { return -falling(*(const int64_t *)a, *(const int64_t *)b); }

static trib_status sum_windows(trib_nsys_sweep *sweep, const groups *g, trib_nsys_window *out)
{
    int64_t *walls = trib_realloc_array(NULL, g->count, sizeof *walls);
    if (!walls) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu windows", g->count);
    for (size_t i = 0; i < g->count; ++i) {
        size_t count = g->begin[i + 1] - g->begin[i];
        if (count == 0) continue;
        trib_nsys_sums sums = trib_nsys_sweep_run(sweep, g->items + g->begin[i], count);
        add_sums(&out->sums, &sums);
        walls[out->count++] = sums.wall;
    }
    qsort(walls, (size_t)out->count, sizeof *walls, rising);
    out->median = out->count ? walls[(out->count - 1) / 2] : 0;
    trib_free(walls);
    return trib_success();
}

static trib_status sum_name(trib_nsys_sweep *sweep, spans *spans, trib_nsys_window *out)
{
    groups g = { 0 };
    list_spans(spans->report, out->name, spans);
    TRIB_TRY(group(spans->report, spans, spans->count, window_of, &g));
    trib_status status = sum_windows(sweep, &g, out);
    release(&g);
    return status;
}

/* ---- which ranges ---- */

/* Work given in each name's ranges; in ranges of a name within each other it counts again, which only orders them. */
static void weigh_names(const trib_nsys_report *report, double *weights)
{
    for (size_t i = 0; i < report->op_count; ++i) {
        const trib_nsys_op *op = &report->ops[i];
        const double work = (double)(op->end - op->start + 1); /* also those of no duration */
        for (uint32_t r = op->range; r != TRIB_NSYS_NONE; r = report->ranges[r].parent) {
            const uint32_t name = first_name(report, &report->ranges[r]);
            if (report->ranges[r].end > op->called && name != TRIB_NSYS_NONE) weights[name] += work;
        }
    }
}

/* Those with most work, in that order. */
static size_t pick(double *weights, size_t count, trib_nsys_window *windows)
{
    size_t picked = 0;
    for (; picked < TRIB_NSYS_MOST_WINDOWS; ++picked) {
        size_t best = 0;
        for (size_t i = 1; i < count; ++i)
            if (weights[i] > weights[best]) best = i;
        if (count == 0 || weights[best] == 0) break;
        windows[picked] = (trib_nsys_window) { .name = (uint32_t)best };
        weights[best] = 0;
    }
    return picked;
}

static trib_status not_found(const trib_nsys_report *report, const char *range, const trib_nsys_overlaps *out)
{
    char others[200] = "";
    for (size_t i = 0; i < out->window_count && i < 4; ++i) {
        size_t used = strlen(others);
        snprintf(others + used, sizeof others - used, "%s\"%.40s\"", i ? ", " : "",
                 trib_nsys_name_text(&report->names, out->windows[i].name));
    }
    return TRIB_ERROR(TRIB_NOT_FOUND, "no work of a GPU was given in a range called \"%.80s\"; %s%s", range,
                      others[0] ? "in others it was: " : "the report has no ranges with work", others);
}

static trib_status pick_one(const trib_nsys_report *report, const char *range, const double *weights, size_t picked,
                            trib_nsys_overlaps *out)
{
    out->window_count = picked;
    for (size_t i = 0; i < picked; ++i)
        if (!strcmp(trib_nsys_name_text(&report->names, out->windows[i].name), range)) {
            out->windows[0] = out->windows[i];
            out->window_count = 1;
            return trib_success();
        }
    uint32_t name = trib_nsys_name_find(&report->names, range);
    if (name == TRIB_NSYS_NONE || weights[name] == 0) return not_found(report, range, out);
    out->windows[0] = (trib_nsys_window) { .name = name };
    out->window_count = 1;
    return trib_success();
}

static trib_status pick_windows(const trib_nsys_report *report, const char *range, trib_nsys_overlaps *out)
{
    double *weights = trib_alloc_zeroed(report->names.count, sizeof *weights);
    out->windows = trib_alloc_zeroed(TRIB_NSYS_MOST_WINDOWS, sizeof *out->windows);
    trib_status status =
        weights && out->windows ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's ranges");
    if (!trib_failed(&status)) {
        weigh_names(report, weights);
        out->window_count = pick(weights, report->names.count, out->windows);
        if (range) status = pick_one(report, range, weights, out->window_count, out);
    }
    trib_free(weights);
    return status;
}

static trib_status sum_ranges(const trib_nsys_report *report, const char *range, trib_nsys_sweep *sweep,
                              trib_nsys_overlaps *out)
{
    TRIB_TRY(pick_windows(report, range, out));
    spans spans = { .report = report, .items = trib_realloc_array(NULL, report->range_count + 1, sizeof *spans.items) };
    trib_status status =
        spans.items ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's ranges");
    for (size_t i = 0; !trib_failed(&status) && i < out->window_count; ++i)
        status = sum_name(sweep, &spans, &out->windows[i]);
    trib_free(spans.items);
    return status;
}

trib_status trib_nsys_overlaps_of(const trib_nsys_report *report, const char *range, trib_nsys_overlaps *out)
{
    trib_nsys_sweep *sweep = NULL;
    trib_nsys_overlaps found = { 0 };
    uint32_t *map = trib_realloc_array(NULL, report->stream_count, sizeof *map);
    trib_status status = map ? trib_nsys_sweep_create(report, &sweep)
                             : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's streams");
    if (!trib_failed(&status)) status = sum_devices(report, sweep, map, &found);
    if (!trib_failed(&status) && (range || !report->on_cpu)) status = sum_ranges(report, range, sweep, &found);
    trib_nsys_sweep_destroy(sweep);
    trib_free(map);
    if (trib_failed(&status))
        trib_nsys_overlaps_release(&found);
    else
        *out = found;
    return status;
}

void trib_nsys_overlaps_release(trib_nsys_overlaps *overlaps)
{
    for (size_t i = 0; i < overlaps->device_count; ++i) trib_free(overlaps->devices[i].lanes);
    trib_free(overlaps->devices);
    trib_free(overlaps->windows);
    *overlaps = (trib_nsys_overlaps) { 0 };
}

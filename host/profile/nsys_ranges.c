/* SPDX-License-Identifier: Apache-2.0
 * NVTX ranges. Of a thread's ranges some enclose others; how deep is limited, so that looking for the innermost one
 * stays quick whatever a file claims. */
#include <string.h>

#include "profile/nsys_private.h"
#include "profile/nsys_sort.h"
#include "tributary/internal/alloc.h"

enum { PUSH_POP = 59, START_END = 60, DOMAIN = 75 };

enum { START, END, TYPE, CATEGORY, TEXT, THREAD, TEXT_ID, DOMAIN_ID, U64, I32, COLUMNS };
static const trib_nsys_column columns[COLUMNS] = {
    [START] = { "start", TRIB_NSYS_NUMBER, false },    [END] = { "end", TRIB_NSYS_NUMBER, true },
    [TYPE] = { "eventType", TRIB_NSYS_NUMBER, false }, [CATEGORY] = { "category", TRIB_NSYS_NUMBER, true },
    [TEXT] = { "text", TRIB_NSYS_TEXT, true },         [THREAD] = { "globalTid", TRIB_NSYS_NUMBER, true },
    [TEXT_ID] = { "textId", TRIB_NSYS_NUMBER, true },  [DOMAIN_ID] = { "domainId", TRIB_NSYS_NUMBER, true },
    [U64] = { "uint64Value", TRIB_NSYS_NUMBER, true }, [I32] = { "int32Value", TRIB_NSYS_NUMBER, true },
};

/* ---- domains ---- */

typedef struct domain_key {
    const trib_nsys_domain *domains;
    int64_t process, id;
} domain_key;

static bool same_domain(const void *key, uint32_t value)
{
    const domain_key *k = key;
    return k->domains[value].process == k->process && k->domains[value].id == k->id;
}

static trib_status domain_of(trib_nsys_report *report, int64_t process, int64_t id, uint32_t *out)
{
    const domain_key key = { report->domains, process, id };
    uint32_t hash = trib_nsys_hash(process, id);
    *out = trib_nsys_map_get(&report->domain_map, hash, same_domain, &key);
    if (*out != TRIB_NSYS_NONE) return trib_success();
    TRIB_TRY(trib_nsys_room((void **)&report->domains, &report->domain_capacity, report->domain_count,
                            sizeof *report->domains, "NVTX domains"));
    *out = (uint32_t)report->domain_count;
    report->domains[report->domain_count++] = (trib_nsys_domain) { process, id, TRIB_NSYS_NONE, false };
    if (trib_nsys_map_add(&report->domain_map, hash, *out) == 0) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's NVTX domains");
}

static void find_ours(trib_nsys_report *report)
{
    for (size_t i = 0; i < report->domain_count; ++i)
        if (report->domains[i].name != TRIB_NSYS_NONE)
            report->domains[i].ours =
                !strcmp(trib_nsys_name_text(&report->names, report->domains[i].name), "tributary");
}

/* ---- rows ---- */

static trib_status name_of(const trib_nsys_rows *rows, trib_nsys_report *report, uint32_t *out)
{
    const char *text = trib_nsys_text(rows, TEXT);
    if (text) return trib_nsys_name_of_text(&report->names, text, out);
    if (!trib_nsys_is_null(rows, TEXT_ID))
        return trib_nsys_name_of_id(&report->names, trib_nsys_number(rows, TEXT_ID, 0), out);
    *out = TRIB_NSYS_NONE;
    return trib_success();
}

static int32_t small(int64_t x) { return x >= 0 && x <= INT32_MAX ? (int32_t)x : -1; }

static trib_status take(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    int64_t type = trib_nsys_number(rows, TYPE, 0), thread = trib_nsys_number(rows, THREAD, 0);
    report->loose_ranges += type == START_END;
    if (type != PUSH_POP && type != DOMAIN) return trib_success();
    trib_nsys_range r = { .parent = TRIB_NSYS_NONE };
    TRIB_TRY(name_of(rows, report, &r.name));
    TRIB_TRY(domain_of(report, trib_nsys_process_of(thread), trib_nsys_number(rows, DOMAIN_ID, 0), &r.domain));
    if (type == DOMAIN) {
        report->domains[r.domain].name = r.name;
        return trib_success();
    }
    r.start = trib_nsys_number(rows, START, 0);
    r.end = trib_nsys_number(rows, END, INT64_MAX);
    if (r.end < r.start) return trib_success();
    TRIB_TRY(trib_nsys_thread_of(report, thread, &r.thread));
    r.category = small(trib_nsys_number(rows, CATEGORY, 0));
    r.payload = small(trib_nsys_number(rows, U64, trib_nsys_number(rows, I32, -1)));
    TRIB_TRY(trib_nsys_room((void **)&report->ranges, &report->range_capacity, report->range_count,
                            sizeof *report->ranges, "NVTX ranges"));
    report->ranges[report->range_count++] = r;
    return trib_success();
}

/* ---- nesting ---- */

static trib_nsys_key key_of(const void *item)
{
    const trib_nsys_range *r = item;
    return (trib_nsys_key) { { r->thread, trib_nsys_part(r->start), ~trib_nsys_part(r->end) } };
}

/* The innermost of `candidate` and those around it that goes on at `time`. */
static uint32_t open_at(const trib_nsys_range *ranges, uint32_t candidate, int64_t time)
{
    while (candidate != TRIB_NSYS_NONE && ranges[candidate].end <= time) candidate = ranges[candidate].parent;
    return candidate;
}

/* Of one thread's ranges, first .. end - 1. False: they go too deep, as where pops are forgotten. */
static bool find_parents(trib_nsys_range *ranges, uint32_t first, uint32_t end)
{
    for (uint32_t i = first + 1; i < end; ++i) {
        ranges[i].parent = open_at(ranges, i - 1, ranges[i].start);
        int depth = 0;
        for (uint32_t r = i; r != TRIB_NSYS_NONE && depth <= TRIB_NSYS_DEEPEST; r = ranges[r].parent) ++depth;
        if (depth > TRIB_NSYS_DEEPEST) return false;
    }
    return true;
}

/* Keeps the ranges of all threads but those that go too deep. */
static void nest(trib_nsys_report *report)
{
    trib_nsys_range *ranges = report->ranges;
    const uint32_t count = (uint32_t)report->range_count;
    uint32_t kept = 0;
    for (uint32_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && ranges[end].thread == ranges[first].thread;) ++end;
        memmove(&ranges[kept], &ranges[first], (end - first) * sizeof *ranges);
        if (find_parents(ranges, kept, kept + end - first))
            kept += end - first;
        else
            ++report->deep_threads;
    }
    report->range_count = kept;
}

trib_status trib_nsys_read_ranges(trib_nsys_database *database, trib_nsys_report *report)
{
    TRIB_TRY(trib_nsys_each(database, "NVTX_EVENTS", columns, COLUMNS, take, report));
    trib_nsys_sort(report->ranges, report->range_count, sizeof *report->ranges, key_of);
    nest(report);
    TRIB_TRY(trib_nsys_names_resolve(&report->names, database));
    find_ours(report);
    return trib_success();
}

/* ---- looking up ---- */

/* Ranges up to this place start on an earlier thread, or on this one at or before `time`. */
static size_t count_before(const trib_nsys_report *report, uint32_t thread, int64_t time)
{
    size_t low = 0, high = report->range_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const trib_nsys_range *r = &report->ranges[middle];
        if (r->thread < thread || (r->thread == thread && r->start <= time))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t trib_nsys_range_at(const trib_nsys_report *report, uint32_t thread, int64_t time)
{
    size_t before = count_before(report, thread, time);
    if (before == 0 || report->ranges[before - 1].thread != thread) return TRIB_NSYS_NONE;
    return open_at(report->ranges, (uint32_t)before - 1, time);
}

/* Only ranges of ops have a category, their kind. */
uint32_t trib_nsys_layer_of(const trib_nsys_report *report, uint32_t range, int64_t time)
{
    while (range != TRIB_NSYS_NONE &&
           !(report->domains[report->ranges[range].domain].ours && report->ranges[range].category > 0))
        range = open_at(report->ranges, report->ranges[range].parent, time);
    return range;
}

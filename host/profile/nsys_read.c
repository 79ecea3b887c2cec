/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "profile/nsys_export.h"
#include "profile/nsys_private.h"
#include "profile/nsys_sort.h"
#include "tributary/internal/alloc.h"

/* ---- what all parts use ---- */

trib_status trib_nsys_each(trib_nsys_database *database, const char *table, const trib_nsys_column *columns, int count,
                           trib_nsys_take take, trib_nsys_report *report)
{
    trib_nsys_rows *rows = NULL;
    bool more = false;
    TRIB_TRY(trib_nsys_rows_open(database, table, columns, count, &rows));
    trib_status status = rows ? trib_nsys_rows_next(rows, &more) : trib_success();
    while (!trib_failed(&status) && more) {
        status = take(rows, report);
        if (!trib_failed(&status)) status = trib_nsys_rows_next(rows, &more);
    }
    trib_nsys_rows_close(rows);
    return status;
}

trib_status trib_nsys_room(void **items, size_t *capacity, size_t count, size_t size, const char *what)
{
    if (count < TRIB_NSYS_NONE - 1 && trib_grow(items, capacity, count + 1, size) == 0) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's %s", what);
}

typedef struct thread_key {
    const int64_t *threads;
    int64_t wanted;
} thread_key;

static bool same_thread(const void *key, uint32_t value)
{
    const thread_key *k = key;
    return k->threads[value] == k->wanted;
}

trib_status trib_nsys_thread_of(trib_nsys_report *report, int64_t global, uint32_t *out)
{
    const thread_key key = { report->threads, global };
    uint32_t hash = trib_nsys_hash(global, 0);
    *out = trib_nsys_map_get(&report->thread_map, hash, same_thread, &key);
    if (*out != TRIB_NSYS_NONE) return trib_success();
    TRIB_TRY(trib_nsys_room((void **)&report->threads, &report->thread_capacity, report->thread_count,
                            sizeof *report->threads, "threads"));
    *out = (uint32_t)report->thread_count;
    report->threads[report->thread_count++] = global;
    if (trib_nsys_map_add(&report->thread_map, hash, *out) == 0) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's threads");
}

/* ---- our work on a CPU ---- */

static trib_nsys_key key_of(const void *item)
{
    const trib_nsys_op *op = item;
    return (trib_nsys_key) { { trib_nsys_part(op->start), trib_nsys_part(op->end), op->stream } };
}

static bool is_layer(const trib_nsys_report *report, uint32_t range)
{
    return trib_nsys_layer_of(report, range, report->ranges[range].start) == range &&
           report->ranges[range].end != INT64_MAX;
}

trib_status trib_nsys_take_ranges(trib_nsys_report *report)
{
    for (uint32_t i = 0; i < report->range_count; ++i) {
        const trib_nsys_range *r = &report->ranges[i];
        if (!is_layer(report, i)) continue;
        int64_t thread = report->threads[r->thread];
        const trib_nsys_stream stream = { trib_nsys_process_of(thread), -1, -1, thread, TRIB_NSYS_NONE };
        trib_nsys_op op = { .start = r->start,
                            .end = r->end,
                            .issued = TRIB_NSYS_NO_TIME,
                            .called = r->start,
                            .correlation = -1,
                            .name = r->name,
                            .kind = TRIB_NSYS_RANGE,
                            .range = i,
                            .layer = i };
        uint32_t index = 0;
        TRIB_TRY(trib_nsys_stream_of(report, &stream, &index));
        op.stream = (uint16_t)index;
        TRIB_TRY(trib_nsys_add_op(report, &op));
    }
    trib_nsys_sort(report->ops, report->op_count, sizeof *report->ops, key_of);
    report->on_cpu = true;
    return trib_success();
}

/* ---- the whole ---- */

/* Every export has this table. */
static trib_status check_kind(trib_nsys_database *database, const char *path)
{
    bool strings = false;
    TRIB_TRY(trib_nsys_has_column(database, "StringIds", "value", &strings));
    if (strings) return trib_success();
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "%s is an SQLite database, but no export of Nsight Systems: it has no table StringIds. To make one: "
        "nsys export -t sqlite REPORT.nsys-rep",
        path);
}

static trib_status read_all(trib_nsys_database *database, trib_nsys_report *report)
{
    TRIB_TRY(trib_nsys_read_ranges(database, report));
    TRIB_TRY(trib_nsys_read_nodes(database, report));
    TRIB_TRY(trib_nsys_read_ops(database, report));
    TRIB_TRY(trib_nsys_read_calls(database, report));
    if (report->op_count == 0) TRIB_TRY(trib_nsys_take_ranges(report));
    TRIB_TRY(trib_nsys_read_titles(database, report));
    return trib_nsys_names_resolve(&report->names, database);
}

static trib_status check_content(const trib_nsys_report *report, const char *path)
{
    if (report->op_count > 0) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s holds neither kernels and copies of a GPU nor ranges of this program on a CPU: record with "
                      "nsys profile --trace=cuda,nvtx%s",
                      path, report->untimed ? "; those it has are without times" : "");
}

static trib_status read_export(const char *path, trib_nsys_stop stop, trib_nsys_report *report)
{
    trib_nsys_database *database = NULL;
    TRIB_TRY(trib_nsys_database_open(path, stop, &database));
    trib_status status = check_kind(database, path);
    if (!trib_failed(&status)) status = read_all(database, report);
    trib_nsys_database_close(database);
    return trib_failed(&status) ? status : check_content(report, path);
}

trib_status trib_nsys_read(const char *path, trib_nsys_stop stop, trib_nsys_report **out)
{
    trib_nsys_exported exported = { 0 };
    trib_nsys_report *report = trib_alloc_zeroed(1, sizeof *report);
    if (!report) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to read %s", path);
    trib_status status = trib_nsys_export(path, stop, &exported);
    if (!trib_failed(&status)) status = read_export(exported.path ? exported.path : path, stop, report);
    trib_nsys_export_remove(&exported);
    if (trib_failed(&status))
        trib_nsys_release(report);
    else
        *out = report;
    return status;
}

void trib_nsys_release(trib_nsys_report *report)
{
    if (!report) return;
    trib_nsys_names_release(&report->names);
    trib_nsys_map_release(&report->thread_map);
    trib_nsys_map_release(&report->domain_map);
    trib_nsys_map_release(&report->node_map);
    trib_nsys_map_release(&report->stream_map);
    trib_free(report->threads);
    trib_free(report->ranges);
    trib_free(report->domains);
    trib_free(report->nodes);
    trib_free(report->streams);
    trib_free(report->ops);
    trib_free(report);
}

/* SPDX-License-Identifier: Apache-2.0
 * What GPUs did: kernels, copies, sets, and graphs that were recorded as one block each. */
#include <string.h>

#include "profile/nsys_private.h"
#include "tributary/internal/alloc.h"

/* More rows than this are refused: each takes 48 bytes. */
enum { MOST_OPS = 1 << 26 };
/* Sums over streams of times stay below 2^62 ns: times are within 39 hours of the session's start. */
enum { MOST_STREAMS = 1 << 14 };
static const int64_t farthest = INT64_C(1) << 47;

/* ---- streams ---- */

typedef struct stream_key {
    const trib_nsys_stream *streams;
    const trib_nsys_stream *wanted;
} stream_key;

static bool same_stream(const void *key, uint32_t value)
{
    const stream_key *k = key;
    const trib_nsys_stream *a = &k->streams[value], *b = k->wanted;
    return a->number == b->number && a->context == b->context && a->device == b->device && a->process == b->process;
}

trib_status trib_nsys_stream_of(trib_nsys_report *report, const trib_nsys_stream *wanted, uint32_t *out)
{
    const stream_key key = { report->streams, wanted };
    uint32_t hash = trib_nsys_hash(wanted->process, wanted->number) ^ trib_nsys_hash(wanted->device, wanted->context);
    *out = trib_nsys_map_get(&report->stream_map, hash, same_stream, &key);
    if (*out != TRIB_NSYS_NONE) return trib_success();
    if (report->stream_count >= MOST_STREAMS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "the report has more than %d streams", MOST_STREAMS);
    TRIB_TRY(trib_nsys_room((void **)&report->streams, &report->stream_capacity, report->stream_count,
                            sizeof *report->streams, "streams"));
    *out = (uint32_t)report->stream_count;
    report->streams[report->stream_count] = *wanted;
    report->streams[report->stream_count++].name = TRIB_NSYS_NONE;
    if (trib_nsys_map_add(&report->stream_map, hash, *out) == 0) return trib_success();
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's streams");
}

/* ---- rows ---- */

enum { START, END, DEVICE, CONTEXT, STREAM, CORRELATION, PROCESS, NODE, COMMON };
#define COMMON_COLUMNS                                                                                               \
    [START] = { "start", TRIB_NSYS_NUMBER, false }, [END] = { "end", TRIB_NSYS_NUMBER, false },                      \
    [DEVICE] = { "deviceId", TRIB_NSYS_NUMBER, false }, [CONTEXT] = { "contextId", TRIB_NSYS_NUMBER, false },        \
    [STREAM] = { "streamId", TRIB_NSYS_NUMBER, false }, [CORRELATION] = { "correlationId", TRIB_NSYS_NUMBER, true }, \
    [PROCESS] = { "globalPid", TRIB_NSYS_NUMBER, true }, [NODE] = { "graphNodeId", TRIB_NSYS_NUMBER, true }

/* 0 and 0 are no time; others may be impossible. */
static bool has_time(const trib_nsys_op *op)
{
    return (op->start != 0 || op->end != 0) && op->end >= op->start && op->start > -farthest && op->end < farthest;
}

trib_status trib_nsys_add_op(trib_nsys_report *report, const trib_nsys_op *op)
{
    if (!has_time(op)) {
        ++report->untimed;
        return trib_success();
    }
    if (report->op_count >= MOST_OPS)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "the report has more than %d kernels and copies: record a shorter time",
                          MOST_OPS);
    TRIB_TRY(trib_nsys_room((void **)&report->ops, &report->op_capacity, report->op_count, sizeof *report->ops,
                            "kernels and copies"));
    report->ops[report->op_count++] = *op;
    ++report->kinds[op->kind];
    report->in_graphs += op->in_graph;
    return trib_success();
}

static trib_status take(const trib_nsys_rows *rows, trib_nsys_report *report, trib_nsys_kind kind, uint32_t name)
{
    const trib_nsys_stream stream = { .process = trib_nsys_number(rows, PROCESS, 0),
                                      .device = trib_nsys_number(rows, DEVICE, 0),
                                      .context = trib_nsys_number(rows, CONTEXT, 0),
                                      .number = trib_nsys_number(rows, STREAM, 0) };
    trib_nsys_op op = { .start = trib_nsys_number(rows, START, 0),
                        .end = trib_nsys_number(rows, END, 0),
                        .issued = TRIB_NSYS_NO_TIME,
                        .called = TRIB_NSYS_NO_TIME,
                        .correlation = trib_nsys_number(rows, CORRELATION, -1),
                        .name = name,
                        .kind = (uint8_t)kind,
                        .range = TRIB_NSYS_NONE,
                        .layer = TRIB_NSYS_NONE };
    int64_t node = trib_nsys_number(rows, NODE, 0);
    op.in_graph = node != 0 || kind == TRIB_NSYS_GRAPH;
    uint32_t found = node ? trib_nsys_node_find(report, stream.process, node) : TRIB_NSYS_NONE;
    if (found != TRIB_NSYS_NONE) op.layer = report->nodes[found].layer;
    uint32_t index = 0;
    TRIB_TRY(trib_nsys_stream_of(report, &stream, &index));
    op.stream = (uint16_t)index;
    return trib_nsys_add_op(report, &op);
}

/* ---- kernels ---- */

enum { SHORT_NAME = COMMON, DEMANGLED_NAME, KERNEL_COLUMNS };
static const trib_nsys_column kernel_columns[KERNEL_COLUMNS] = {
    COMMON_COLUMNS,
    [SHORT_NAME] = { "shortName", TRIB_NSYS_NUMBER, true },
    [DEMANGLED_NAME] = { "demangledName", TRIB_NSYS_NUMBER, true },
};

static trib_status take_kernel(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    uint32_t name = TRIB_NSYS_NONE;
    int column = trib_nsys_is_null(rows, SHORT_NAME) ? DEMANGLED_NAME : SHORT_NAME;
    if (!trib_nsys_is_null(rows, column))
        TRIB_TRY(trib_nsys_name_of_id(&report->names, trib_nsys_number(rows, column, 0), &name));
    return take(rows, report, TRIB_NSYS_KERNEL, name);
}

/* ---- copies, sets, graphs ---- */

enum { COPY_KIND = COMMON, COPY_COLUMNS };
static const trib_nsys_column copy_columns[COPY_COLUMNS] = {
    COMMON_COLUMNS,
    [COPY_KIND] = { "copyKind", TRIB_NSYS_NUMBER, true },
};

/* The numbers are CUPTI's. */
static trib_status take_copy(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    static const char *const names[] = { "copy", "copy to device", "copy to host" };
    int64_t kind = trib_nsys_number(rows, COPY_KIND, 0);
    uint32_t name = TRIB_NSYS_NONE;
    TRIB_TRY(trib_nsys_name_of_text(&report->names, kind == 1 || kind == 2 ? names[kind] : names[0], &name));
    return take(rows, report, TRIB_NSYS_COPY, name);
}

static const trib_nsys_column common_columns[COMMON] = { COMMON_COLUMNS };

static trib_status take_set(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    uint32_t name = TRIB_NSYS_NONE;
    TRIB_TRY(trib_nsys_name_of_text(&report->names, "set", &name));
    return take(rows, report, TRIB_NSYS_SET, name);
}

static trib_status take_graph(const trib_nsys_rows *rows, trib_nsys_report *report)
{
    uint32_t name = TRIB_NSYS_NONE;
    TRIB_TRY(trib_nsys_name_of_text(&report->names, "graph", &name));
    return take(rows, report, TRIB_NSYS_GRAPH, name);
}

trib_status trib_nsys_read_ops(trib_nsys_database *database, trib_nsys_report *report)
{
    TRIB_TRY(
        trib_nsys_each(database, "CUPTI_ACTIVITY_KIND_KERNEL", kernel_columns, KERNEL_COLUMNS, take_kernel, report));
    TRIB_TRY(trib_nsys_each(database, "CUPTI_ACTIVITY_KIND_MEMCPY", copy_columns, COPY_COLUMNS, take_copy, report));
    TRIB_TRY(trib_nsys_each(database, "CUPTI_ACTIVITY_KIND_MEMSET", common_columns, COMMON, take_set, report));
    return trib_nsys_each(database, "CUPTI_ACTIVITY_KIND_GRAPH_TRACE", common_columns, COMMON, take_graph, report);
}

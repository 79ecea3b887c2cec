/* SPDX-License-Identifier: Apache-2.0
 * Which call gave an op to the device, and thereby when, and in which NVTX range. A launch of a graph gives all its
 * nodes, so that many ops may have one call. */
#include "profile/nsys_private.h"
#include "profile/nsys_sort.h"

enum { RUNTIME_API = 0, DRIVER_API = 1 };

enum { START, END, CLASS, THREAD, CORRELATION, COLUMNS };
static const trib_nsys_column columns[COLUMNS] = {
    [START] = { "start", TRIB_NSYS_NUMBER, false },
    [END] = { "end", TRIB_NSYS_NUMBER, false },
    [CLASS] = { "eventClass", TRIB_NSYS_NUMBER, true },
    [THREAD] = { "globalTid", TRIB_NSYS_NUMBER, true },
    [CORRELATION] = { "correlationId", TRIB_NSYS_NUMBER, true },
};

/* Ops of the same correlation are a chain through `range`, which has no value yet; `map` has its first. */
typedef struct chains {
    trib_nsys_map map;
    trib_nsys_report *report;
} chains;

typedef struct call_key {
    const trib_nsys_report *report;
    int64_t process, correlation;
} call_key;

static bool same_call(const void *key, uint32_t value)
{
    const call_key *k = key;
    const trib_nsys_op *op = &k->report->ops[value];
    return op->correlation == k->correlation && k->report->streams[op->stream].process == k->process;
}

static uint32_t find_first(const chains *c, int64_t process, int64_t correlation)
{
    const call_key key = { c->report, process, correlation };
    return trib_nsys_map_get(&c->map, trib_nsys_hash(process, correlation), same_call, &key);
}

static trib_status chain_up(chains *c)
{
    if (trib_nsys_map_reserve(&c->map, c->report->op_count) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's calls of CUDA");
    for (uint32_t i = 0; i < c->report->op_count; ++i) {
        trib_nsys_op *op = &c->report->ops[i];
        if (op->correlation < 0) continue;
        int64_t process = c->report->streams[op->stream].process;
        uint32_t first = find_first(c, process, op->correlation);
        if (first != TRIB_NSYS_NONE) {
            op->range = c->report->ops[first].range;
            c->report->ops[first].range = i;
        } else if (trib_nsys_map_add(&c->map, trib_nsys_hash(process, op->correlation), i) != 0) {
            return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's calls of CUDA");
        }
    }
    return trib_success();
}

static void set_call(trib_nsys_report *report, uint32_t first, int64_t start, int64_t end, uint32_t range)
{
    for (uint32_t i = first; i != TRIB_NSYS_NONE;) {
        trib_nsys_op *op = &report->ops[i];
        i = op->range;
        op->issued = end < op->start ? end : op->start;
        op->called = start;
        op->range = range;
        if (!op->in_graph) op->layer = trib_nsys_layer_of(report, range, start);
    }
}

/* With backtraces, calls have second rows of another class; of several of the right one, the first counts. */
static trib_status take(const chains *c, const trib_nsys_rows *rows)
{
    int64_t class = trib_nsys_number(rows, CLASS, RUNTIME_API), correlation = trib_nsys_number(rows, CORRELATION, -1);
    if ((class != RUNTIME_API && class != DRIVER_API) || correlation < 0) return trib_success();
    int64_t thread = trib_nsys_number(rows, THREAD, 0), start = trib_nsys_number(rows, START, 0);
    int64_t end = trib_nsys_number(rows, END, 0);
    uint32_t first = find_first(c, trib_nsys_process_of(thread), correlation), index = TRIB_NSYS_NONE;
    if (first == TRIB_NSYS_NONE || c->report->ops[first].issued != TRIB_NSYS_NO_TIME || end < start)
        return trib_success();
    TRIB_TRY(trib_nsys_thread_of(c->report, thread, &index));
    set_call(c->report, first, start, end, trib_nsys_range_at(c->report, index, start));
    return trib_success();
}

static trib_status take_all(const chains *c, trib_nsys_database *database)
{
    trib_nsys_rows *rows = NULL;
    bool more = false;
    TRIB_TRY(trib_nsys_rows_open(database, "CUPTI_ACTIVITY_KIND_RUNTIME", columns, COLUMNS, &rows));
    trib_status status = rows ? trib_nsys_rows_next(rows, &more) : trib_success();
    while (!trib_failed(&status) && more) {
        status = take(c, rows);
        if (!trib_failed(&status)) status = trib_nsys_rows_next(rows, &more);
    }
    trib_nsys_rows_close(rows);
    return status;
}

static void cut_chains(trib_nsys_report *report)
{
    for (size_t i = 0; i < report->op_count; ++i)
        if (report->ops[i].issued == TRIB_NSYS_NO_TIME) {
            report->ops[i].range = TRIB_NSYS_NONE;
            ++report->uncalled;
        }
}

static trib_nsys_key key_of(const void *item)
{
    const trib_nsys_op *op = item;
    return (trib_nsys_key) { { trib_nsys_part(op->start), trib_nsys_part(op->end), op->stream } };
}

trib_status trib_nsys_read_calls(trib_nsys_database *database, trib_nsys_report *report)
{
    chains c = { .report = report };
    trib_status status = chain_up(&c);
    if (!trib_failed(&status)) status = take_all(&c, database);
    trib_nsys_map_release(&c.map);
    if (trib_failed(&status)) return status;
    cut_chains(report);
    trib_nsys_sort(report->ops, report->op_count, sizeof *report->ops, key_of);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0
 * A run of a network is, launched as a graph, what one launch gave; launched eagerly, what was given in one range of a
 * chunk; and on a CPU, where workers report their own ops, those that carry one chunk's number. Sessions count from 0,
 * so that there a layer that comes again begins another run. */
#include "profile/nsys_runs.h"

#include <stdlib.h>

#include "tributary/internal/alloc.h"

enum { MOST_OPS_OF_A_RUN = 16384, MOST_STREAMS = 512 };

typedef struct key {
    const trib_nsys_run *runs;
    int64_t process, number;
    uint32_t name;
} key;

typedef struct finder {
    const trib_nsys_report *report;
    trib_nsys_runs *out;
    trib_nsys_map latest; /* the latest run of each key */
    trib_nsys_map seen;   /* (run, layer) on a CPU: index in seen_pairs */
    uint64_t *seen_pairs;
    size_t seen_count, seen_capacity;
    uint32_t *run_of; /* of each op */
} finder;

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the runs in the report"); }

static uint32_t first_name(const trib_nsys_report *report, uint32_t range)
{
    uint32_t name = range == TRIB_NSYS_NONE ? TRIB_NSYS_NONE : report->ranges[range].name;
    return name == TRIB_NSYS_NONE ? TRIB_NSYS_NONE : report->names.items[name].first;
}

/* Our outermost range around `range` that goes on at `time`. */
static uint32_t outermost(const trib_nsys_report *report, uint32_t range, int64_t time)
{
    uint32_t found = TRIB_NSYS_NONE;
    for (; range != TRIB_NSYS_NONE; range = report->ranges[range].parent)
        if (report->ranges[range].end > time && report->domains[report->ranges[range].domain].ours) found = range;
    return found;
}

/* ---- which run ---- */

static bool same_key(const void *wanted, uint32_t value)
{
    const key *k = wanted;
    const trib_nsys_run *run = &k->runs[value];
    return run->process == k->process && run->key == k->number && run->name == k->name;
}

static key key_of(const finder *f, const trib_nsys_op *op)
{
    const trib_nsys_report *r = f->report;
    key k = { .process = r->streams[op->stream].process };
    uint32_t around = outermost(r, op->in_graph ? op->range : op->layer, op->called);
    if (r->on_cpu)
        k.number = r->ranges[op->layer].payload;
    else
        k.number = op->in_graph ? op->correlation : (int64_t)around;
    k.name = r->on_cpu ? TRIB_NSYS_NONE : first_name(r, around);
    return k;
}

typedef struct pair_key {
    const uint64_t *pairs;
    uint64_t wanted;
} pair_key;

static bool same_pair(const void *wanted, uint32_t value)
{
    const pair_key *k = wanted;
    return k->pairs[value] == k->wanted;
}

/* On a CPU each layer is one op of a run. */
static trib_status see(finder *f, uint32_t run, uint32_t layer, bool *again)
{
    const pair_key k = { f->seen_pairs, (uint64_t)run << 32 | layer };
    uint32_t hash = trib_nsys_hash(run, layer);
    *again = run != TRIB_NSYS_NONE && trib_nsys_map_get(&f->seen, hash, same_pair, &k) != TRIB_NSYS_NONE;
    if (*again || run == TRIB_NSYS_NONE) return trib_success();
    void *pairs = f->seen_pairs;
    int failed = trib_grow(&pairs, &f->seen_capacity, f->seen_count + 1, sizeof *f->seen_pairs);
    f->seen_pairs = pairs;
    if (failed || trib_nsys_map_add(&f->seen, hash, (uint32_t)f->seen_count) != 0) return no_memory();
    f->seen_pairs[f->seen_count++] = k.wanted;
    return trib_success();
}

static trib_status add_run(finder *f, const key *k, const trib_nsys_op *op, uint32_t old, uint32_t *out)
{
    uint32_t hash = trib_nsys_hash(k->process, k->number);
    void *items = f->out->items;
    int failed = trib_grow(&items, &f->out->capacity, f->out->count + 1, sizeof *f->out->items);
    f->out->items = items;
    *out = (uint32_t)f->out->count;
    if (!failed && old == TRIB_NSYS_NONE) failed = trib_nsys_map_add(&f->latest, hash, *out);
    if (failed) return no_memory();
    if (old != TRIB_NSYS_NONE) trib_nsys_map_set(&f->latest, hash, old, *out);
    f->out->items[f->out->count++] =
        (trib_nsys_run) { .process = k->process, .key = k->number, .name = k->name, .in_graph = op->in_graph };
    return trib_success();
}

static trib_status assign(finder *f, uint32_t index)
{
    const trib_nsys_op *op = &f->report->ops[index];
    uint32_t layer = first_name(f->report, op->layer);
    bool again = false;
    key k = key_of(f, op);
    k.runs = f->out->items;
    uint32_t run = trib_nsys_map_get(&f->latest, trib_nsys_hash(k.process, k.number), same_key, &k), old = run;
    if (f->report->on_cpu) TRIB_TRY(see(f, run, layer, &again));
    if (run == TRIB_NSYS_NONE || again) {
        TRIB_TRY(add_run(f, &k, op, old, &run));
        if (f->report->on_cpu) TRIB_TRY(see(f, run, layer, &again));
    }
    f->run_of[index] = run;
    if (f->out->items[run].count++ < MOST_OPS_OF_A_RUN) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "the report has a run of a network with more than %d ops", MOST_OPS_OF_A_RUN);
}

static trib_status assign_all(finder *f)
{
    const trib_nsys_report *r = f->report;
    for (uint32_t i = 0; i < r->op_count; ++i) {
        f->run_of[i] = TRIB_NSYS_NONE;
        if (r->ops[i].layer == TRIB_NSYS_NONE || first_name(r, r->ops[i].layer) == TRIB_NSYS_NONE) continue;
        if (r->ops[i].in_graph && r->ops[i].correlation < 0) continue;
        TRIB_TRY(assign(f, i));
    }
    return trib_success();
}

/* ---- the ops of each run ---- */

static trib_status place_ops(finder *f)
{
    trib_nsys_runs *out = f->out;
    size_t total = 0;
    for (size_t i = 0; i < out->count; ++i) total += out->items[i].count;
    out->all = trib_realloc_array(NULL, total, sizeof *out->all);
    if (!out->all) return no_memory();
    total = 0;
    for (size_t i = 0; i < out->count; ++i) {
        out->items[i].ops = out->all + total;
        total += out->items[i].count;
        out->items[i].count = 0;
    }
    for (uint32_t i = 0; i < f->report->op_count; ++i) {
        if (f->run_of[i] == TRIB_NSYS_NONE) continue;
        trib_nsys_run *run = &out->items[f->run_of[i]];
        run->ops[run->count++] = (trib_nsys_run_op) { .op = i, .name = first_name(f->report, f->report->ops[i].layer) };
    }
    return trib_success();
}

/* What ops of a run have in common if they are on one stream: the plan's number, which captured ranges carry, or else
 * the report's. */
static uint32_t stream_key(const trib_nsys_report *report, const trib_nsys_op *op)
{
    int32_t captured = op->in_graph ? report->ranges[op->layer].payload : -1;
    return captured >= 0 ? (uint32_t)captured : op->stream;
}

static int by_name(const void *a, const void *b)
{
    const trib_nsys_run_op *x = a, *y = b;
    if (x->name != y->name) return x->name < y->name ? -1 : 1;
    if (x->stream != y->stream) return x->stream < y->stream ? -1 : 1;
    return (x->op > y->op) - (x->op < y->op);
}

/* Streams are numbered in the order of the first names on them, which all runs alike have in common. */
static trib_status number_streams(const trib_nsys_report *report, trib_nsys_run *run)
{
    uint32_t keys[MOST_STREAMS];
    run->streams_known = !run->in_graph || report->ranges[report->ops[run->ops[0].op].layer].payload >= 0;
    for (uint32_t i = 0; i < run->count; ++i) run->ops[i].stream = stream_key(report, &report->ops[run->ops[i].op]);
    qsort(run->ops, run->count, sizeof *run->ops, by_name);
    for (uint32_t i = 0; i < run->count; ++i) {
        uint32_t s = 0;
        while (s < run->stream_count && keys[s] != run->ops[i].stream) ++s;
        if (s == MOST_STREAMS)
            return TRIB_ERROR(TRIB_BAD_DATA, "the report has a run of a network on more than %d streams", MOST_STREAMS);
        if (s == run->stream_count) keys[run->stream_count++] = run->ops[i].stream;
        run->ops[i].stream = s;
    }
    qsort(run->ops, run->count, sizeof *run->ops, by_name);
    return trib_success();
}

static void sign(trib_nsys_run *run)
{
    run->signature = (uint64_t)run->count << 32;
    for (uint32_t i = 0; i < run->count; ++i)
        run->signature += trib_nsys_hash((int64_t)i << 32 | run->ops[i].name, run->ops[i].stream);
}

static trib_status find(finder *f)
{
    f->run_of = trib_realloc_array(NULL, f->report->op_count, sizeof *f->run_of);
    if (!f->run_of) return no_memory();
    TRIB_TRY(assign_all(f));
    TRIB_TRY(place_ops(f));
    for (size_t i = 0; i < f->out->count; ++i) {
        TRIB_TRY(number_streams(f->report, &f->out->items[i]));
        sign(&f->out->items[i]);
    }
    return trib_success();
}

trib_status trib_nsys_runs_of(const trib_nsys_report *report, trib_nsys_runs *out)
{
    finder f = { .report = report, .out = out };
    *out = (trib_nsys_runs) { 0 };
    trib_status status = find(&f);
    trib_nsys_map_release(&f.latest);
    trib_nsys_map_release(&f.seen);
    trib_free(f.seen_pairs);
    trib_free(f.run_of);
    if (trib_failed(&status)) trib_nsys_runs_release(out);
    return status;
}

void trib_nsys_runs_release(trib_nsys_runs *runs)
{
    trib_free(runs->items);
    trib_free(runs->all);
    *runs = (trib_nsys_runs) { 0 };
}

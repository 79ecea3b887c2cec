/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_json_trace.h"

#include "text.h"

static void add_ns(cJSON *json, const char *key, int64_t value) { cJSON_AddNumberToObject(json, key, (double)value); }
static void add_int(cJSON *json, const char *key, int value) { cJSON_AddNumberToObject(json, key, value); }
static void add_text(cJSON *json, const char *key, const char *text)
{
    cJSON_AddItemToObject(json, key, cli_json_text(text));
}

void cli_json_add_idle(cJSON *json, const int64_t idle[TRIB_IDLE_CAUSE_COUNT])
{
    cJSON *o = cJSON_AddObjectToObject(json, "idle_ns");
    for (int c = 0; c < TRIB_IDLE_CAUSE_COUNT; ++c) add_ns(o, trib_idle_cause_name((trib_idle_cause)c), idle[c]);
}

void cli_json_add_bounds(cJSON *json, const trib_profile_bounds *b, trib_bound_term binding)
{
    cJSON *o = cJSON_AddObjectToObject(json, "at_least_ns");
    add_ns(o, "critical_path", b->path);
    add_ns(o, "work_per_stream", b->streams);
    add_ns(o, "device_filled", b->device);
    add_ns(o, "copies", b->copies);
    add_ns(o, "math", b->math);
    add_ns(o, "all", b->best);
    add_text(json, "limited_by", trib_bound_term_name(binding));
}

/* ---- ops ---- */

/* Of a point, an op that runs nothing, only its place is known. */
static cJSON *op_json(const cli_profiled *s, const trib_profile *p, const trib_op_time *times, int i)
{
    const trib_profile_op *op = &s->graph.ops[i];
    const trib_profile_op_result *result = &p->ops[i];
    int64_t origin = p->total.from;
    cJSON *json = cJSON_CreateObject();
    add_text(json, "name", op->name);
    add_int(json, "stream", op->stream);
    add_int(json, "window", op->window);
    add_int(json, "branch", op->branch);
    cJSON_AddBoolToObject(json, "runs", op->runs);
    if (op->runs && times[i].issued) add_ns(json, "issued_ns", times[i].issued - origin);
    add_ns(json, "ready_ns", result->ready - origin);
    add_ns(json, "start_ns", result->from - origin);
    add_ns(json, "end_ns", result->to - origin);
    if (op->runs) add_ns(json, "alone_ns", s->alone[i]);
    add_int(json, "predecessor", result->predecessor);
    add_ns(json, "slack_ns", result->slack);
    add_ns(json, "slack_in_window_ns", result->window_slack);
    cJSON_AddBoolToObject(json, "critical", result->critical);
    return json;
}

/* ---- windows ---- */

static void add_streams(cJSON *json, const trib_profile *p, const trib_profile_window *w)
{
    cJSON *streams = cJSON_AddArrayToObject(json, "stream");
    for (int k = 0; k < p->stream_count; ++k) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddBoolToObject(one, "has_ops", w->stream[k].has_ops);
        add_ns(one, "busy_ns", w->stream[k].busy);
        cli_json_add_idle(one, w->stream[k].idle);
        cJSON_AddItemToArray(streams, one);
    }
    cJSON *at = cJSON_AddArrayToObject(json, "ns_with_so_many_streams_busy");
    for (int k = 0; k <= p->stream_count; ++k) cJSON_AddItemToArray(at, cJSON_CreateNumber((double)w->at[k]));
}

static void add_pieces(cJSON *json, const trib_profile_window *w, int64_t origin)
{
    cJSON *pieces = cJSON_AddArrayToObject(json, "idle");
    for (int i = 0; i < w->idle_count; ++i) {
        const trib_profile_idle *piece = &w->pieces[i];
        cJSON *one = cJSON_CreateObject();
        add_int(one, "stream", piece->stream);
        add_ns(one, "from_ns", piece->from - origin);
        add_ns(one, "to_ns", piece->to - origin);
        add_text(one, "cause", trib_idle_cause_name(piece->cause));
        add_int(one, "next_op", piece->next);
        add_int(one, "waits_for_op", piece->op);
        cJSON_AddItemToArray(pieces, one);
    }
}

static void add_path(cJSON *json, const trib_profile_window *w, int64_t origin)
{
    cJSON *path = cJSON_AddObjectToObject(json, "critical_path");
    add_ns(path, "busy_ns", w->path.busy);
    add_ns(path, "gaps_ns", w->path.gaps);
    add_ns(path, "host_ns", w->path.host);
    cJSON *steps = cJSON_AddArrayToObject(path, "steps");
    for (int i = 0; i < w->path.step_count; ++i) {
        const trib_profile_step *step = &w->path.steps[i];
        cJSON *one = cJSON_CreateObject();
        add_int(one, "op", step->op);
        add_ns(one, "gap_before_ns", step->gap);
        add_ns(one, "from_ns", step->from - origin);
        add_ns(one, "to_ns", step->to - origin);
        cJSON_AddBoolToObject(one, "host", step->host);
        add_int(one, "branch", step->branch);
        cJSON_AddItemToArray(steps, one);
    }
}

static cJSON *branch_json(const trib_profile_branch *b, const char *name)
{
    cJSON *json = cJSON_CreateObject();
    add_text(json, "name", name);
    add_ns(json, "alone_ns", b->alone);
    add_ns(json, "busy_ns", b->busy);
    add_ns(json, "path_busy_ns", b->path);
    add_ns(json, "path_gaps_ns", b->gaps);
    return json;
}

static cJSON *window_json(const trib_profile *p, const trib_profile_window *w, const trib_profile_part *part)
{
    cJSON *json = cJSON_CreateObject();
    int64_t origin = p->total.from;
    add_ns(json, "from_ns", w->from - origin);
    add_ns(json, "to_ns", w->to - origin);
    add_ns(json, "wall_ns", w->wall);
    add_int(json, "streams", w->streams);
    add_ns(json, "busy_ns", w->busy);
    cli_json_add_idle(json, w->idle);
    add_ns(json, "any_busy_ns", w->any);
    add_ns(json, "overlap_ns", w->overlap);
    add_ns(json, "ops_ns", w->sum);
    add_ns(json, "ops_alone_ns", w->alone);
    add_ns(json, "serial_wall_ns", w->serial);
    cli_json_add_bounds(json, &w->bounds, w->bounds.binding);
    add_streams(json, p, w);
    cJSON *branches = cJSON_AddArrayToObject(json, "branches");
    for (int b = 0; b < w->branch_count; ++b)
        cJSON_AddItemToArray(branches, branch_json(&w->branches[b], b < part->branch_count ? part->branches[b] : ""));
    cJSON_AddItemToObject(json, "trunk", branch_json(&w->trunk, "trunk"));
    add_path(json, w, origin);
    add_pieces(json, w, origin);
    return json;
}

/* ---- a run ---- */

/* All lanes together. */
static void add_batch(cJSON *json, const cli_profile_results *r, const cli_profiled *s)
{
    const trib_profile_device *d = &s->batches[s->medians.trace / r->chunks];
    cJSON *batch = cJSON_AddObjectToObject(json, "batch");
    add_ns(batch, "wall_ns", d->to - d->from);
    add_int(batch, "streams", d->streams);
    add_ns(batch, "busy_ns", d->busy);
    add_ns(batch, "any_busy_ns", d->any);
    add_ns(batch, "overlap_ns", d->overlap);
}

cJSON *cli_profile_trace_json(const cli_profile_results *r, const cli_profiled *s)
{
    static const trib_profile_part whole = { .name = "" };
    const trib_profile *p = cli_profiled_trace(s);
    const trib_op_time *times = cli_profiled_times_of(s, p).ops;
    cJSON *json = cJSON_CreateObject();
    add_int(json, "lane", p->lane);
    add_ns(json, "run", p->chunk);
    add_int(json, "negative_gaps", p->negative_gaps);
    add_int(json, "trimmed", p->trimmed);
    add_batch(json, r, s);
    cJSON *ops = cJSON_AddArrayToObject(json, "ops");
    for (int i = 0; i < p->op_count; ++i) cJSON_AddItemToArray(ops, op_json(s, p, times, i));
    cJSON_AddItemToObject(json, "total", window_json(p, &p->total, &whole));
    cJSON *windows = cJSON_AddArrayToObject(json, "windows");
    for (int w = 0; w < p->window_count; ++w)
        cJSON_AddItemToArray(windows, window_json(p, &p->windows[w], cli_profiled_part(s, w)));
    return json;
}

/* SPDX-License-Identifier: Apache-2.0
 * The document, and medians. The run that stands for the others: profile_json_trace.c. */
#include "profile_json.h"

#include <math.h>
#include <string.h>

#include "profile_json_trace.h"

/* JSON has no number for what is unknown. */
static void add_real(cJSON *json, const char *key, double value)
{
    if (isnan(value))
        cJSON_AddNullToObject(json, key);
    else
        cJSON_AddNumberToObject(json, key, value);
}

static void add_text(cJSON *json, const char *key, const char *text)
{
    cJSON_AddItemToObject(json, key, cli_json_text(text));
}

static void add_interval(cJSON *json, const char *key, const cli_interval *i)
{
    cJSON *o = cJSON_AddObjectToObject(json, key);
    add_real(o, "median", i->median);
    add_real(o, "low_95", i->low);
    add_real(o, "high_95", i->high);
    cJSON_AddNumberToObject(o, "count", i->count);
}

/* ---- medians ---- */

static void add_gain(cJSON *json, const trib_profile_gain *g)
{
    add_real(json, "gain", g->gain);
    add_real(json, "factor_alone", g->serial_gaps);
    add_real(json, "factor_stretch", g->stretch);
    add_real(json, "factor_concurrency", g->concurrency);
    add_real(json, "factor_device_busy", g->device_busy);
    add_real(json, "gain_at_most", g->bound);
    add_real(json, "overlap_share", g->overlap);
    add_real(json, "gain_by_work_alone", g->branch_bound);
}

static cJSON *median_json(const trib_profile_median *m)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "wall_ns", (double)m->wall);
    cJSON_AddNumberToObject(json, "serial_wall_ns", (double)m->serial);
    cJSON_AddNumberToObject(json, "busy_ns", (double)m->busy);
    cJSON_AddNumberToObject(json, "any_busy_ns", (double)m->any);
    cJSON_AddNumberToObject(json, "overlap_ns", (double)m->overlap);
    cJSON_AddNumberToObject(json, "ops_ns", (double)m->sum);
    cJSON_AddNumberToObject(json, "ops_alone_ns", (double)m->alone);
    cli_json_add_idle(json, m->idle);
    cJSON_AddNumberToObject(json, "path_busy_ns", (double)m->path_busy);
    cJSON_AddNumberToObject(json, "path_gaps_ns", (double)m->path_gaps);
    cJSON_AddNumberToObject(json, "path_host_ns", (double)m->path_host);
    cli_json_add_bounds(json, &m->bounds, m->binding);
    add_gain(json, &m->gain);
    return json;
}

static cJSON *window_json(const cli_profiled *s, const cli_profile_texts *t, int schedule, int w)
{
    const trib_profile_part *part = cli_profiled_part(s, w);
    cJSON *json = median_json(&s->medians.windows[w]);
    add_text(json, "name", part->name);
    add_text(json, "kind", trib_profile_kind_name(part->kind));
    add_interval(json, "gain_of_pairs", &s->window_gains[w]);
    if (*cli_window_sentence(t, schedule, w)) add_text(json, "sentence", cli_window_sentence(t, schedule, w));
    return json;
}

/* ---- schedules ---- */

static cJSON *schedule_json(const cli_profile_results *r, const cli_profile_texts *t, int index)
{
    const cli_profiled *s = &r->schedules[index];
    const trib_plan *plan = cli_cell_plan(&s->cell);
    cJSON *json = cJSON_CreateObject();
    add_text(json, "name", s->name);
    cJSON_AddNumberToObject(json, "streams", plan->stream_count);
    cJSON_AddNumberToObject(json, "events", plan->event_count);
    add_text(json, "times_from", trib_timeline_source(s->cell.timeline));
    add_text(json, "alone_from", s->has_sequence ? "the same ops on one stream" : "serial");
    add_interval(json, "batch_wall_ns", &s->wall);
    add_interval(json, "gain_of_batches", &s->gain);
    if (*t->schedules[index]) add_text(json, "sentence", t->schedules[index]);
    cJSON_AddItemToObject(json, "total", median_json(&s->medians.total));
    cJSON *windows = cJSON_AddArrayToObject(json, "windows");
    for (int w = 0; w < s->medians.window_count; ++w) cJSON_AddItemToArray(windows, window_json(s, t, index, w));
    cJSON_AddItemToObject(json, "trace", cli_profile_trace_json(r, s));
    return json;
}

/* ---- the document ---- */

static void add_heading(cJSON *json, const cli_profile_heading *h, const cli_profile_results *r)
{
    const trib_plan *plan = cli_cell_plan(&r->schedules[0].cell);
    add_text(json, "version", trib_version());
    cli_json_add_name(json, "model", h->model);
    add_text(json, "spec", h->device->spec);
    add_text(json, "device", h->device->name);
    add_text(json, "library", h->device->library);
    cJSON_AddNumberToObject(json, "cores", h->device->cores);
    cJSON_AddNumberToObject(json, "batch", h->batch);
    cJSON_AddBoolToObject(json, "train", h->train);
    add_text(json, "precision", trib_precision_name(plan->precision));
    add_text(json, "launch", h->settings->launch == TRIB_GRAPH ? "graph" : "eager");
    cJSON_AddNumberToObject(json, "lanes", r->lanes);
    cJSON_AddNumberToObject(json, "threads_per_lane", plan->threads);
    cJSON_AddNumberToObject(json, "runs_per_batch", r->chunks);
    cJSON_AddNumberToObject(json, "images_per_run", plan->batch);
    cJSON_AddNumberToObject(json, "iterations", r->iterations);
    cJSON_AddNumberToObject(json, "iterations_left_out", r->dropped);
}

static void add_limits(cJSON *json, const cli_limits *l)
{
    cJSON *limits = cJSON_AddObjectToObject(json, "limits");
    cJSON_AddNumberToObject(limits, "copy_bytes_per_second", l->copy_rate);
    cJSON_AddNumberToObject(limits, "math_flop_per_second", l->math_rate);
    add_text(limits, "rates_from", l->source);
    cJSON_AddNumberToObject(limits, "start_latency_ns", (double)l->start_latency_ns);
    cJSON_AddNumberToObject(limits, "start_latency_samples", l->start_latency_samples);
}

static void add_overhead(cJSON *json, const cli_profile_results *r)
{
    add_interval(json,
                 r->untimed_before ? "time_with_over_without_timeline" : "processor_time_with_over_without_timeline",
                 &r->overhead);
    add_text(json, "timeline_compared_on", r->schedules[r->paired].name);
    if (r->row_seconds) add_interval(json, "batch_in_a_row_without_timeline_ns", &r->row_wall);
}

static void add_texts(cJSON *json, const cli_profile_results *r, const cli_profile_texts *t)
{
    if (t->fastest.other) add_text(json, "fastest_but_serial", r->schedules[t->fastest.other].name);
    if (t->fastest.known) add_text(json, "schedule_to_use", r->schedules[t->fastest.best].name);
    add_text(json, "verdict", t->verdict);
    if (*t->advice) add_text(json, "advice", t->advice);
    cJSON *notes = cJSON_AddArrayToObject(json, "notes");
    for (int i = 0; i < t->note_count; ++i) cJSON_AddItemToArray(notes, cli_json_text(t->notes[i]));
}

void cli_profile_json(const cli_profile_heading *heading, const cli_profile_results *r, const cli_profile_texts *t,
                      cli_buffer *out)
{
    cJSON *json = cJSON_CreateObject();
    add_heading(json, heading, r);
    add_limits(json, &r->limits);
    add_overhead(json, r);
    add_texts(json, r, t);
    cJSON *schedules = cJSON_AddArrayToObject(json, "schedules");
    for (int i = 0; i < r->schedule_count; ++i) cJSON_AddItemToArray(schedules, schedule_json(r, t, i));
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (text) cli_append(out, text, strlen(text));
    cli_append(out, "\n", 1);
    out->failed |= !text;
    cJSON_free(text);
}

/* SPDX-License-Identifier: Apache-2.0
 * The data of one schedule. Times are nanoseconds; those of ops and windows begin with the run. Numbers that describe
 * windows are medians where there are some; what is drawn (ops, path, idle pieces) is the run itself. */
#include "profile/html_private.h"

/* What is being written. */
typedef struct source {
    trib_text *text;
    const trib_html_schedule *schedule;
    const trib_profile_graph *graph;
    const trib_profile *profile;
    int64_t origin;
} source;

/* ---- numbers of a window, or of the run ---- */

static trib_profile_median numbers_of_run(const trib_profile_window *w)
{
    trib_profile_median m = { .wall = w->wall,
                              .serial = w->serial,
                              .busy = w->busy,
                              .any = w->any,
                              .overlap = w->overlap,
                              .sum = w->sum,
                              .alone = w->alone,
                              .path_busy = w->path.busy,
                              .path_gaps = w->path.gaps,
                              .path_host = w->path.host,
                              .bounds = w->bounds,
                              .binding = w->bounds.binding,
                              .gain = trib_profile_gain_of(w) };
    for (int i = 0; i < TRIB_IDLE_CAUSE_COUNT; ++i) m.idle[i] = w->idle[i];
    return m;
}

static void put_idle(trib_text *t, const char *key, const int64_t *idle)
{
    html_open(t, key, '[');
    for (int i = 0; i < TRIB_IDLE_CAUSE_COUNT; ++i) html_integer(t, NULL, idle[i]);
    html_close(t, ']');
}

static void put_bounds(trib_text *t, const trib_profile_median *m)
{
    html_open(t, "bounds", '{');
    html_integer(t, "path", m->bounds.path);
    html_integer(t, "streams", m->bounds.streams);
    html_integer(t, "device", m->bounds.device);
    html_integer(t, "copies", m->bounds.copies);
    html_integer(t, "math", m->bounds.math);
    html_integer(t, "best", m->bounds.best);
    html_string(t, "binding", trib_bound_term_name(m->binding));
    html_close(t, '}');
}

static void put_gain(trib_text *t, const trib_profile_gain *g)
{
    html_open(t, "gain", '{');
    html_number(t, "gain", g->gain);
    html_number(t, "serialGaps", g->serial_gaps);
    html_number(t, "stretch", g->stretch);
    html_number(t, "concurrency", g->concurrency);
    html_number(t, "deviceBusy", g->device_busy);
    html_number(t, "bound", g->bound);
    html_number(t, "overlap", g->overlap);
    html_number(t, "branchBound", g->branch_bound);
    html_close(t, '}');
}

static void put_numbers(trib_text *t, const trib_profile_median *m)
{
    html_integer(t, "wall", m->wall);
    html_integer(t, "serial", m->serial);
    html_integer(t, "busy", m->busy);
    html_integer(t, "any", m->any);
    html_integer(t, "overlap", m->overlap);
    html_integer(t, "sum", m->sum);
    html_integer(t, "alone", m->alone);
    html_integer(t, "pathBusy", m->path_busy);
    html_integer(t, "pathGaps", m->path_gaps);
    html_integer(t, "pathHost", m->path_host);
    put_idle(t, "idle", m->idle);
    put_bounds(t, m);
    put_gain(t, &m->gain);
}

/* ---- windows ---- */

static void put_branches(source *s, const trib_profile_part *part, const trib_profile_window *w)
{
    html_open(s->text, "branches", '[');
    for (int i = 0; i < w->branch_count; ++i) {
        html_open(s->text, NULL, '{');
        html_string(s->text, "name", part && i < part->branch_count ? part->branches[i] : "");
        html_integer(s->text, "alone", w->branches[i].alone);
        html_integer(s->text, "busy", w->branches[i].busy);
        html_integer(s->text, "path", w->branches[i].path);
        html_integer(s->text, "gaps", w->branches[i].gaps);
        html_close(s->text, '}');
    }
    html_close(s->text, ']');
}

/* Per stream: busy, whether it has ops, idle by cause. */
static void put_streams(source *s, const trib_profile_window *w)
{
    html_open(s->text, "streams", '[');
    for (int i = 0; i < s->profile->stream_count; ++i) {
        html_open(s->text, NULL, '{');
        html_integer(s->text, "busy", w->stream[i].busy);
        html_integer(s->text, "used", w->stream[i].has_ops);
        put_idle(s->text, "idle", w->stream[i].idle);
        html_close(s->text, '}');
    }
    html_close(s->text, ']');
}

/* Per step: op, gap before it, from, to, issued by the host, branch. */
static void put_path(source *s, const trib_profile_path *path)
{
    html_open(s->text, "path", '[');
    for (int i = 0; i < path->step_count; ++i) {
        const trib_profile_step *step = &path->steps[i];
        html_open(s->text, NULL, '[');
        html_integer(s->text, NULL, step->op);
        html_integer(s->text, NULL, step->gap);
        html_integer(s->text, NULL, step->from - s->origin);
        html_integer(s->text, NULL, step->to - s->origin);
        html_integer(s->text, NULL, step->host);
        html_integer(s->text, NULL, step->branch);
        html_close(s->text, ']');
    }
    html_close(s->text, ']');
}

/* Per piece: stream, from, to, cause, op to blame, branch to blame, next op. */
static void put_pieces(source *s, const trib_profile_window *w)
{
    html_open(s->text, "pieces", '[');
    for (int i = 0; i < w->idle_count; ++i) {
        const trib_profile_idle *idle = &w->pieces[i];
        html_open(s->text, NULL, '[');
        html_integer(s->text, NULL, idle->stream);
        html_integer(s->text, NULL, idle->from - s->origin);
        html_integer(s->text, NULL, idle->to - s->origin);
        html_integer(s->text, NULL, idle->cause);
        html_integer(s->text, NULL, idle->op);
        html_integer(s->text, NULL, idle->branch);
        html_integer(s->text, NULL, idle->next);
        html_close(s->text, ']');
    }
    html_close(s->text, ']');
}

static void put_window(source *s, int window)
{
    const trib_profile_window *w = &s->profile->windows[window];
    const trib_profile_part *part = window < s->graph->part_count ? &s->graph->parts[window] : NULL;
    const trib_profile_medians *medians = s->schedule->medians;
    const trib_profile_median m = medians ? medians->windows[window] : numbers_of_run(w);
    html_open(s->text, NULL, '{');
    html_string(s->text, "name", part ? part->name : "");
    html_string(s->text, "kind", trib_profile_kind_name(part ? part->kind : TRIB_PROFILE_TRUNK));
    html_string(s->text, "sentence", s->schedule->sentences ? s->schedule->sentences[window] : NULL);
    html_integer(s->text, "from", w->from - s->origin);
    html_integer(s->text, "to", w->to - s->origin);
    html_integer(s->text, "used", w->streams);
    put_numbers(s->text, &m);
    put_branches(s, part, w);
    put_streams(s, w);
    put_path(s, &w->path);
    put_pieces(s, w);
    html_close(s->text, '}');
}

/* ---- ops ---- */

static void put_waits(source *s, const trib_profile_op *op)
{
    html_open(s->text, "waits", '[');
    for (int i = 0; i < op->wait_count; ++i) html_integer(s->text, NULL, op->waits[i]);
    html_close(s->text, ']');
}

static void put_op(source *s, int index)
{
    const trib_profile_op *op = &s->graph->ops[index];
    const trib_profile_op_result *result = &s->profile->ops[index];
    const trib_plan_op *planned = &s->schedule->plan->ops[index];
    html_open(s->text, NULL, '{');
    html_string(s->text, "name", op->name);
    html_string(s->text, "kind", trib_kind_name(planned->desc.kind));
    html_string(s->text, "implementation", planned->implementation);
    html_integer(s->text, "stream", op->stream);
    html_integer(s->text, "window", op->window);
    html_integer(s->text, "branch", op->branch);
    html_integer(s->text, "runs", op->runs);
    html_integer(s->text, "from", result->from - s->origin);
    html_integer(s->text, "to", result->to - s->origin);
    if (s->schedule->times && s->schedule->times[index].issued)
        html_integer(s->text, "issued", s->schedule->times[index].issued - s->origin);
    html_integer(s->text, "critical", result->critical);
    html_integer(s->text, "slack", result->slack);
    html_integer(s->text, "flops", planned->flops);
    html_integer(s->text, "bytes", planned->bytes);
    put_waits(s, op);
    html_close(s->text, '}');
}

/* ---- all of it ---- */

static int64_t wall_of(const trib_html_schedule *schedule)
{
    const trib_profile_medians *m = schedule->medians;
    return schedule->wall ? schedule->wall : m ? m->total.wall : schedule->profile->total.wall;
}

static void put_compared(source *s)
{
    const trib_verdict_gain *gain = &s->schedule->gain;
    html_integer(s->text, "wall", wall_of(s->schedule));
    if (!(gain->gain > 0)) return;
    html_open(s->text, "overSerial", '[');
    html_number(s->text, NULL, gain->gain);
    html_number(s->text, NULL, gain->low);
    html_number(s->text, NULL, gain->high);
    html_close(s->text, ']');
}

static void put_total(source *s)
{
    const trib_profile_medians *medians = s->schedule->medians;
    const trib_profile_median m = medians ? medians->total : numbers_of_run(&s->profile->total);
    html_open(s->text, "total", '{');
    put_numbers(s->text, &m);
    put_path(s, &s->profile->total.path);
    html_close(s->text, '}');
}

static void put_head(source *s)
{
    const trib_plan *plan = s->schedule->plan;
    html_string(s->text, "name", s->schedule->name);
    html_string(s->text, "sentence", s->schedule->sentence);
    html_integer(s->text, "batch", plan->batch);
    html_string(s->text, "precision", trib_precision_name(plan->precision));
    html_integer(s->text, "training", plan->training);
    html_integer(s->text, "lane", s->profile->lane);
    html_integer(s->text, "streams", s->profile->stream_count);
    html_integer(s->text, "runs", s->schedule->medians ? s->schedule->medians->run_count : 1);
    put_compared(s);
}

void html_put_schedule(trib_writer *file, const trib_html_schedule *schedule)
{
    source s = { &file->text, schedule, schedule->graph, schedule->profile, schedule->profile->total.from };
    html_open(s.text, NULL, '{');
    put_head(&s);
    put_total(&s);
    html_open(s.text, "windows", '[');
    for (int i = 0; i < s.profile->window_count && trib_writer_drain(file); ++i) put_window(&s, i);
    html_close(s.text, ']');
    html_open(s.text, "ops", '[');
    for (int i = 0; i < s.graph->op_count && trib_writer_drain(file); ++i) put_op(&s, i);
    html_close(s.text, ']');
    html_close(s.text, '}');
}

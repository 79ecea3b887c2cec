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
    trib_html_open(t, key, '[');
    for (int i = 0; i < TRIB_IDLE_CAUSE_COUNT; ++i) trib_html_integer(t, NULL, idle[i]);
    trib_html_close(t, ']');
}

static void put_bounds(trib_text *t, const trib_profile_median *m)
{
    trib_html_open(t, "bounds", '{');
    trib_html_integer(t, "path", m->bounds.path);
    trib_html_integer(t, "streams", m->bounds.streams);
    trib_html_integer(t, "device", m->bounds.device);
    trib_html_integer(t, "copies", m->bounds.copies);
    trib_html_integer(t, "math", m->bounds.math);
    trib_html_integer(t, "best", m->bounds.best);
    trib_html_string(t, "binding", trib_bound_term_name(m->binding));
    trib_html_close(t, '}');
}

static void put_gain(trib_text *t, const trib_profile_gain *g)
{
    trib_html_open(t, "gain", '{');
    trib_html_number(t, "gain", g->gain);
    trib_html_number(t, "serialGaps", g->serial_gaps);
    trib_html_number(t, "stretch", g->stretch);
    trib_html_number(t, "concurrency", g->concurrency);
    trib_html_number(t, "deviceBusy", g->device_busy);
    trib_html_number(t, "bound", g->bound);
    trib_html_number(t, "overlap", g->overlap);
    trib_html_number(t, "branchBound", g->branch_bound);
    trib_html_close(t, '}');
}

static void put_numbers(trib_text *t, const trib_profile_median *m)
{
    trib_html_integer(t, "wall", m->wall);
    trib_html_integer(t, "serial", m->serial);
    trib_html_integer(t, "busy", m->busy);
    trib_html_integer(t, "any", m->any);
    trib_html_integer(t, "overlap", m->overlap);
    trib_html_integer(t, "sum", m->sum);
    trib_html_integer(t, "alone", m->alone);
    trib_html_integer(t, "pathBusy", m->path_busy);
    trib_html_integer(t, "pathGaps", m->path_gaps);
    trib_html_integer(t, "pathHost", m->path_host);
    put_idle(t, "idle", m->idle);
    put_bounds(t, m);
    put_gain(t, &m->gain);
}

/* ---- windows ---- */

static void put_branches(source *s, const trib_profile_part *part, const trib_profile_window *w)
{
    trib_html_open(s->text, "branches", '[');
    for (int i = 0; i < w->branch_count; ++i) {
        trib_html_open(s->text, NULL, '{');
        trib_html_string(s->text, "name", part && i < part->branch_count ? part->branches[i] : "");
        trib_html_integer(s->text, "alone", w->branches[i].alone);
        trib_html_integer(s->text, "busy", w->branches[i].busy);
        trib_html_integer(s->text, "path", w->branches[i].path);
        trib_html_integer(s->text, "gaps", w->branches[i].gaps);
        trib_html_close(s->text, '}');
    }
    trib_html_close(s->text, ']');
}

/* Per stream: busy, whether it has ops, idle by cause. */
static void put_streams(source *s, const trib_profile_window *w)
{
    trib_html_open(s->text, "streams", '[');
    for (int i = 0; i < s->profile->stream_count; ++i) {
        trib_html_open(s->text, NULL, '{');
        trib_html_integer(s->text, "busy", w->stream[i].busy);
        trib_html_integer(s->text, "used", w->stream[i].has_ops);
        put_idle(s->text, "idle", w->stream[i].idle);
        trib_html_close(s->text, '}');
    }
    trib_html_close(s->text, ']');
}

/* Per step: op, gap before it, from, to, issued by the host, branch. */
static void put_path(source *s, const trib_profile_path *path)
{
    trib_html_open(s->text, "path", '[');
    for (int i = 0; i < path->step_count; ++i) {
        const trib_profile_step *step = &path->steps[i];
        trib_html_open(s->text, NULL, '[');
        trib_html_integer(s->text, NULL, step->op);
        trib_html_integer(s->text, NULL, step->gap);
        trib_html_integer(s->text, NULL, step->from - s->origin);
        trib_html_integer(s->text, NULL, step->to - s->origin);
        trib_html_integer(s->text, NULL, step->host);
        trib_html_integer(s->text, NULL, step->branch);
        trib_html_close(s->text, ']');
    }
    trib_html_close(s->text, ']');
}

/* Per piece: stream, from, to, cause, op to blame, branch to blame, next op. */
static void put_pieces(source *s, const trib_profile_window *w)
{
    trib_html_open(s->text, "pieces", '[');
    for (int i = 0; i < w->idle_count; ++i) {
        const trib_profile_idle *idle = &w->pieces[i];
        trib_html_open(s->text, NULL, '[');
        trib_html_integer(s->text, NULL, idle->stream);
        trib_html_integer(s->text, NULL, idle->from - s->origin);
        trib_html_integer(s->text, NULL, idle->to - s->origin);
        trib_html_integer(s->text, NULL, idle->cause);
        trib_html_integer(s->text, NULL, idle->op);
        trib_html_integer(s->text, NULL, idle->branch);
        trib_html_integer(s->text, NULL, idle->next);
        trib_html_close(s->text, ']');
    }
    trib_html_close(s->text, ']');
}

static void put_window(source *s, int window)
{
    const trib_profile_window *w = &s->profile->windows[window];
    const trib_profile_part *part = window < s->graph->part_count ? &s->graph->parts[window] : NULL;
    const trib_profile_medians *medians = s->schedule->medians;
    const trib_profile_median m = medians ? medians->windows[window] : numbers_of_run(w);
    trib_html_open(s->text, NULL, '{');
    trib_html_string(s->text, "name", part ? part->name : "");
    trib_html_string(s->text, "kind", trib_profile_kind_name(part ? part->kind : TRIB_PROFILE_TRUNK));
    trib_html_string(s->text, "sentence", s->schedule->sentences ? s->schedule->sentences[window] : NULL);
    trib_html_integer(s->text, "from", w->from - s->origin);
    trib_html_integer(s->text, "to", w->to - s->origin);
    trib_html_integer(s->text, "used", w->streams);
    put_numbers(s->text, &m);
    put_branches(s, part, w);
    put_streams(s, w);
    put_path(s, &w->path);
    put_pieces(s, w);
    trib_html_close(s->text, '}');
}

/* ---- ops ---- */

static void put_waits(source *s, const trib_profile_op *op)
{
    trib_html_open(s->text, "waits", '[');
    for (int i = 0; i < op->wait_count; ++i) trib_html_integer(s->text, NULL, op->waits[i]);
    trib_html_close(s->text, ']');
}

static void put_op(source *s, int index)
{
    const trib_profile_op *op = &s->graph->ops[index];
    const trib_profile_op_result *result = &s->profile->ops[index];
    const trib_plan_op *planned = &s->schedule->plan->ops[index];
    trib_html_open(s->text, NULL, '{');
    trib_html_string(s->text, "name", op->name);
    trib_html_string(s->text, "kind", trib_kind_name(planned->desc.kind));
    trib_html_string(s->text, "implementation", planned->implementation);
    trib_html_integer(s->text, "stream", op->stream);
    trib_html_integer(s->text, "window", op->window);
    trib_html_integer(s->text, "branch", op->branch);
    trib_html_integer(s->text, "runs", op->runs);
    trib_html_integer(s->text, "from", result->from - s->origin);
    trib_html_integer(s->text, "to", result->to - s->origin);
    if (s->schedule->times && s->schedule->times[index].issued)
        trib_html_integer(s->text, "issued", s->schedule->times[index].issued - s->origin);
    trib_html_integer(s->text, "critical", result->critical);
    trib_html_integer(s->text, "slack", result->slack);
    trib_html_integer(s->text, "flops", planned->flops);
    trib_html_integer(s->text, "bytes", planned->bytes);
    put_waits(s, op);
    trib_html_close(s->text, '}');
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
    trib_html_integer(s->text, "wall", wall_of(s->schedule));
    if (!(gain->gain > 0)) return;
    trib_html_open(s->text, "overSerial", '[');
    trib_html_number(s->text, NULL, gain->gain);
    trib_html_number(s->text, NULL, gain->low);
    trib_html_number(s->text, NULL, gain->high);
    trib_html_close(s->text, ']');
}

static void put_total(source *s)
{
    const trib_profile_medians *medians = s->schedule->medians;
    const trib_profile_median m = medians ? medians->total : numbers_of_run(&s->profile->total);
    trib_html_open(s->text, "total", '{');
    put_numbers(s->text, &m);
    put_path(s, &s->profile->total.path);
    trib_html_close(s->text, '}');
}

static void put_head(source *s)
{
    const trib_plan *plan = s->schedule->plan;
    trib_html_string(s->text, "name", s->schedule->name);
    trib_html_string(s->text, "sentence", s->schedule->sentence);
    trib_html_integer(s->text, "batch", plan->batch);
    trib_html_string(s->text, "precision", trib_precision_name(plan->precision));
    trib_html_integer(s->text, "training", plan->training);
    trib_html_integer(s->text, "lane", s->profile->lane);
    trib_html_integer(s->text, "streams", s->profile->stream_count);
    trib_html_integer(s->text, "runs", s->schedule->medians ? s->schedule->medians->run_count : 1);
    put_compared(s);
}

void trib_html_put_schedule(trib_writer *file, const trib_html_schedule *schedule)
{
    source s = { &file->text, schedule, schedule->graph, schedule->profile, schedule->profile->total.from };
    trib_html_open(s.text, NULL, '{');
    put_head(&s);
    put_total(&s);
    trib_html_open(s.text, "windows", '[');
    for (int i = 0; i < s.profile->window_count && trib_writer_drain(file); ++i) put_window(&s, i);
    trib_html_close(s.text, ']');
    trib_html_open(s.text, "ops", '[');
    for (int i = 0; i < s.graph->op_count && trib_writer_drain(file); ++i) put_op(&s, i);
    trib_html_close(s.text, ']');
    trib_html_close(s.text, '}');
}

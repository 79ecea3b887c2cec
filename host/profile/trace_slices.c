/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "profile/trace_private.h"

/* Perfetto 52 makes a slice's color from its name, without digits. These names have colors that are far apart, the
 * first four most. */
static const char *const bar_names[] = { "First of the branches",   "Second of the branches", "Third of the branches",
                                         "Fourth of the branches",  "Fifth of the branches",  "Sixth of the branches",
                                         "Seventh of the branches", "Eighth of the branches" };
enum { BAR_NAMES = sizeof bar_names / sizeof bar_names[0] };

/* A slice up to its arguments. */
static void begin_slice(trace_writer *w, int track, int64_t from, int64_t to, const char *name)
{
    trib_event_begin(w, 'X', track, from);
    trib_text_add(&w->file->text, ",");
    trib_event_time(&w->file->text, "dur", to - from);
    trib_event_string(w, "name", name);
}

/* ---- modules and the critical path ---- */

static void put_window(trib_text *t, const char *kind, const trib_profile_window *window)
{
    trib_text_format(t, ",\"args\":{\"direction\":\"%s\",\"streams\":%d,", kind, window->streams);
    trib_event_time(t, "time on all streams, us", window->busy);
    trib_text_add(t, ",");
    trib_event_time(t, "two or more streams busy, us", window->overlap);
    trib_text_add(t, "}");
}

static void write_modules(trace_writer *w, const trib_profile_graph *g, const trib_profile *p)
{
    for (int i = 0; i < g->part_count && i < p->window_count; ++i) {
        const trib_profile_window *window = &p->windows[i];
        if (g->parts[i].kind == TRIB_PROFILE_TRUNK || window->wall <= 0) continue;
        begin_slice(w, TRACE_MODULES, window->from, window->to, g->parts[i].name);
        put_window(&w->file->text, g->parts[i].kind == TRIB_PROFILE_BACKWARD ? "backward" : "forward", window);
        trib_event_end(w);
        ++w->counts->modules;
    }
}

static void write_piece(trace_writer *w, int64_t from, int64_t to, const char *name)
{
    if (to <= from) return;
    begin_slice(w, TRACE_PATH, from, to, name);
    trib_event_end(w);
    ++w->counts->path;
}

static void write_path(trace_writer *w, const trib_profile_graph *g, const trib_profile_path *path)
{
    for (int i = 0; i < path->step_count; ++i) {
        const trib_profile_step *step = &path->steps[i];
        write_piece(w, step->from - step->gap, step->from, "gap");
        if (step->op >= 0) write_piece(w, step->from, step->to, step->host ? "host" : g->ops[step->op].name);
    }
}

/* ---- streams ---- */

static const char *module_of(const trib_profile_graph *g, int op)
{
    const int window = g->ops[op].window;
    return window < g->part_count && g->parts[window].kind != TRIB_PROFILE_TRUNK ? g->parts[window].name : NULL;
}

static const char *branch_of(const trib_profile_graph *g, int op)
{
    const trib_profile_op *o = &g->ops[op];
    if (o->branch < 0 || o->window >= g->part_count) return NULL;
    const trib_profile_part *part = &g->parts[o->window];
    return o->branch < part->branch_count ? part->branches[o->branch] : NULL;
}

static void put_place(trace_writer *w, const trib_profile_graph *g, int op)
{
    const char *module = module_of(g, op), *branch = branch_of(g, op);
    if (module) trib_event_string(w, "module", module);
    if (branch) trib_event_string(w, "branch", branch);
}

static const char *bar_name(const trib_profile_graph *g, int op)
{
    if (!module_of(g, op)) return "trunk";
    if (g->ops[op].branch < 0) return "several branches";
    return g->ops[op].branch < BAR_NAMES ? bar_names[g->ops[op].branch] : "further branch";
}

static void write_bar(trace_writer *w, const trib_profile_graph *g, const trib_profile *p, int first, int last)
{
    begin_slice(w, TRACE_STREAMS + g->ops[first].stream, p->ops[first].from, p->ops[last].to, bar_name(g, first));
    trib_text_format(&w->file->text, ",\"args\":{\"chunk\":%" PRId64, p->chunk);
    put_place(w, g, first);
    trib_text_add(&w->file->text, "}");
    trib_event_end(w);
    ++w->counts->bars;
}

static void put_op_arguments(trace_writer *w, const trib_trace_part *part, const trib_trace_run *run, int op)
{
    trib_text *t = &w->file->text;
    const trib_plan_op *o = &part->plan->ops[op];
    const trib_profile_op_result *result = &run->profile->ops[op];
    trib_text_format(t, ",\"args\":{\"critical path\":\"%s\",", result->critical ? "yes" : "no");
    trib_event_time(t, "slack, us", result->slack);
    put_place(w, part->graph, op);
    if (o->implementation) trib_event_string(w, "implementation", o->implementation);
    trib_text_format(t, ",\"operations\":%" PRId64 ",\"bytes\":%" PRId64, o->flops, o->bytes);
    if (run->times && run->times[op].issued) {
        trib_text_add(t, ",");
        trib_event_time(t, "issued before, us", result->from - run->times[op].issued);
    }
    trib_text_add(t, "}");
}

static void write_op(trace_writer *w, const trib_trace_part *part, const trib_trace_run *run, int op)
{
    const trib_profile_op_result *result = &run->profile->ops[op];
    const int track = TRACE_STREAMS + part->graph->ops[op].stream;
    if (result->to > result->from) {
        begin_slice(w, track, result->from, result->to, part->graph->ops[op].name);
        ++w->counts->slices;
    } else {
        trib_event_begin(w, 'i', track, result->from);
        trib_text_add(&w->file->text, ",\"s\":\"t\"");
        trib_event_string(w, "name", part->graph->ops[op].name);
        ++w->counts->instants;
    }
    put_op_arguments(w, part, run, op);
    trib_event_end(w);
}

/* Of ops first .. last, those on the stream of the first that run belong to one branch. */
static void write_group(trace_writer *w, const trib_trace_part *part, const trib_trace_run *run, int first, int last)
{
    const trib_profile_graph *g = part->graph;
    if (run->profile->ops[last].to > run->profile->ops[first].from) write_bar(w, g, run->profile, first, last);
    for (int i = first; i <= last; ++i)
        if (g->ops[i].stream == g->ops[first].stream && g->ops[i].runs) write_op(w, part, run, i);
}

static bool same_place(const trib_profile_op *a, const trib_profile_op *b)
{
    return a->window == b->window && a->branch == b->branch;
}

static void write_stream(trace_writer *w, const trib_trace_part *part, const trib_trace_run *run, int stream)
{
    const trib_profile_graph *g = part->graph;
    int first = -1, last = -1;
    for (int i = 0; i < g->op_count; ++i) {
        if (g->ops[i].stream != stream || !g->ops[i].runs) continue;
        if (first >= 0 && !same_place(&g->ops[first], &g->ops[i])) {
            write_group(w, part, run, first, last);
            first = -1;
        }
        if (first < 0) first = i;
        last = i;
    }
    if (first >= 0) write_group(w, part, run, first, last);
}

void trib_trace_write_slices(trace_writer *w, const trib_trace_part *part, const trib_trace_run *run)
{
    write_modules(w, part->graph, run->profile);
    write_path(w, part->graph, &run->profile->total.path);
    for (int i = 0; i < part->graph->stream_count && trib_writer_drain(w->file); ++i) write_stream(w, part, run, i);
}

/* SPDX-License-Identifier: Apache-2.0
 * A module in detail, of the run in the middle: what each stream did, the critical path, and why streams were idle. */
#include <string.h>

#include "profile_print.h"

static double us(int64_t ns) { return 1e-3 * (double)ns; }

/* Without the module's name, which is in the heading. */
static const char *short_name(const cli_profiled *s, int window, int op)
{
    const char *name = s->graph.ops[op].name, *module = cli_profiled_part(s, window)->name;
    size_t length = strlen(module);
    return length && strncmp(name, module, length) == 0 && name[length] == '/' ? name + length + 1 : name;
}

static const char *branch_name(const cli_profiled *s, int window, int branch)
{
    const trib_profile_part *part = cli_profiled_part(s, window);
    return branch >= 0 && branch < part->branch_count ? part->branches[branch] : "trunk";
}

/* ---- streams ---- */

static void print_stream_ops(const cli_profiled *s, const trib_profile *trace, int w, int stream, FILE *out)
{
    const trib_profile_window *window = &trace->windows[w];
    for (int i = 0; i < s->graph.op_count; ++i) {
        const trib_profile_op_result *op = &trace->ops[i];
        if (!s->graph.ops[i].runs || s->graph.ops[i].stream != stream) continue;
        if (op->to <= window->from || op->from >= window->to) continue;
        fprintf(out, "      %9.1f  %9.1f  %9.1f  %9.1f  %s%s\n", us(op->from - window->from), us(op->to - op->from),
                us(s->alone[i]), us(op->window_slack), short_name(s, w, i), op->critical ? " *" : "");
    }
}

static void print_streams(const cli_profiled *s, const trib_profile *trace, int w, FILE *out)
{
    const trib_profile_window *window = &trace->windows[w];
    fprintf(out, "    %11s  %9s  %9s  %9s  us; * on the critical path of the run\n", "start", "takes", "alone",
            "slack");
    for (int k = 0; k < trace->stream_count; ++k) {
        const trib_profile_stream *stream = &window->stream[k];
        if (!stream->has_ops) continue;
        fprintf(out, "    stream %d: busy %.1f us;", k, us(stream->busy));
        for (int c = 0; c < TRIB_IDLE_NO_WORK; ++c)
            if (stream->idle[c] > 0)
                fprintf(out, " %s %.1f", trib_idle_cause_name((trib_idle_cause)c), us(stream->idle[c]));
        fputc('\n', out);
        print_stream_ops(s, trace, w, k, out);
    }
}

/* ---- the critical path ---- */

static void print_path(const cli_profiled *s, const trib_profile *trace, int w, FILE *out)
{
    const trib_profile_window *window = &trace->windows[w];
    const trib_profile_path *path = &window->path;
    fprintf(out, "    Critical path: ops %.1f + gaps %.1f + host %.1f = %.1f us\n", us(path->busy), us(path->gaps),
            us(path->host), us(window->wall));
    for (int b = 0; b < window->branch_count; ++b)
        if (window->branches[b].path + window->branches[b].gaps > 0)
            fprintf(out, "      branch %s: ops %.1f, gaps before them %.1f us\n", branch_name(s, w, b),
                    us(window->branches[b].path), us(window->branches[b].gaps));
    for (int i = 0; i < path->step_count; ++i) {
        const trib_profile_step *step = &path->steps[i];
        if (step->gap > 0) fprintf(out, "      %9.1f  gap\n", us(step->gap));
        if (step->op >= 0 && (step->to > step->from || step->host))
            fprintf(out, "      %9.1f  %s%s\n", us(step->to - step->from), step->host ? "the host issues " : "",
                    short_name(s, w, step->op));
    }
}

/* ---- idle time ---- */

enum { MOST_PIECES = 12 };

/* Longest first: the one after `last` in that order; -1: none. */
static int next_piece(const trib_profile_window *window, int last)
{
    const trib_profile_idle *p = window->pieces;
    int best = -1;
    for (int i = 0; i < window->idle_count; ++i) {
        int64_t length = p[i].to - p[i].from, before = last < 0 ? INT64_MAX : p[last].to - p[last].from;
        if (p[i].cause == TRIB_IDLE_NO_WORK || length > before || (length == before && i <= last)) continue;
        if (best < 0 || length > p[best].to - p[best].from) best = i;
    }
    return best;
}

static void print_piece(const cli_profiled *s, int w, const trib_profile_idle *piece, FILE *out)
{
    fprintf(out, "      %9.1f  stream %d, %s", us(piece->to - piece->from), piece->stream,
            trib_idle_cause_name(piece->cause));
    if (piece->next >= 0) fprintf(out, ", before %s", short_name(s, w, piece->next));
    if (piece->op >= 0)
        fprintf(out, ", %s %s", piece->cause == TRIB_IDLE_IMBALANCE ? "until the end of" : "waiting for",
                short_name(s, w, piece->op));
    fputc('\n', out);
}

static void print_pieces(const cli_profiled *s, const trib_profile *trace, int w, FILE *out)
{
    const trib_profile_window *window = &trace->windows[w];
    int piece = next_piece(window, -1);
    if (piece < 0) return;
    fprintf(out, "    Idle, longest first\n");
    for (int i = 0; i < MOST_PIECES && piece >= 0; ++i, piece = next_piece(window, piece))
        print_piece(s, w, &window->pieces[piece], out);
}

/* ---- a module ---- */

static void print_module(const cli_profile_results *r, int w, FILE *out)
{
    const trib_profile_part *part = cli_profiled_part(r->schedules, w);
    fprintf(out, "\n%s%s\n", part->name, part->kind == TRIB_PROFILE_BACKWARD ? ", backward" : "");
    for (int i = 0; i < r->schedule_count; ++i) {
        const cli_profiled *s = &r->schedules[i];
        const trib_profile *trace = cli_profiled_trace(s);
        fprintf(out, "  %s, the run in the middle: %.1f us\n", s->name, us(trace->windows[w].wall));
        print_streams(s, trace, w, out);
        print_path(s, trace, w, out);
        print_pieces(s, trace, w, out);
    }
}

void cli_profile_print_details(const cli_profile_results *r, int window, FILE *out)
{
    for (int w = 0; w < r->schedules[0].medians.window_count; ++w)
        if (window < 0 ? cli_profiled_part(r->schedules, w)->kind != TRIB_PROFILE_TRUNK : w == window)
            print_module(r, w, out);
}

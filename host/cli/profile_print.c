/* SPDX-License-Identifier: Apache-2.0
 * The summary: times, gains, what bounds them, and sentences. Details of a module: profile_details.c. */
#include "profile_print.h"

#include <math.h>
#include <string.h>

#include "text.h"

enum { NAME_COLUMN = 33, MODULE_COLUMN = 24, SCHEDULE_COLUMN = 16, LABEL_SIZE = 24 };

static double ms(int64_t ns) { return 1e-6 * (double)ns; }
static double percent(int64_t part, int64_t whole) { return whole > 0 ? 100.0 * (double)part / (double)whole : 0; }

/* ---- heading ---- */

static void print_settings(const cli_profile_heading *h, const cli_profile_results *r, FILE *out)
{
    const trib_plan *plan = cli_cell_plan(&r->schedules[0].cell);
    fprintf(out, "batch %d%s, precision %s, launch %s", h->batch, h->train ? ", a step of training" : "",
            trib_precision_name(plan->precision), h->settings->launch == TRIB_GRAPH ? "graph" : "eager");
    if (h->device->host)
        fprintf(out, "; %d lane%s of %d thread%s", r->lanes, r->lanes > 1 ? "s" : "", plan->threads,
                plan->threads > 1 ? "s" : "");
    else if (r->lanes > 1)
        fprintf(out, "; %d lanes", r->lanes);
    if (r->chunks > 1) fprintf(out, ", %d images at a time", plan->batch);
    fprintf(out, "; %d iteration%s of each\n", r->iterations, r->iterations > 1 ? "s" : "");
}

static void print_heading(const cli_profile_heading *h, const cli_profile_results *r, FILE *out)
{
    cli_print_safe(out, h->model);
    fprintf(out, "\non %s: %s, %s\n", h->device->spec, h->device->name, h->device->library);
    print_settings(h, r, out);
}

/* ---- verdict ---- */

enum { WIDTH = 100 };

/* Breaks lines between words. A line of the text's own, such as an option to copy, stays whole. */
static void print_wrapped(FILE *out, const char *first, int indent, const char *text)
{
    int column = fprintf(out, "%s", first);
    for (bool begin = true; *text && *text != '\n'; begin = false) {
        int length = (int)strcspn(text, " \n");
        if (!begin && column + 1 + length > WIDTH) {
            fprintf(out, "\n%*s", indent, "");
            column = indent;
        } else if (!begin)
            column += fprintf(out, " ");
        column += fprintf(out, "%.*s", length, text);
        text += length;
        text += *text == ' ';
    }
    fprintf(out, "%s\n", text);
}

/* ---- times ---- */

static bool is_empty(const cli_profile_results *r, int w)
{
    for (int i = 0; i < r->schedule_count; ++i)
        if (r->schedules[i].medians.windows[w].wall > 0) return false;
    return true;
}

static void name_window(const cli_profiled *s, int w, char text[NAME_COLUMN])
{
    const trib_profile_part *part = cli_profiled_part(s, w);
    const char *backward = part->kind == TRIB_PROFILE_BACKWARD ? " backward" : "";
    if (snprintf(text, NAME_COLUMN, "%s%s", *part->name ? part->name : "trunk", backward) < NAME_COLUMN) return;
    int end = NAME_COLUMN - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80) --end; /* no part of a character */
    memcpy(text + end, "...", 4);
}

/* A schedule's name as the head of a column; a mixture, whose name is too long, by its number. */
static bool is_long(const cli_profiled *s) { return strlen(s->name) > SCHEDULE_COLUMN; }

static const char *label_of(const cli_profile_results *r, int schedule, char text[LABEL_SIZE])
{
    const cli_profiled *s = &r->schedules[schedule];
    if (is_long(s))
        snprintf(text, LABEL_SIZE, "schedule %d", schedule);
    else
        snprintf(text, LABEL_SIZE, "%s", s->name);
    return text;
}

static void print_labels(const cli_profile_results *r, FILE *out)
{
    char label[LABEL_SIZE];
    for (int i = 0; i < r->schedule_count; ++i)
        if (is_long(&r->schedules[i])) fprintf(out, "%s: %s\n", label_of(r, i, label), r->schedules[i].name);
}

static void print_time(const trib_profile_median *m, bool serial, FILE *out)
{
    fprintf(out, "  %9.3f", ms(m->wall));
    if (!serial) fprintf(out, " %5.2fx", m->gain.gain);
}

static void print_times(const cli_profile_results *r, FILE *out)
{
    char name[NAME_COLUMN], label[LABEL_SIZE];
    fprintf(out, "\nTime in ms%s, median, and how many times as fast as serial\n%-*s",
            r->chunks > 1 ? " of one part of the batch on its lane" : "", NAME_COLUMN, "");
    for (int i = 0; i < r->schedule_count; ++i) fprintf(out, "  %*s", i ? SCHEDULE_COLUMN : 9, label_of(r, i, label));
    fputc('\n', out);
    for (int w = 0; w < r->schedules[0].medians.window_count; ++w) {
        if (is_empty(r, w)) continue;
        name_window(r->schedules, w, name);
        fprintf(out, "%-*s", NAME_COLUMN, name);
        for (int i = 0; i < r->schedule_count; ++i) print_time(&r->schedules[i].medians.windows[w], i == 0, out);
        fputc('\n', out);
    }
    fprintf(out, "%-*s", NAME_COLUMN, "total");
    for (int i = 0; i < r->schedule_count; ++i) print_time(&r->schedules[i].medians.total, i == 0, out);
    fputc('\n', out);
}

/* A batch is more than one run of the plan if there are several lanes or parts. */
static void print_batches(const cli_profile_results *r, FILE *out)
{
    if (r->chunks == 1) return;
    fprintf(out, "%-*s", NAME_COLUMN, "the whole batch");
    for (int i = 0; i < r->schedule_count; ++i) {
        fprintf(out, "  %9.3f", 1e-6 * r->schedules[i].wall.median);
        if (i) fprintf(out, " %5.2fx", r->schedules[i].gain.median);
    }
    fputc('\n', out);
}

/* ---- gains ---- */

static void print_gain(const char *name, const trib_profile_median *m, FILE *out)
{
    const trib_profile_gain *g = &m->gain;
    fprintf(out, "%-*s%5.2f  %5.2f  %7.2f  %11.2f  %5.2f  %5.0f %%  %7.2f  %s\n", MODULE_COLUMN, name, g->gain,
            g->serial_gaps, g->stretch, g->concurrency, g->device_busy, 100 * g->overlap, g->bound,
            trib_bound_term_name(m->binding));
}

static void print_gains(const cli_profile_results *r, int schedule, FILE *out)
{
    const cli_profiled *s = &r->schedules[schedule];
    char name[NAME_COLUMN], label[LABEL_SIZE];
    fprintf(out, "\n%s: gain = alone x stretch x concurrency x busy in each iteration; medians\n",
            label_of(r, schedule, label));
    fprintf(out, "%-*s%5s  %5s  %7s  %11s  %5s  %7s  %7s  %s\n", MODULE_COLUMN, "", "gain", "alone", "stretch",
            "concurrency", "busy", "overlap", "at most", "limited by");
    for (int w = 0; w < s->medians.window_count; ++w) {
        if (cli_profiled_part(s, w)->kind == TRIB_PROFILE_TRUNK) continue;
        name_window(s, w, name);
        print_gain(name, &s->medians.windows[w], out);
    }
    print_gain("total", &s->medians.total, out);
}

/* Of all modules together: streams times time, and what of it is idle for which reason. */
static void print_idle(const cli_profiled *s, FILE *out)
{
    const trib_profile *trace = cli_profiled_trace(s);
    int64_t all = 0, idle[TRIB_IDLE_CAUSE_COUNT] = { 0 };
    for (int w = 0; w < trace->window_count; ++w) {
        const trib_profile_window *window = &trace->windows[w];
        if (cli_profiled_part(s, w)->kind == TRIB_PROFILE_TRUNK) continue;
        all += window->wall * window->streams;
        for (int c = 0; c < TRIB_IDLE_NO_WORK; ++c) idle[c] += window->idle[c];
    }
    fprintf(out, "Idle, %% of streams' time in the run in the middle:\n ");
    for (int c = 0; c < TRIB_IDLE_NO_WORK; ++c)
        fprintf(out, "%s %s %.0f", c ? "," : "", trib_idle_cause_name((trib_idle_cause)c), percent(idle[c], all));
    fputc('\n', out);
}

/* ---- sentences ---- */

/* Of the fastest schedule in that window but serial. */
static const char *sentence_of(const cli_profile_results *r, const cli_profile_texts *t, int w)
{
    int best = 1;
    for (int i = 2; i < r->schedule_count; ++i)
        if (r->schedules[i].medians.windows[w].wall < r->schedules[best].medians.windows[w].wall) best = i;
    return cli_window_sentence(t, best, w);
}

static bool said_before(const cli_profile_results *r, const cli_profile_texts *t, int w)
{
    for (int i = 0; i < w; ++i)
        if (strcmp(sentence_of(r, t, i), sentence_of(r, t, w)) == 0) return true;
    return false;
}

/* The names of all modules with that sentence: "inception_3a, inception_3b". */
static void name_all(const cli_profile_results *r, const cli_profile_texts *t, int w, cli_buffer *names)
{
    char name[NAME_COLUMN];
    cli_buffer_clear(names);
    for (int i = w; i < t->window_count; ++i) {
        if (strcmp(sentence_of(r, t, i), sentence_of(r, t, w)) != 0) continue;
        name_window(r->schedules, i, name);
        cli_append_format(names, "%s%s", i > w ? ", " : "", name);
    }
    cli_append(names, ": ", 2);
    cli_append(names, sentence_of(r, t, w), strlen(sentence_of(r, t, w)));
}

static void print_sentences(const cli_profile_results *r, const cli_profile_texts *t, FILE *out)
{
    cli_buffer text = { 0 };
    if (r->schedule_count < 2) return;
    fprintf(out, "\nModule by module\n");
    for (int w = 0; w < t->window_count; ++w) {
        if (!*sentence_of(r, t, w) || said_before(r, t, w)) continue;
        name_all(r, t, w, &text);
        if (!text.failed) print_wrapped(out, "  ", 4, text.data);
    }
    cli_buffer_release(&text);
}

void cli_profile_print(const cli_profile_heading *heading, const cli_profile_results *r, const cli_profile_texts *t,
                       FILE *out)
{
    print_heading(heading, r, out);
    fputc('\n', out);
    print_wrapped(out, "", 0, t->verdict);
    if (*t->advice) print_wrapped(out, "", 0, t->advice);
    print_times(r, out);
    print_batches(r, out);
    print_labels(r, out);
    for (int i = 1; i < r->schedule_count; ++i) {
        print_gains(r, i, out);
        print_idle(&r->schedules[i], out);
    }
    print_sentences(r, t, out);
    fprintf(out, "\nHow it was measured\n");
    for (int i = 0; i < t->note_count; ++i) print_wrapped(out, "  ", 4, t->notes[i]);
}

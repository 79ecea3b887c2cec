/* SPDX-License-Identifier: Apache-2.0
 * Our networks in a report, module by module: medians of all runs, and the idle time of the one in the middle. */
#include <string.h>

#include "profile/nsys_print.h"

enum { NAME_WIDTH = 25 };

static double ms(int64_t ns) { return 1e-6 * (double)ns; }
static double percent(int64_t part, int64_t whole) { return whole > 0 ? 100.0 * (double)part / (double)whole : 0; }
static double ratio(int64_t a, int64_t b) { return b > 0 ? (double)a / (double)b : 0; }

/* Contention holds all that is not known: events within a module, and how long a start takes. */
static const struct {
    trib_idle_cause cause;
    int width;
} columns[] = { { TRIB_IDLE_DEPENDENCY, 10 },
                { TRIB_IDLE_FORK, 5 },
                { TRIB_IDLE_IMBALANCE, 9 },
                { TRIB_IDLE_LAUNCH, 6 },
                { TRIB_IDLE_CONTENTION, 10 } };
enum { COLUMNS = (int)(sizeof columns / sizeof *columns) };

static void print_median(const char *name, int streams, const trib_profile_median *m, FILE *out)
{
    int64_t idle = 0;
    for (int c = 0; c < TRIB_IDLE_NO_WORK; ++c) idle += m->idle[c];
    fprintf(out, "%-*.*s %8.3f %5.1f %7.1f %5.2f of %-2d", NAME_WIDTH, NAME_WIDTH, name, ms(m->wall),
            percent(m->any, m->wall), percent(m->overlap, m->any), ratio(m->busy, m->any), streams);
    for (int c = 0; c < COLUMNS; ++c)
        fprintf(out, " %*.1f", columns[c].width, percent(m->idle[columns[c].cause], idle));
    fputc('\n', out);
}

static void print_modules(const trib_nsys_network *n, FILE *out)
{
    const trib_profile *trace = &n->runs[n->medians.trace];
    char name[128], safe[NAME_WIDTH + 1];
    fprintf(out, "%-*s %8s %5s %7s %11s", NAME_WIDTH, "", "ms", "busy", "overlap", "concurrency");
    for (int c = 0; c < COLUMNS; ++c) fprintf(out, " %*s", columns[c].width, trib_idle_cause_name(columns[c].cause));
    fputc('\n', out);
    for (int w = 0; w < n->graph.part_count; ++w) {
        const trib_profile_part *part = &n->graph.parts[w];
        bool trunk = part->kind == TRIB_PROFILE_TRUNK;
        snprintf(name, sizeof name, "%s%.90s%s", trunk ? "- " : "", part->name,
                 part->kind == TRIB_PROFILE_BACKWARD ? " backward" : "");
        print_median(trib_nsys_clean(name, safe, sizeof safe), trace->windows[w].streams, &n->medians.windows[w], out);
    }
    print_median("total", trace->total.streams, &n->medians.total, out);
}

static void print_heading(const trib_nsys_report *report, const trib_nsys_network *n, FILE *out)
{
    char name[400];
    fprintf(out, "\n%s, process %lld: %lld run%s%s\n",
            n->name == TRIB_NSYS_NONE
                ? "a network on the CPU"
                : trib_nsys_clean(trib_nsys_name_text(&report->names, n->name), name, sizeof name),
            (long long)(n->process >> 24 & 0xffffff), (long long)n->total, n->total == 1 ? "" : "s",
            n->in_graph ? ", launched as graphs" : "");
    if (n->run_count + n->contradicting < n->total)
        fprintf(out, "%d of them, evenly spread, are shown\n", n->run_count + n->contradicting);
    if (!n->streams_known) fputs("note: streams are those that the driver chose, not the plan's\n", out);
    if (n->contradicting)
        fprintf(out, "note: of %d run%s nothing is shown, since modules do not follow each other there: %s\n",
                n->contradicting, n->contradicting == 1 ? "" : "s",
                trib_nsys_clean(n->contradiction.message, name, sizeof name));
}

void trib_nsys_print_networks(const trib_nsys_report *report, const trib_nsys_networks *networks, FILE *out)
{
    enum { MOST = 8 };
    for (int i = 0; i < networks->count && i < MOST; ++i) {
        print_heading(report, &networks->items[i], out);
        if (networks->items[i].run_count > 0) print_modules(&networks->items[i], out);
    }
    if (networks->count > MOST) fprintf(out, "\nand %d networks, or other streams of them\n", networks->count - MOST);
    if (networks->count > 0)
        fputs(
            "Medians, in ms from the end of what came before (- begins a piece without branches) to that of the last\n"
            "branch. Busy: % of that in which a stream has work; overlap: % of busy in which two or more have. Then "
            "of\n"
            "the idle time of all streams, in %: waiting for another branch, for the fork, for the last branch, for "
            "the\n"
            "call, and the rest: waiting for events within a module, for cores, for the start itself.\n",
            out);
}

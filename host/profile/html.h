/* SPDX-License-Identifier: Apache-2.0
 * A profile as one page of HTML that needs nothing else: no network, no other file. It shows the verdict, the network
 * module by module, the time with each schedule, and for each module its streams over time, its critical path and why
 * streams were idle. The page's own part is host/profile/page/; its data are JSON in the page.
 *
 *     trib_html_schedule schedules[] = { { .name = "serial", .plan = ..., .graph = ..., .profile = ... }, ... };
 *     trib_html_report report = { .model = "googlenet-bvlc", .device = "AMD EPYC, 2 threads",
 *                                 .verdict = "branches is the fastest: 1.31 times as fast as serial.",
 *                                 .schedules = schedules, .schedule_count = 3 };
 *     trib_html_write("report.html", &report);
 *
 * All strings may have any bytes; what is not UTF-8 is shown as U+FFFD. */
#ifndef TRIBUTARY_HOST_PROFILE_HTML_H
#define TRIBUTARY_HOST_PROFILE_HTML_H

#include "profile/profile.h"
#include "profile/verdict.h"
#include "tributary/plan.h"
#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What one schedule did. Windows of all schedules of a report are of the same modules, by their index. */
typedef struct trib_html_schedule {
    const char *name; /* "branches" */
    const trib_plan *plan;
    const trib_profile_graph *graph;     /* of the plan */
    const trib_profile *profile;         /* the run that is drawn */
    const trib_profile_medians *medians; /* NULL: the numbers are those of the run */
    const trib_op_time *times;    /* that the profile was made from, to show when ops were issued; NULL: not shown */
    int64_t wall;                 /* of a whole batch, which may be several runs; 0: of the run */
    trib_verdict_gain gain;       /* over serial, of whole batches; all 0: from walls */
    const char *sentence;         /* what to say about it; NULL: nothing */
    const char *const *sentences; /* the same per window; NULL, or NULL for one: nothing */
} trib_html_schedule;

typedef struct trib_html_report {
    const char *model, *device; /* "googlenet-bvlc"; "AMD EPYC 9R14, 2 threads" */
    int batch;                  /* images; 0: those of the plan */
    trib_fastest fastest;       /* of the schedules, by their index, the first of which is serial */
    const char *headline;       /* NULL: how long a batch takes */
    const char *verdict;        /* below it; NULL: nothing */
    const char *advice;         /* what to do; NULL: nothing */
    const char *command;        /* that made the report; NULL: not shown */
    const char *date;           /* "2026-11-26 11:05"; NULL: not shown */
    const char *const *notes;   /* how it was measured: the profiler's overhead, the clock, the number of runs */
    int note_count;
    const trib_html_schedule *schedules; /* at least one */
    int schedule_count;
} trib_html_report;

/* Replaces `path` as a whole; on failure it is unchanged. Fails with TRIB_INVALID_ARGUMENT if there is no schedule, or
 * if their numbers of windows differ. */
trib_status trib_html_write(const char *path, const trib_html_report *report);

#ifdef __cplusplus
}
#endif
#endif

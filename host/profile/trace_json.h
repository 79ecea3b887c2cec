/* SPDX-License-Identifier: Apache-2.0
 * When ops ran, as a trace that Perfetto (ui.perfetto.dev) and chrome://tracing open: JSON of the "Trace Event Format".
 *
 *     branches, lane 0               a process per lane
 *       modules           | inception_3a                | inception_3b ...
 *       critical path     | 3x3_reduce | 3x3        |gap|
 *       stream 0: 1x1     | First of the branches |          ops, and around those of one branch a bar, whose color is
 *                         | 1x1                   |            the branch's
 *       stream 1: 3x3     | Second of the branches  |          arrows: what an op of another stream waited for
 *                         | 3x3_reduce | 3x3        |
 *       streams busy      how many compute at the same time
 *       memory bytes      of the arena, in buffers whose content is still needed
 *
 * Each part begins at time 0; times are exact to the nanosecond. Slices of a track never overlap in part, and each
 * arrow begins and ends inside a slice: viewers drop others, or draw them somewhere else. */
#ifndef TRIBUTARY_HOST_PROFILE_TRACE_JSON_H
#define TRIBUTARY_HOST_PROFILE_TRACE_JSON_H

#include "profile/profile.h"
#include "tributary/plan.h"
#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One run of the part's plan. */
typedef struct trib_trace_run {
    const trib_profile *profile;
    const trib_op_time *times; /* that the profile was made from, to show when ops were issued; may be NULL */
} trib_trace_run;

/* Runs of one plan, for instance of one schedule. Parts are drawn under one another. */
typedef struct trib_trace_part {
    const char *name; /* "branches"; any bytes; NULL or "": none */
    const trib_plan *plan;
    const trib_profile_graph *graph; /* of the plan */
    const trib_trace_run *runs;      /* of any lanes; those of one lane in the order in which they ran */
    int run_count;
} trib_trace_part;

/* What was written. */
typedef struct trib_trace_counts {
    int64_t slices;   /* ops that took time */
    int64_t instants; /* ops that ran and took none */
    int64_t bars;     /* around the ops of a branch, or of the trunk */
    int64_t modules;  /* slices of the track "modules" */
    int64_t path;     /* slices of the track "critical path" */
    int64_t flows;    /* arrows */
    int64_t counters; /* values of counters */
    int64_t left_out; /* arrows to ops that began earlier than what they waited for, so that clocks are wrong */
} trib_trace_counts;

/* Replaces `path` as a whole; on failure it is unchanged. `counts` may be NULL. */
trib_status trib_trace_write(const char *path, const trib_trace_part *parts, int part_count, trib_trace_counts *counts);

#ifdef __cplusplus
}
#endif
#endif

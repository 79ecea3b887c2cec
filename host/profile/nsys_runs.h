/* SPDX-License-Identifier: Apache-2.0
 * The runs of our networks in a report: which ops each has. */
#ifndef TRIBUTARY_PROFILE_NSYS_RUNS_H
#define TRIBUTARY_PROFILE_NSYS_RUNS_H

#include "profile/nsys_report.h"

typedef struct trib_nsys_run_op {
    uint32_t op;     /* of the report */
    uint32_t name;   /* the layer's, the first of its text */
    uint32_t stream; /* 0, 1 ...: in the order of the first names on each */
} trib_nsys_run_op;

/* Ops are sorted by name, then stream, then start: the same place in two runs alike is the same op. */
typedef struct trib_nsys_run {
    int64_t process, key; /* launch, range or chunk */
    uint32_t name;        /* of the range around it, the first of its text */
    bool in_graph, streams_known;
    trib_nsys_run_op *ops; /* in `all` */
    uint32_t count;
    uint32_t stream_count;
    uint64_t signature; /* equal in runs alike */
} trib_nsys_run;

typedef struct trib_nsys_runs {
    trib_nsys_run *items;
    size_t count, capacity;
    trib_nsys_run_op *all;
} trib_nsys_runs;

trib_status trib_nsys_runs_of(const trib_nsys_report *report, trib_nsys_runs *out);
void trib_nsys_runs_release(trib_nsys_runs *runs); /* zeroed is fine */

#endif

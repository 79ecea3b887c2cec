/* SPDX-License-Identifier: Apache-2.0
 * What runs alike have in common: their ops in the order in which they were issued, cut into modules. */
#ifndef TRIBUTARY_PROFILE_NSYS_PATTERN_H
#define TRIBUTARY_PROFILE_NSYS_PATTERN_H

#include "profile/nsys_runs.h"
#include "profile/profile.h"

typedef struct trib_nsys_pattern {
    int op_count; /* of the graph: the run's, and where streams meet */
    int *place;   /* in the graph of each op of a run */
} trib_nsys_pattern;

/* The graph's names belong to the report, which must outlive it. */
trib_status trib_nsys_pattern_of(const trib_nsys_report *report, const trib_nsys_run *run, trib_nsys_pattern *pattern,
                                 trib_profile_graph *graph);
void trib_nsys_pattern_release(trib_nsys_pattern *pattern);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The steps of trib_profile_analyse, in their order, and what they share. */
#ifndef TRIBUTARY_HOST_PROFILE_ANALYSIS_H
#define TRIBUTARY_HOST_PROFILE_ANALYSIS_H

#include "profile/profile.h"

/* Times, and sums of times, bytes and operations, lie within it, so that differences cannot overflow. */
#define TRIB_PROFILE_MOST (INT64_C(1) << 62)

/* The part of an op that lies in a window, and what part of its time alone, bytes and operations goes with it. An op
 * of no duration lies in one window. Ops that run nothing are points with no weight. */
typedef struct trib_share {
    int op;
    int64_t from, to;
    int64_t alone, bytes, flops;
} trib_share;

typedef struct trib_analysis {
    const trib_profile_graph *graph;
    const trib_profile_run *run;
    const trib_profile_limits *limits;
    trib_profile *out;
    trib_contradiction found;
    trib_profile_op_result *ops;
    trib_profile_window *windows;
    int *before;      /* of each op: the op before it on its stream, or -1 */
    int *after;       /* of each op: the op that ended last of those it follows, or -1 */
    int64_t *cuts;    /* window_count + 1: where windows begin and end */
    int *first_share; /* window_count + 1: shares of window w are [first_share[w], first_share[w + 1]), by op */
    trib_share *shares;
    trib_share *whole; /* of the run: one per op */
    int64_t *length;   /* scratch, one per op */
    int *mark;         /* scratch, one per op */
    void *scratch;     /* released at the end */
} trib_analysis;

/* check.c: everything but the times. */
trib_status trib_analysis_check(const trib_analysis *a);
/* place.c: when each op ran, what it followed. Finds contradictions. */
trib_status trib_analysis_place(trib_analysis *a);
/* shares.c: the windows' edges, and what lies in each. */
trib_status trib_analysis_share(trib_analysis *a);
/* overlap.c: busy, at, any, overlap, sum, alone, branches, K. */
trib_status trib_analysis_overlap(trib_analysis *a);
/* bounds.c */
trib_status trib_analysis_bounds(trib_analysis *a);
/* path.c, slack.c */
trib_status trib_analysis_paths(trib_analysis *a);
void trib_analysis_slack(trib_analysis *a);
/* idle.c: needs trib_analysis_overlap. */
trib_status trib_analysis_idle(trib_analysis *a);
/* total.c: sums over windows. */
trib_status trib_analysis_total(trib_analysis *a);

/* The window in which an op of no duration lies at `time`: its own, if it lies there or on the edge. */
int trib_analysis_window_at(const trib_analysis *a, int op, int64_t time);
/* The first window that ends after `time`; the last one if there is none. */
int trib_analysis_window_after(const trib_analysis *a, int64_t time);

static inline const trib_profile_op *trib_analysis_op(const trib_analysis *a, int i) { return &a->graph->ops[i]; }
static inline int64_t trib_later(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t trib_earlier(int64_t a, int64_t b) { return a < b ? a : b; }
/* What messages call it. */
const char *trib_profile_op_name(const trib_profile_graph *graph, int op);

#endif

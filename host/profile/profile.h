/* SPDX-License-Identifier: Apache-2.0
 * How far the branches of a network overlapped: from the times of a run to numbers. Nothing here measures.
 *
 *     trib_profile_graph graph;
 *     trib_profile_graph_of_plan(plan, 0, &graph);          what ran, in which windows; or filled in by hand
 *     trib_profile_run run = { .times = r.ops, .clock_step = r.clock_step, .alone = ..., .serial = ... };
 *     trib_profile_analyse(&graph, &run, &limits, &profile, NULL);
 *     ... profile.total.wall, profile.windows[i].overlap ...
 *     trib_profile_release(&profile);
 *     trib_profile_graph_release(&graph);
 *
 * Times are int64 nanoseconds, intervals [a,b) are half open, and all sums are exact.
 *
 * Windows. A run is cut into windows, one after the other: trunk, module, trunk, module, ..., trunk. A module's window
 * is W = [f, j): f = end of the op that made the module's input, j = end of the join, its last op. Trunk windows are
 * what lies between, and may be empty. So the windows of all schedules of a network have the same indices, and walls,
 * busy times, sums of durations and idle times of all windows add up to those of the run. A window is a piece of time:
 * an op that reaches over its edge (gradients of weights do) counts in each window with the part that lies in it, and
 * so do its share of its time alone, its bytes and its operations.
 *
 * Definitions. d = measured duration of an op in this run, d0 = of the same op alone, K = streams that have ops in W:
 *
 *     busy_s     length of the union of the intervals on stream s: no two overlap there, so it is their sum
 *     U          length of the union over all streams
 *     C          concurrency, sum_s busy_s / U: 1 .. K
 *     overlap    length of the time in which two or more streams are busy; its share is overlap / U
 *     S, S0      sums of d and of d0 over the ops in W; S = sum_s busy_s
 *     G          T_serial / W = (T_serial / S0) * (S0 / S) * (S / U) * (U / W): serial gaps removed, stretch (below 1:
 *                contention), concurrency, share of the time in which the device is busy
 *     bounds     W >= max(CP0, S0 / K, A, R): CP0 = longest path of d0 through stream order and events; A = sum of d0 *
 *                (share of the device that the op can fill); R = max(bytes / copy rate, operations / math rate).
 *                G above T_serial / bound is possible (caches, wrong rates) and is shown as it is
 *     path       from the op that ends last back to the predecessor that ended last, and so on until f. Predecessors:
 *                the op before it on its stream, the ops that its events stand for, and its issue by the host. Of
 * equals the op on its own stream, then the lower index. Durations + gaps + host = W idle       see trib_idle_cause.
 * For each window sum_s (busy_s + idle_s) = K * W
 *
 * Ops that run nothing (an input, a join) are points where the last op they wait for ended. They have no idle time
 * before them and may lie on the path. */
#ifndef TRIBUTARY_HOST_PROFILE_PROFILE_H
#define TRIBUTARY_HOST_PROFILE_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/plan.h"
#include "tributary/timeline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what ran ---- */

enum { TRIB_WHOLE_DEVICE = 1000000 }; /* of trib_profile_op.share */

/* Ops are in an order in which they could run on one stream: an op waits only for ops before it, and the ops of a
 * stream run in this order. */
typedef struct trib_profile_op {
    const char *name;
    int stream;
    int window;     /* that it belongs to, for names; 0 if the graph has no windows */
    int branch;     /* of that window's module, 0 ..; -1: trunk, or of several branches */
    bool runs;      /* false: streams only meet here, it has no times */
    int64_t bytes;  /* moved at least; 0: unknown */
    int64_t flops;  /* 0: none, or unknown */
    int share;      /* of the device that it can fill, in millionths: min(1, threads / cores), or min(1, blocks / blocks
                       that fit at a time); 0: unknown, and then it adds nothing to A */
    int wait_count; /* ops it waits for, besides the op before it on its stream */
    const int *waits; /* each less than its own index */
} trib_profile_op;

typedef enum trib_profile_kind {
    TRIB_PROFILE_TRUNK = 0,
    TRIB_PROFILE_FORWARD,
    TRIB_PROFILE_BACKWARD
} trib_profile_kind;
/* "trunk", "forward", "backward". */
const char *trib_profile_kind_name(trib_profile_kind kind);

/* A window ends where its op `last` ends, and begins where the window before it ended. The first begins with the first
 * op of the run that has times, the last ends with the last one (`last` is ignored). */
typedef struct trib_profile_part {
    const char
        *name; /* a module's: "inception_3a"; of trunk, of its first and last op that runs: "conv1 ... pool2"; "" */
    trib_profile_kind kind;
    int fork; /* of the plan; -1: trunk */
    int last; /* an op */
    int branch_count;
    const char *const *branches; /* short names: "1x1", "3x3", "5x5", "pool_proj": of the op with the most work */
} trib_profile_part;

typedef struct trib_profile_graph {
    int op_count, part_count, stream_count;
    const trib_profile_op *ops;
    const trib_profile_part *parts; /* the windows; none: the whole run is one, without a name */
    void *storage;                  /* NULL if filled in by hand */
} trib_profile_graph;

/* One op per op of the plan, with its index; strings belong to the plan, which must outlive the graph. Windows are the
 * forks that lie in no other fork: forward, and in plans for training backward, too, and the trunk around them.
 * `cores`: of the device, for trib_profile_op.share on a cpu; 0: plan->threads. Elsewhere shares are unknown. */
trib_status trib_profile_graph_of_plan(const trib_plan *plan, int cores, trib_profile_graph *out);
void trib_profile_graph_release(trib_profile_graph *graph);
/* The window of a module, by the name of its fork; -1: there is none. */
int trib_profile_part_find(const trib_profile_graph *graph, const char *name, trib_profile_kind kind);

/* ---- what was measured ---- */

/* One run of the graph. */
typedef struct trib_profile_run {
    const trib_op_time *times; /* op_count. issued = 0: unknown, and then nothing is launch-bound. start = end = 0: not
                                  timed, a failure unless the op runs nothing */
    int64_t clock_step;        /* 0: 1 */
    int lane;
    int64_t chunk;
    const int64_t *alone;  /* d0 of every op, from a run in sequence; NULL: unknown */
    const int64_t *serial; /* T_serial of every window: `wall` of the windows of the serial schedule's own run; NULL:
                              unknown */
} trib_profile_run;

/* What the device can do at most. 0: unknown. Rates must be finite. */
typedef struct trib_profile_limits {
    double copy_rate;      /* bytes per second, read and written */
    double math_rate;      /* FLOP per second */
    int64_t start_latency; /* tau: within how many ns 95 % of ops that are ready begin, measured with an empty op */
} trib_profile_limits;

/* ---- numbers ---- */

/* Why a stream did nothing. With g0 = end of what ran before on the stream, or the window's begin; r = when the last op
 * it waits for on other streams ended, l = when the host issued the next op, and g1 = when that began:
 *
 *     [g0, r)             dependency; before a branch's first op in the window: fork
 *     [max(g0, r), l)     launch
 *     the next tau        latency: of an event, of a node of a graph
 *     the rest until g1   contention: ready and issued, but cores or multiprocessors were taken
 *     [g0, j)             imbalance, behind the stream's last op in the window: other branches take longer
 *     all of the window   no work, on a stream without ops in it: not counted there, as K does not count the stream,
 *                         but in the run's total */
typedef enum trib_idle_cause {
    TRIB_IDLE_DEPENDENCY = 0,
    TRIB_IDLE_FORK,
    TRIB_IDLE_IMBALANCE,
    TRIB_IDLE_LAUNCH,
    TRIB_IDLE_LATENCY,
    TRIB_IDLE_CONTENTION,
    TRIB_IDLE_NO_WORK,
    TRIB_IDLE_CAUSE_COUNT
} trib_idle_cause;
/* "dependency", "fork", "imbalance", "launch", "latency", "contention", "no work". */
const char *trib_idle_cause_name(trib_idle_cause cause);

typedef struct trib_profile_idle {
    int64_t from, to;
    trib_idle_cause cause;
    int window, stream;
    int next;   /* the op that ran then on the stream; -1: none in the window */
    int op;     /* dependency, fork: the op that was waited for; imbalance: the op that ended last in the window, of the
                   branches if there are some; else, or if there is none, -1 */
    int branch; /* of `op`, in its own window; -1: trunk, or no op */
} trib_profile_idle;

/* A piece of a critical path. Pieces follow each other in time, from the window's begin to its end. */
typedef struct trib_profile_step {
    int op;           /* that ran; with `host`, the op that was issued */
    int64_t gap;      /* before it: from the end of the predecessor, or the window's begin, to `from` */
    int64_t from, to; /* an op of no duration: from = to */
    bool host;        /* the host had not issued the op yet, though all that it waits for had ended */
    int branch;       /* of the op, in its own window; -1: trunk */
} trib_profile_step;

typedef struct trib_profile_path {
    int step_count;
    const trib_profile_step *steps;
    int64_t busy, gaps, host; /* sums: busy + gaps + host = wall */
} trib_profile_path;

typedef enum trib_bound_term {
    TRIB_BOUND_NONE = 0, /* d0 is unknown, or nothing ran */
    TRIB_BOUND_PATH,     /* CP0 */
    TRIB_BOUND_STREAMS,  /* S0 / K */
    TRIB_BOUND_DEVICE,   /* A */
    TRIB_BOUND_ROOFLINE, /* R */
    TRIB_BOUND_COUNT
} trib_bound_term;
/* "none", "critical path", "work per stream", "device filled", "roofline". */
const char *trib_bound_term_name(trib_bound_term term);

/* Of a window, or of the run. Rounded up to whole ns, as W is whole. */
typedef struct trib_profile_bounds {
    int64_t path, streams, device; /* CP0, S0 / K, A; 0: unknown */
    int64_t copies, math;          /* the two terms of R; 0: unknown */
    int64_t best;                  /* the largest: no window can be shorter */
    trib_bound_term binding;       /* which it is; of equals the first in the order of trib_bound_term */
} trib_profile_bounds;

/* A branch of a module; only ops with that branch in that window count. */
typedef struct trib_profile_branch {
    int64_t alone;      /* sum of d0; 0: unknown */
    int64_t busy;       /* sum of d */
    int64_t path, gaps; /* what the critical path owes to it: durations, and gaps and host time before its ops */
} trib_profile_branch;

typedef struct trib_profile_stream {
    int64_t busy;
    int64_t idle[TRIB_IDLE_CAUSE_COUNT];
    bool has_ops; /* counts for K; otherwise `idle` is no work, and no part of the window's own sums */
} trib_profile_stream;

/* A window, or the whole run. */
typedef struct trib_profile_window {
    int64_t from, to, wall;                    /* [f, j) and W */
    int streams;                               /* K */
    const trib_profile_stream *stream;         /* stream_count */
    int64_t busy, idle[TRIB_IDLE_CAUSE_COUNT]; /* sums over the K streams: busy + all of idle = K * W */
    const int64_t *at;  /* stream_count + 1: at[k] = time in which exactly k streams were busy; sum = W */
    int64_t any;        /* U */
    int64_t overlap;    /* time in which two or more were busy */
    int64_t sum, alone; /* S and S0; alone = 0: unknown */
    int64_t serial;     /* T_serial; 0: unknown */
    trib_profile_bounds bounds;
    /* If branches had nothing to wait for: work = sum of d0 over branches, largest = of the branch with most. work /
     * largest is the gain that counting operations promises. Of the run: sums over its windows. */
    int64_t branch_work, branch_largest;
    int branch_count;
    const trib_profile_branch *branches; /* of the window's module; none for the run */
    trib_profile_branch trunk;           /* its ops outside of branches, and those of other windows */
    trib_profile_path path;
    int idle_count;
    const trib_profile_idle *pieces; /* of all streams that have ops in the run, by stream, then by time; with those of
                                        no work, without those of no length */
} trib_profile_window;

typedef struct trib_profile_op_result {
    int64_t from, to;     /* as counted: trimmed, and points placed */
    int64_t ready;        /* when the last of its predecessors ended, or the host issued it */
    int predecessor;      /* that one; -1: the host, or it has none */
    int64_t slack;        /* how much later it could end without the run ending later, if gaps stay as they are */
    int64_t window_slack; /* the same for the window in which it ends, and the ops that end there */
    bool critical;        /* on the run's path */
} trib_profile_op_result;

/* A run in numbers. Self-contained but for the graph's strings. */
typedef struct trib_profile {
    int lane;
    int64_t chunk;
    int64_t noise; /* ns: by how much its clock may be wrong */
    int op_count, window_count, stream_count;
    const trib_profile_op_result *ops;
    const trib_profile_window *windows; /* window_count: the graph's, or one */
    trib_profile_window total;
    int negative_gaps; /* ops that began before what they wait for ended, by no more than clocks are wrong: taken as 0
                        */
    int trimmed; /* the same of ops that began before the end of the one before on their stream: they begin there */
    void *storage;
} trib_profile;

/* Times that cannot be of this graph. */
typedef enum trib_contradiction_kind {
    TRIB_CONTRADICTION_NONE = 0,
    TRIB_CONTRADICTION_NOT_TIMED, /* an op that runs has no times */
    TRIB_CONTRADICTION_REVERSED,  /* it ends before it starts */
    TRIB_CONTRADICTION_TOO_EARLY, /* it starts before `other`, which it waits for, has ended */
    TRIB_CONTRADICTION_OVERLAP,   /* the same, where both are on one stream */
    TRIB_CONTRADICTION_NOT_ISSUED /* it starts before the host issued it */
} trib_contradiction_kind;

typedef struct trib_contradiction {
    trib_contradiction_kind kind;
    int op, other;  /* -1: none */
    int64_t amount; /* ns */
} trib_contradiction;

/* Fails with TRIB_BAD_DATA if the times contradict the graph, saying which ops and by how much; `found` (NULL is fine)
 * has it, too. Up to trib_clock_noise (timeline.h) is noise, on one stream and between two: counted and taken as no
 * gap; against when the host issued an op, up to trib_clock_noise_to_host. Fails with TRIB_INVALID_ARGUMENT where an
 * argument is impossible: rates that are not finite or below 0, negative durations, waits for later ops, streams,
 * windows or branches out of range, spans or sums beyond 2^62 ns.
 */
trib_status trib_profile_analyse(const trib_profile_graph *graph, const trib_profile_run *run,
                                 const trib_profile_limits *limits, trib_profile *out, trib_contradiction *found);
void trib_profile_release(trib_profile *profile); /* zeroed is fine */

/* d0 of every op from runs in sequence: the median of each op's durations; of an even number, the lower of the two in
 * the middle. `alone` has graph->op_count entries. */
trib_status trib_profile_alone(const trib_profile_graph *graph, const trib_op_time *const *runs, int run_count,
                               int64_t *alone);

/* ---- ratios: NaN where a term is unknown or 0 ---- */

typedef struct trib_profile_gain {
    double gain;         /* G, and its four factors: */
    double serial_gaps;  /* T_serial / S0 */
    double stretch;      /* S0 / S */
    double concurrency;  /* S / U = C */
    double device_busy;  /* U / W */
    double bound;        /* T_serial / bounds.best: what G could be at most */
    double overlap;      /* overlap / U */
    double branch_bound; /* branch_work / branch_largest */
} trib_profile_gain;
trib_profile_gain trib_profile_gain_of(const trib_profile_window *window);

/* ---- several runs ---- */

/* A window's numbers in the middle of several runs: each is the median of its own values in the runs, so that sums need
 * not agree. Of an even number of runs, the lower of the two in the middle. */
typedef struct trib_profile_median {
    int64_t wall, serial, busy, any, overlap, sum, alone;
    int64_t idle[TRIB_IDLE_CAUSE_COUNT];
    int64_t path_busy, path_gaps, path_host;
    trib_profile_bounds bounds;
    trib_bound_term binding; /* in most of the runs; of equals the first in its order */
    trib_profile_gain gain;  /* of each run's ratio, so that runs in pairs stay pairs; NaN if it is in any run */
} trib_profile_median;

typedef struct trib_profile_medians {
    int run_count, window_count;
    int trace; /* the run whose total wall is the median, the first of equals: the real iteration to show */
    const trib_profile_median *windows;
    trib_profile_median total;
    void *storage;
} trib_profile_medians;

/* Of runs of one graph; fails with TRIB_INVALID_ARGUMENT if there is none, or their windows differ in number. */
trib_status trib_profile_medians_of(const trib_profile *const *runs, int run_count, trib_profile_medians *out);
void trib_profile_medians_release(trib_profile_medians *medians);

/* ---- several lanes ---- */

/* All streams of all lanes in [from, to): of each lane's windows nothing is mixed, but the device is shared. */
typedef struct trib_profile_device {
    int64_t from, to;
    int streams;  /* lanes times streams that are busy at some time */
    int64_t busy; /* sum over streams */
    int64_t any, overlap;
} trib_profile_device;

/* Of runs that ran beside each other and after each other: on one stream of a lane no two ops may overlap, a failure
 * with TRIB_BAD_DATA. from = to: from the first op to the last. */
trib_status trib_profile_device_of(const trib_profile *const *runs, const trib_profile_graph *const *graphs,
                                   int run_count, int64_t from, int64_t to, trib_profile_device *out);

#ifdef __cplusplus
}
#endif
#endif

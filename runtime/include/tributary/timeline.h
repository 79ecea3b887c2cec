/* SPDX-License-Identifier: Apache-2.0
 * Tributary: when each op of a plan ran, on every lane, for every chunk of a session or step of a trainer.
 *
 *     trib_timeline *timeline;
 *     trib_timeline_create(100, &timeline);
 *     options.timeline = timeline; // of a trib_session_options or trib_trainer_options
 *     trib_session_create(device, graph, parameters, &options, &session);
 *     ... trib_session_run(session, ...);
 *     for (int i = 0; i < trib_timeline_count(timeline); ++i) {
 *         trib_timeline_run run = trib_timeline_at(timeline, i);
 *         trib_status status = trib_timeline_check(trib_session_plan(session), &run);
 *         ... run.ops[op].end - run.ops[op].start
 *     }
 *     trib_timeline_clear(timeline);
 *
 * On a cpu, the thread that computes an op takes its times, in eager runs and in launches of a recorded plan alike. On
 * other devices the driver tells them after a run, from the device's own clock brought to the host's.
 *
 * Memory for all runs is allocated when the session is created; running allocates nothing. A session without a timeline
 * allocates nothing for it, and each op costs one comparison.
 *
 * A timeline belongs to one session or trainer at a time, and must outlive it. It is read by the thread that uses the
 * session, between calls: runs appear in it once they have been waited for, and stay readable after the session is
 * destroyed, until the timeline is cleared, attached to another session, or destroyed. */
#ifndef TRIBUTARY_TIMELINE_H
#define TRIBUTARY_TIMELINE_H

#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/plan.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

/* When an op of a plan ran, in nanoseconds of CLOCK_MONOTONIC. start = end = 0: nothing ran, or it was not timed. */
typedef struct trib_op_time {
    int64_t issued;     /* the host gave it to the device, or launched the recorded plan that holds it */
    int64_t start, end; /* half open */
} trib_op_time;

/* A finished run of a plan: one chunk of a session, or one step of a trainer. */
typedef struct trib_timeline_run {
    int lane;
    int64_t chunk;           /* counted from 0 in each session or trainer; failed ones count */
    const trib_op_time *ops; /* plan->op_count; owned by the timeline */
    int64_t clock_step;      /* of the clock that gave start and end, in nanoseconds; 0: 1 */
} trib_timeline_run;

typedef struct trib_timeline trib_timeline;

/* `runs`: how many finished runs it has room for, those in flight included; at least 1. */
trib_status trib_timeline_create(int runs, trib_timeline **out);
void trib_timeline_destroy(trib_timeline *timeline); /* NULL is fine */

/* Finished runs, in the order of their chunks. A chunk that failed has none. */
int trib_timeline_count(const trib_timeline *timeline);
/* Run `index`, 0 .. count - 1. Its times are valid until the timeline is cleared, attached again or destroyed. */
trib_timeline_run trib_timeline_at(const trib_timeline *timeline, int index);
/* Chunks that were submitted while there was no room: they ran without being timed. */
int64_t trib_timeline_dropped(const trib_timeline *timeline);
/* Chunks that ran, but whose times the device could not tell, for instance because a profiler lost records. */
int64_t trib_timeline_lost(const trib_timeline *timeline);
/* Why the first of those has no times; success if none was lost. */
trib_status trib_timeline_loss(const trib_timeline *timeline);
/* What takes the times: "worker threads" on a cpu, "CUPTI", or "events: CUPTI is used by NAME". NULL: no session has
 * been created with it. */
const char *trib_timeline_source(const trib_timeline *timeline);
/* Forgets all finished runs, and how many were dropped and lost. Runs in flight stay, and appear when they finish. */
void trib_timeline_clear(trib_timeline *timeline);

/* By how many nanoseconds times may be wrong, given the step of their clock (0: 1): two steps, or 1 us if that is more,
 * for kernels that follow each other on a stream overlap by some 100 ns, as CUPTI has it (129 ns, H100). */
int64_t trib_clock_noise(int64_t clock_step);
/* Against the host's clock: 25 times that for a device's clock (its step is more than 1), which was 9.3 us ahead of the
 * host's once (CUPTI, H100). */
int64_t trib_clock_noise_to_host(int64_t clock_step);

/* Compares the times of a run with its plan. Fails with TRIB_INVALID_ARGUMENT, naming both ops and by how much, if an
 * op starts before one that it waits for has ended (an earlier op of its stream, or what an event stands for), by more
 * than trib_clock_noise; and naming the op if it ends before it starts, starts before the host issued it by more than
 * trib_clock_noise_to_host, or has only one of the two times. Ops that were not timed are passed over, and
 * what they wait for is expected of those after them. `run` has been made with `plan` (with options.one_stream: the
 * session's own). */
trib_status trib_timeline_check(const trib_plan *plan, const trib_timeline_run *run);

TRIB_END_DECLS
#endif

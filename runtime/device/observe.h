/* SPDX-License-Identifier: Apache-2.0
 * Observed runs: when each op of a run begins and ends. Where host threads compute (cpu), these call the observer
 * around each op. Another driver finds the times by its own means, and tells them once the run is over.
 *
 *     session or trainer opened:   observation_open     once, before its streams exist and before anything is recorded
 *     for each op that is given:   observe_begin(stream, run, op), the op's work, observe_end(stream)
 *     for each recorded op:        observe_begin(stream, NULL, op), the op's work, observe_end(stream)
 *     for each launch:             observe_begin(stream, run, TRIB_OBSERVE_LAUNCH), trib_capture_launch, observe_end
 *     the run has been waited for: observation_collect(run); after a failure of the run observation_drop(run)
 *     closed:                      observation_close    no run is in flight, captures and streams are destroyed
 *
 * All calls are made by the thread that uses the session; several sessions of a device may observe at once. Runs end in
 * any order, several may be in flight, and a capture may be launched again before an earlier launch was collected. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_OBSERVE_H
#define TRIBUTARY_RUNTIME_DEVICE_OBSERVE_H

#include "tributary/device.h"

enum { TRIB_OBSERVE_LAUNCH = -1 };

typedef struct trib_observed_run trib_observed_run;

typedef struct trib_observer {
    /* Where host threads compute: called by the thread, around each op of the run; ops of several streams at once. An
     * op that is skipped because an earlier one failed is not reported; one that fails is, with both calls. */
    void (*begin)(trib_observed_run *run, int op);
    void (*end)(trib_observed_run *run, int op);
    /* Other drivers, from within observation_collect: once per op that ran. Nanoseconds of CLOCK_MONOTONIC. If an op
     * is several pieces of work: from the start of the first to the end of the last. `issued`: when the host launched
     * the first; 0 if the driver does not know better than the session. */
    void (*told)(trib_observed_run *run, int op, int64_t issued, int64_t start, int64_t end);
} trib_observer;

/* Owned by the session; valid until it is collected or dropped. */
struct trib_observed_run {
    const trib_observer *observer;
    bool timed;      /* times are wanted: else `told` need not be called (the timeline is full) */
    void *of_driver; /* the driver's own; NULL when the run begins */
};

typedef struct trib_observation_options {
    int op_count; /* of the plan: ops are 0 .. op_count - 1, and each is given at most once per run */
    int runs;     /* most runs in flight */
    bool times;   /* times are wanted; else only what a thread that computes reports by itself */
} trib_observation_options;

/* A driver's own struct begins with this. */
typedef struct trib_observation {
    trib_device *device;
    char source[160];   /* as trib_timeline_source has it; may change while a run is collected */
    int64_t clock_step; /* nanoseconds; 0: 1 */
    bool only_eager;    /* the ops of a launch cannot be told: the session must not launch recorded plans */
} trib_observation;

#endif

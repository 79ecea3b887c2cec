/* SPDX-License-Identifier: Apache-2.0
 * How far streams overlapped, of any program's report: no plan is known, so that an op's dependencies are not, either.
 * The definitions are those of profile.h as far as they go without them.
 *
 *     wall     from the first op's start to the last one's end
 *     busy     sum over streams of the time in which they had work; ops of a stream may overlap, and count once
 *     any      U, the time in which any stream had work
 *     overlap  the time in which two or more had
 *     launch   of the time in which a stream had no work, and some later: until the call for its next op returned
 *     wait     the rest of that: for events, for the start itself, or for a device that others filled; all of it if the
 *              report does not have the call
 *     tail     without work after a stream's last op
 *
 * busy + launch + wait + tail = streams * wall, to the nanosecond. */
#ifndef TRIBUTARY_PROFILE_NSYS_OVERLAP_H
#define TRIBUTARY_PROFILE_NSYS_OVERLAP_H

#include "profile/nsys_report.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_nsys_sums {
    int64_t from, to; /* of one window */
    int64_t wall, busy, any, overlap, launch, wait, tail;
    int64_t ops;
    int64_t streams; /* with ops */
} trib_nsys_sums;

/* One stream in one window. */
typedef struct trib_nsys_lane {
    int64_t end; /* of its work so far */
    int64_t busy, launch, wait, tail, ops;
    uint32_t stream, place; /* of the report; where it is among those at work */
} trib_nsys_lane;

typedef struct trib_nsys_sweep trib_nsys_sweep;
trib_status trib_nsys_sweep_create(const trib_nsys_report *report, trib_nsys_sweep **out);
void trib_nsys_sweep_destroy(trib_nsys_sweep *sweep); /* NULL is fine */
/* Sums of the ops with these indices, which rise; at least one. */
trib_nsys_sums trib_nsys_sweep_run(trib_nsys_sweep *sweep, const uint32_t *ops, size_t count);
/* Of the latest run: its streams, in the order of their first ops. Valid until the next. */
const trib_nsys_lane *trib_nsys_sweep_lanes(const trib_nsys_sweep *sweep, size_t *count);

/* All of one process on one GPU, or on the CPU. */
typedef struct trib_nsys_device {
    int64_t process, device;
    trib_nsys_sums sums;
    trib_nsys_lane *lanes; /* sums.streams, those with most work first */
} trib_nsys_device;

/* All NVTX ranges of a name: each is a window that holds the ops whose calls were made in it, on its thread. Sums are
 * over all that have ops; ranges within a range of the same name are part of it. */
typedef struct trib_nsys_window {
    uint32_t name;
    int64_t count;  /* windows with ops */
    int64_t median; /* wall of the one in the middle */
    trib_nsys_sums sums;
} trib_nsys_window;

typedef struct trib_nsys_overlaps {
    trib_nsys_device *devices;
    size_t device_count, device_capacity;
    trib_nsys_window *windows; /* those with most work first */
    size_t window_count;
} trib_nsys_overlaps;

enum { TRIB_NSYS_MOST_WINDOWS = 16 };

/* `range`: only ranges of that name; TRIB_NOT_FOUND, naming others, if no work was given in any. NULL: of those with
 * most work, TRIB_NSYS_MOST_WINDOWS; on a CPU, where each is an op, none. */
trib_status trib_nsys_overlaps_of(const trib_nsys_report *report, const char *range, trib_nsys_overlaps *out);
void trib_nsys_overlaps_release(trib_nsys_overlaps *overlaps); /* zeroed is fine */

#ifdef __cplusplus
}
#endif
#endif

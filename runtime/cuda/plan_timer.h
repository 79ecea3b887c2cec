/* SPDX-License-Identifier: Apache-2.0
 * How long work takes on a stream, by two events that the device brings. */
#ifndef TRIBUTARY_RUNTIME_CUDA_PLAN_TIMER_H
#define TRIBUTARY_RUNTIME_CUDA_PLAN_TIMER_H

#include <stdint.h>

#include "tributary/status.h"

typedef struct trib_timer {
    void *context;
    /* Records the first event on the stream the work is given to. */
    trib_status (*start)(void *context);
    /* Records the second one, waits for it, and says how long it was between them. */
    trib_status (*stop)(void *context, int64_t *nanoseconds);
} trib_timer;

/* Gives work to the timer's stream. */
typedef trib_status (*trib_timed_work)(void *context);

/* Of one call: the least of several samples, each of enough calls to be measurable, after one that warms up. */
trib_status trib_time_work(const trib_timer *timer, trib_timed_work work, void *context, int64_t *nanoseconds);

#endif

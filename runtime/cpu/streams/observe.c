/* SPDX-License-Identifier: Apache-2.0 */
#include "cpu/streams/observe.h"

#include <stdio.h>

#include "cpu/streams/stream.h"
#include "tributary/internal/alloc.h"

trib_status trib_cpu_observation_open(trib_device *device, const trib_observation_options *options,
                                      trib_observation **out)
{
    (void)options;
    trib_observation *observation = trib_alloc_zeroed(1, sizeof *observation);
    if (!observation) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to observe ops");
    observation->device = device;
    snprintf(observation->source, sizeof observation->source, "worker threads");
    *out = observation;
    return trib_success();
}

void trib_cpu_observation_close(trib_observation *observation) { trib_free(observation); }

/* Ops that are given to the stream from here on carry the run to the thread that computes them. */
trib_status trib_cpu_observe_begin(trib_observation *observation, trib_stream *stream, trib_observed_run *run, int op)
{
    (void)observation;
    ((trib_cpu_stream *)stream)->observed = (trib_cpu_observed) { run, op };
    return trib_success();
}

trib_status trib_cpu_observe_end(trib_observation *observation, trib_stream *stream)
{
    (void)observation;
    ((trib_cpu_stream *)stream)->observed = trib_cpu_unobserved;
    return trib_success();
}

trib_status trib_cpu_observation_collect(trib_observation *observation, trib_observed_run *run)
{
    (void)observation, (void)run;
    return trib_success();
}

void trib_cpu_observation_drop(trib_observation *observation, trib_observed_run *run) { (void)observation, (void)run; }

/* SPDX-License-Identifier: Apache-2.0
 * When ops ran on the device: from CUPTI, or where that cannot be had from CUDA events. */
#ifndef TRIBUTARY_RUNTIME_CUDA_TRACE_OBSERVATION_H
#define TRIBUTARY_RUNTIME_CUDA_TRACE_OBSERVATION_H

#include "cuda/device.h"

typedef struct trib_cuda_observation trib_cuda_observation;

/* Where times come from; functions as in driver.h. */
typedef struct trib_cuda_clock {
    void (*close)(trib_cuda_observation *observation);
    trib_status (*begin)(trib_cuda_observation *observation, trib_cuda_stream *stream, trib_observed_run *run, int op);
    trib_status (*end)(trib_cuda_observation *observation, trib_cuda_stream *stream);
    trib_status (*collect)(trib_cuda_observation *observation, trib_observed_run *run);
    void (*drop)(trib_cuda_observation *observation, trib_observed_run *run);
} trib_cuda_clock;

struct trib_cuda_observation {
    trib_observation base;
    const trib_cuda_clock *clock;
};

/* CUPTI. TRIB_UNSUPPORTED with a reason if it cannot be used: take events. */
trib_status trib_cuda_open_cupti(trib_cuda_device *device, const trib_observation_options *options,
                                 trib_cuda_observation **out);
/* Ends the process's use of CUPTI, if this device began it. No observation is open. */
void trib_cuda_close_cupti(trib_cuda_device *device);

/* Events around ops. `reason`: why not CUPTI. */
trib_status trib_cuda_open_events(trib_cuda_device *device, const trib_observation_options *options, const char *reason,
                                  trib_cuda_observation **out);

/* The driver's functions. */
trib_status trib_cuda_observation_open(trib_device *device, const trib_observation_options *options,
                                       trib_observation **out);
void trib_cuda_observation_close(trib_observation *observation);
trib_status trib_cuda_observe_begin(trib_observation *observation, trib_stream *stream, trib_observed_run *run, int op);
trib_status trib_cuda_observe_end(trib_observation *observation, trib_stream *stream);
trib_status trib_cuda_observation_collect(trib_observation *observation, trib_observed_run *run);
void trib_cuda_observation_drop(trib_observation *observation, trib_observed_run *run);

/* CLOCK_MONOTONIC, in nanoseconds. */
int64_t trib_cuda_host_time(void);

#endif

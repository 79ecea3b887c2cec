/* SPDX-License-Identifier: Apache-2.0
 * Observed runs on the CPU: workers call the observer themselves, so that there is nothing to collect. */
#ifndef TRIBUTARY_RUNTIME_CPU_STREAMS_OBSERVE_H
#define TRIBUTARY_RUNTIME_CPU_STREAMS_OBSERVE_H

#include "device/driver.h"

trib_status trib_cpu_observation_open(trib_device *device, const trib_observation_options *options,
                                      trib_observation **out);
void trib_cpu_observation_close(trib_observation *observation);
trib_status trib_cpu_observe_begin(trib_observation *observation, trib_stream *stream, trib_observed_run *run, int op);
trib_status trib_cpu_observe_end(trib_observation *observation, trib_stream *stream);
trib_status trib_cpu_observation_collect(trib_observation *observation, trib_observed_run *run);
void trib_cpu_observation_drop(trib_observation *observation, trib_observed_run *run);

#endif

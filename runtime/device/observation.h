/* SPDX-License-Identifier: Apache-2.0
 * Calls a driver's functions of observe.h, which are optional. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_OBSERVATION_H
#define TRIBUTARY_RUNTIME_DEVICE_OBSERVATION_H

#include "device/observe.h"

bool trib_observation_possible(const trib_device *device);
/* *out NULL: there is nothing to observe. Fails with TRIB_UNSUPPORTED if times are wanted of a device that has none. */
trib_status trib_observation_open(trib_device *device, const trib_observation_options *options, trib_observation **out);
void trib_observation_close(trib_observation *observation); /* NULL is fine */
trib_status trib_observe_begin(trib_observation *observation, trib_stream *stream, trib_observed_run *run, int op);
trib_status trib_observe_end(trib_observation *observation, trib_stream *stream);
trib_status trib_observation_collect(trib_observation *observation, trib_observed_run *run);
void trib_observation_drop(trib_observation *observation, trib_observed_run *run);

#endif

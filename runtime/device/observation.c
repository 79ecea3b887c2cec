/* SPDX-License-Identifier: Apache-2.0 */
#include "device/observation.h"

#include "device/driver.h"

bool trib_observation_possible(const trib_device *device) { return device->driver->observation_open != NULL; }

trib_status trib_observation_open(trib_device *device, const trib_observation_options *options, trib_observation **out)
{
    *out = NULL;
    if (device->driver->observation_open) return device->driver->observation_open(device, options, out);
    if (!options->times) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED, "device %s cannot tell when ops run", device->info.spec);
}

void trib_observation_close(trib_observation *observation)
{
    if (observation) observation->device->driver->observation_close(observation);
}

trib_status trib_observe_begin(trib_observation *observation, trib_stream *stream, trib_observed_run *run, int op)
{
    return observation->device->driver->observe_begin(observation, stream, run, op);
}

trib_status trib_observe_end(trib_observation *observation, trib_stream *stream)
{
    return observation->device->driver->observe_end(observation, stream);
}

trib_status trib_observation_collect(trib_observation *observation, trib_observed_run *run)
{
    return observation->device->driver->observation_collect(observation, run);
}

void trib_observation_drop(trib_observation *observation, trib_observed_run *run)
{
    observation->device->driver->observation_drop(observation, run);
}

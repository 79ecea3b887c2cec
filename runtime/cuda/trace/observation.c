/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/trace/observation.h"

#include <time.h>

int64_t trib_cuda_host_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

trib_status trib_cuda_observation_open(trib_device *base, const trib_observation_options *options,
                                       trib_observation **out)
{
    trib_cuda_device *device = trib_cuda_of(base);
    trib_cuda_observation *observation = NULL;
    *out = NULL;
    if (!options->times) return trib_success();
    TRIB_TRY(trib_cuda_enter(device));
    trib_status status = trib_cuda_open_cupti(device, options, &observation);
    if (trib_failed(&status) && status.code == TRIB_UNSUPPORTED) {
        trib_status reason = status;
        status = trib_cuda_open_events(device, options, reason.message, &observation);
    }
    if (trib_failed(&status)) return status;
    observation->base.device = base;
    *out = &observation->base;
    return status;
}

static trib_cuda_observation *of(trib_observation *base) { return (trib_cuda_observation *)base; }

void trib_cuda_observation_close(trib_observation *base) { of(base)->clock->close(of(base)); }

trib_status trib_cuda_observe_begin(trib_observation *base, trib_stream *stream, trib_observed_run *run, int op)
{
    return of(base)->clock->begin(of(base), (trib_cuda_stream *)stream, run, op);
}

trib_status trib_cuda_observe_end(trib_observation *base, trib_stream *stream)
{
    return of(base)->clock->end(of(base), (trib_cuda_stream *)stream);
}

trib_status trib_cuda_observation_collect(trib_observation *base, trib_observed_run *run)
{
    return of(base)->clock->collect(of(base), run);
}

void trib_cuda_observation_drop(trib_observation *base, trib_observed_run *run)
{
    of(base)->clock->drop(of(base), run);
}

/* SPDX-License-Identifier: Apache-2.0
 * A build without CUPTI's headers. */
#include "cuda/trace/observation.h"

trib_status trib_cuda_open_cupti(trib_cuda_device *device, const trib_observation_options *options,
                                 trib_cuda_observation **out)
{
    (void)device, (void)options, (void)out;
    return TRIB_ERROR(TRIB_UNSUPPORTED, "this build has no CUPTI");
}

void trib_cuda_close_cupti(trib_cuda_device *device) { (void)device; }

/* SPDX-License-Identifier: Apache-2.0 */
#include "cudnn_plans/real_cupti.h"

#include "cuda/trace/cupti_session.h"

trib_status try_real_cupti(uint32_t *version)
{
    static trib_cuda_device device; /* only its address matters */
    trib_cupti_observation observation = { .base.base.device = &device.base };
    trib_status status = trib_cupti_join(&device, &observation);
    *version = observation.version;
    if (!trib_failed(&status)) trib_cupti_leave(&observation);
    trib_cuda_close_cupti(&device);
    return status;
}

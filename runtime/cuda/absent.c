/* SPDX-License-Identifier: Apache-2.0
 * A build without CUDA: says so. */
#include <stdio.h>

#include "device/cuda_device.h"

trib_status trib_cuda_device_open(const char *spec, const trib_device_options *options, trib_device **out)
{
    (void)options;
    (void)out;
    return TRIB_ERROR(TRIB_UNSUPPORTED, "device \"%.32s\": this build has no CUDA device; open device cpu instead",
                      spec);
}

int trib_cuda_device_list(trib_device_listing *listings, int capacity)
{
    if (capacity < 1) return 1;
    snprintf(listings[0].spec, sizeof listings[0].spec, "cuda");
    snprintf(listings[0].description, sizeof listings[0].description, "this build has no CUDA device");
    return 1;
}

const char *trib_cuda_device_target(int index)
{
    (void)index;
    return NULL;
}

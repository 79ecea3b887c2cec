/* SPDX-License-Identifier: Apache-2.0
 * What runtime/cuda provides to the public functions, with or without CUDA. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_CUDA_DEVICE_H
#define TRIBUTARY_RUNTIME_DEVICE_CUDA_DEVICE_H

#include "device/driver.h"

/* `spec` is "cuda" or "cuda:N". */
trib_status trib_cuda_device_open(const char *spec, const trib_device_options *options, trib_device **out);
/* Fills at most `capacity` zeroed listings; returns the number of devices, at least one. */
int trib_cuda_device_list(trib_device_listing *listings, int capacity);
/* Behind trib_device_targets. */
const char *trib_cuda_device_target(int index);

#endif

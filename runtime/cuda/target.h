/* SPDX-License-Identifier: Apache-2.0
 * A described card of another machine: plans can be made for it, but it has no memory or streams and runs nothing. */
#ifndef TRIBUTARY_RUNTIME_CUDA_TARGET_H
#define TRIBUTARY_RUNTIME_CUDA_TARGET_H

#include "tributary/device.h"

trib_status trib_cuda_target_open(const char *target, const char *choices_path, trib_device **out);

#endif

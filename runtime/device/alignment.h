/* SPDX-License-Identifier: Apache-2.0
 * Where things begin in device memory: what a device allocates, and all that is laid out in it. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_ALIGNMENT_H
#define TRIBUTARY_RUNTIME_DEVICE_ALIGNMENT_H

#include <stdint.h>

enum { TRIB_ALIGNMENT = 256 };

static inline int64_t trib_aligned(int64_t bytes)
{
    return (bytes + TRIB_ALIGNMENT - 1) / TRIB_ALIGNMENT * TRIB_ALIGNMENT;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "device/packing.h"

enum { ALIGNMENT = 256 };

static int64_t aligned(int64_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

trib_packing trib_packing_of(int64_t weight_bytes, int64_t bias_bytes)
{
    int64_t weight = aligned(weight_bytes);
    return (trib_packing) { .bytes = weight + aligned(bias_bytes), .bias_offset = bias_bytes ? weight : 0 };
}

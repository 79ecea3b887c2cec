/* SPDX-License-Identifier: Apache-2.0 */
#include "device/packing.h"

#include "device/alignment.h"

trib_packing trib_packing_of(int64_t weight_bytes, int64_t bias_bytes)
{
    int64_t weight = trib_aligned(weight_bytes);
    return (trib_packing) { .bytes = weight + trib_aligned(bias_bytes), .bias_offset = bias_bytes ? weight : 0 };
}

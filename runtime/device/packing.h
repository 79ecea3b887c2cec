/* SPDX-License-Identifier: Apache-2.0
 * The layout of an op's packed parameters in the caller's memory, on every device: the weight first, then the bias at
 * the next multiple of 256 bytes. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_PACKING_H
#define TRIBUTARY_RUNTIME_DEVICE_PACKING_H

#include <stddef.h>
#include <stdint.h>

typedef struct trib_packing {
    int64_t bytes;       /* of both; 0: no parameters */
    int64_t bias_offset; /* 0: no bias */
} trib_packing;

trib_packing trib_packing_of(int64_t weight_bytes, int64_t bias_bytes);

/* NULL if there is no bias. */
static inline void *trib_packed_bias(const trib_packing *packing, const void *packed)
{
    return packing->bias_offset ? (char *)packed + packing->bias_offset : NULL;
}

#endif

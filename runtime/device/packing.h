/* SPDX-License-Identifier: Apache-2.0
 * How an op's packed parameters lie in the memory that the caller brings, on every device: the weight first, the bias
 * from the next multiple of 256 bytes on. */
#ifndef TRIBUTARY_RUNTIME_DEVICE_PACKING_H
#define TRIBUTARY_RUNTIME_DEVICE_PACKING_H

#include <stddef.h>
#include <stdint.h>

typedef struct trib_packing {
    int64_t bytes;       /* of both; 0: there are no parameters */
    int64_t bias_offset; /* 0: there is no bias */
} trib_packing;

trib_packing trib_packing_of(int64_t weight_bytes, int64_t bias_bytes);

/* NULL where there is no bias. */
static inline void *trib_packed_bias(const trib_packing *packing, const void *packed)
{
    return packing->bias_offset ? (char *)packed + packing->bias_offset : NULL;
}

#endif

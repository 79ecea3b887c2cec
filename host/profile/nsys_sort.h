/* SPDX-License-Identifier: Apache-2.0
 * Sorts in place, in time proportional to the count whatever the order: reports have tens of millions of rows, and
 * qsort would need their memory twice. */
#ifndef TRIBUTARY_PROFILE_NSYS_SORT_H
#define TRIBUTARY_PROFILE_NSYS_SORT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Compared part by part. */
typedef struct trib_nsys_key {
    uint64_t part[3];
} trib_nsys_key;

enum { TRIB_NSYS_MAX_ITEM = 64 };

/* `size` of an item is at most TRIB_NSYS_MAX_ITEM. The order of equal keys may change. */
void trib_nsys_sort(void *items, size_t count, size_t size, trib_nsys_key (*key)(const void *item));

/* A signed number as a part of a key. */
static inline uint64_t trib_nsys_part(int64_t x) { return (uint64_t)x ^ (UINT64_C(1) << 63); }

#ifdef __cplusplus
}
#endif
#endif

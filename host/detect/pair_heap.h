/* SPDX-License-Identifier: Apache-2.0
 * Pairs of regions, the most similar one on top. */
#ifndef TRIBUTARY_DETECT_PAIR_HEAP_H
#define TRIBUTARY_DETECT_PAIR_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_similar_pair {
    float similarity;
    int32_t a, b; /* a < b */
} trib_similar_pair;

/* The caller's memory, with room for all pairs that are ever in it. */
typedef struct trib_pair_heap {
    trib_similar_pair *pairs;
    size_t count;
} trib_pair_heap;

/* x is taken before y: it is more similar or, if both are equally similar, has the lower a, then the lower b. */
bool trib_pair_before(const trib_similar_pair *x, const trib_similar_pair *y);
/* Makes a heap of `count` pairs in any order. */
void trib_pair_heap_build(trib_pair_heap *heap);
void trib_pair_heap_push(trib_pair_heap *heap, trib_similar_pair pair);
/* Of a heap that is not empty. */
trib_similar_pair trib_pair_heap_pop(trib_pair_heap *heap);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/pair_heap.h"

bool trib_pair_before(const trib_similar_pair *x, const trib_similar_pair *y)
{
    if (x->similarity != y->similarity) return x->similarity > y->similarity;
    if (x->a != y->a) return x->a < y->a;
    return x->b < y->b;
}

static void sift_down(trib_pair_heap *heap, size_t at)
{
    trib_similar_pair pair = heap->pairs[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count) break;
        if (child + 1 < heap->count && trib_pair_before(&heap->pairs[child + 1], &heap->pairs[child])) ++child;
        if (!trib_pair_before(&heap->pairs[child], &pair)) break;
        heap->pairs[at] = heap->pairs[child];
        at = child;
    }
    heap->pairs[at] = pair;
}

void trib_pair_heap_build(trib_pair_heap *heap)
{
    for (size_t i = heap->count / 2; i-- > 0;) sift_down(heap, i);
}

void trib_pair_heap_push(trib_pair_heap *heap, trib_similar_pair pair)
{
    size_t at = heap->count++;
    while (at > 0 && trib_pair_before(&pair, &heap->pairs[(at - 1) / 2])) {
        heap->pairs[at] = heap->pairs[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->pairs[at] = pair;
}

trib_similar_pair trib_pair_heap_pop(trib_pair_heap *heap)
{
    trib_similar_pair top = heap->pairs[0];
    heap->pairs[0] = heap->pairs[--heap->count];
    if (heap->count) sift_down(heap, 0);
    return top;
}

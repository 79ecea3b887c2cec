/* SPDX-License-Identifier: Apache-2.0
 * Indices of the k largest values: a heap of the best k so far with the worst of them on top (Williams 1964), so that
 * any k of any count takes count * log(k) steps and no memory but the result. */
#include <math.h>

#include "reference/reference.h"

/* Whether index a comes before index b in the result. NaN counts as smallest; equal values are ordered by index. */
static bool comes_before(const float *values, int a, int b)
{
    const bool a_nan = isnan(values[a]), b_nan = isnan(values[b]);
    if (a_nan || b_nan) return a_nan && b_nan ? a < b : b_nan;
    return values[a] > values[b] || (values[a] == values[b] && a < b);
}

/* Restores the heap below `node`, whose index may come before those under it. */
static void sift_down(const float *values, int *heap, int count, int node)
{
    while (node < count / 2) {
        int child = 2 * node + 1;
        if (child + 1 < count && comes_before(values, heap[child], heap[child + 1])) ++child;
        if (!comes_before(values, heap[node], heap[child])) return;
        int index = heap[node];
        heap[node] = heap[child];
        heap[child] = index;
        node = child;
    }
}

void trib_top_k(const float *values, int count, int k, int *indices)
{
    if (k <= 0) return;
    for (int i = 0; i < k; ++i) indices[i] = i;
    for (int node = k / 2 - 1; node >= 0; --node) sift_down(values, indices, k, node);
    for (int i = k; i < count; ++i) {
        if (!comes_before(values, i, indices[0])) continue;
        indices[0] = i;
        sift_down(values, indices, k, 0);
    }
    /* Each time, the worst goes to the end of the rest. */
    for (int left = k - 1; left > 0; --left) {
        int worst = indices[0];
        indices[0] = indices[left];
        indices[left] = worst;
        sift_down(values, indices, left, 0);
    }
}

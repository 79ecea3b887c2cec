/* SPDX-License-Identifier: Apache-2.0
 * Tributary: sorted edges to regions. */
#include "detect/segments.h"

#include "tributary/internal/alloc.h"

/* A component is a tree of its pixels. */
typedef struct forest {
    int32_t *parent; /* of a root: minus the component's pixels */
    int32_t *limit;  /* of a root: the heaviest edge that may join it, Int + k / size */
} forest;

static int32_t root_of(int32_t *parent, int32_t p)
{
    while (parent[p] >= 0) {
        int32_t up = parent[p];
        if (parent[up] >= 0) parent[p] = parent[up];
        p = up;
    }
    return p;
}

/* Joins two roots; returns the one that remains. */
static int32_t join(int32_t *parent, int32_t a, int32_t b)
{
    if (parent[a] > parent[b]) { /* a is smaller */
        int32_t other = a;
        a = b, b = other;
    }
    parent[a] += parent[b];
    parent[b] = a;
    return a;
}

typedef struct ends {
    int32_t a, b;
} ends;

static ends roots_of(const trib_edges *edges, int32_t *parent, uint32_t edge)
{
    int32_t from = (int32_t)(edge >> 1), to = from + (edge & 1 ? edges->width : 1);
    return (ends) { root_of(parent, from), root_of(parent, to) };
}

/* Edges that joined nothing, in the same order, go to `rest`; returns their number. */
static size_t join_similar(const trib_edges *edges, int k, forest *f, uint32_t *rest)
{
    size_t left = 0;
    for (size_t i = 0; i < edges->count; ++i) {
        int32_t w = edges->weights[i];
        ends e = roots_of(edges, f->parent, edges->edges[i]);
        if (e.a == e.b) continue;
        if (w > f->limit[e.a] || w > f->limit[e.b]) {
            rest[left++] = edges->edges[i];
            continue;
        }
        int32_t root = join(f->parent, e.a, e.b);
        f->limit[root] = w + k * TRIB_SEGMENT_UNIT / -f->parent[root];
    }
    return left;
}

static void join_small(const trib_edges *edges, int k, int32_t *parent, const uint32_t *rest, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        ends e = roots_of(edges, parent, rest[i]);
        if (e.a != e.b && (-parent[e.a] < k || -parent[e.b] < k)) join(parent, e.a, e.b);
    }
}

/* `number`: one for each pixel, overwritten. Returns how many regions there are. */
static int number_regions(int32_t *parent, int32_t pixels, int32_t *number, int32_t *labels)
{
    int count = 0;
    for (int32_t p = 0; p < pixels; ++p) number[p] = -1;
    for (int32_t p = 0; p < pixels; ++p) {
        int32_t root = root_of(parent, p);
        if (number[root] < 0) number[root] = count++;
        labels[p] = number[root];
    }
    return count;
}

trib_status trib_segments_make(const trib_edges *edges, int k, int32_t *labels, int *count)
{
    int32_t pixels = edges->width * edges->height;
    forest f = { trib_alloc((size_t)pixels * sizeof *f.parent), trib_alloc((size_t)pixels * sizeof *f.limit) };
    uint32_t *rest = trib_alloc(edges->count * sizeof *rest);
    bool enough = f.parent && f.limit && rest;
    if (enough) {
        for (int32_t p = 0; p < pixels; ++p) f.parent[p] = -1, f.limit[p] = k * TRIB_SEGMENT_UNIT;
        size_t left = join_similar(edges, k, &f, rest);
        join_small(edges, k, f.parent, rest, left);
        *count = number_regions(f.parent, pixels, f.limit, labels);
    }
    trib_free(f.parent);
    trib_free(f.limit);
    trib_free(rest);
    return enough ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the start regions of an image");
}

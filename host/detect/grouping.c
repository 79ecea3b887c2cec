/* SPDX-License-Identifier: Apache-2.0
 * Tributary: hierarchical grouping.
 *
 * Regions that exist have a slot: at first that of their number, then the slot of one of the two they were merged from.
 * A slot that was given up leads to the one that took it over. The neighbours of a region are a linked list of slots;
 * a merge chains two lists and drops what has become double. A pair in the heap whose regions no longer exist is passed
 * over when it comes up, and all of them are thrown out when the heap is full: neighbours are the edges of a planar
 * graph, so that of n regions there are fewer than 3 n pairs. */
#include "detect/grouping.h"

#include <string.h>

#include "detect/pair_heap.h"
#include "tributary/internal/alloc.h"

enum { NONE = -1, TAKEN_OVER = -1 };

typedef struct neighbour {
    int32_t slot, next; /* index of a neighbour, or NONE */
} neighbour;

typedef struct slot {
    int32_t region;            /* its number, or TAKEN_OVER */
    int32_t led_to;            /* slot that took this one over */
    int32_t size, first, last; /* in pixels; the list of neighbours */
    int32_t seen;              /* number of the merged region whose list has this slot */
} slot;

typedef struct grouping {
    const trib_regions *regions;
    bool colour, texture, size, fill;
    trib_proposal *boxes; /* by region */
    slot *slots;
    int32_t *slot_of; /* by region */
    neighbour *neighbours;
    int32_t *histograms; /* by slot */
    trib_pair_heap heap;
    size_t capacity; /* of the heap */
} grouping;

/* ---- similarities ---- */

/* The sum of the lesser of two histograms, each times its scale. Eight sums side by side, so that the order of
 * additions does not depend on the compiler's vectors. */
static float common(const int32_t *a, float a_scale, const int32_t *b, float b_scale, int bins)
{
    float sums[TRIB_HISTOGRAM_STEP] = { 0 };
    for (int i = 0; i < bins; i += TRIB_HISTOGRAM_STEP)
        for (int j = 0; j < TRIB_HISTOGRAM_STEP; ++j) {
            float x = (float)a[i + j] * a_scale, y = (float)b[i + j] * b_scale;
            sums[j] += x < y ? x : y;
        }
    return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

static trib_proposal around(trib_proposal a, trib_proposal b)
{
    if (b.x0 < a.x0) a.x0 = b.x0;
    if (b.y0 < a.y0) a.y0 = b.y0;
    if (b.x1 > a.x1) a.x1 = b.x1;
    if (b.y1 > a.y1) a.y1 = b.y1;
    return a;
}

static float share_left(const trib_regions *regions, int64_t pixels)
{
    return 1.0f - (float)pixels / (float)regions->pixels;
}

/* Channels have equal weights, and so have directions. */
static float histogram_similarity(const grouping *g, int32_t a, int32_t b)
{
    const trib_regions *r = g->regions;
    size_t stride = (size_t)(r->colour_bins + r->texture_bins);
    const int32_t *x = g->histograms + (size_t)a * stride, *y = g->histograms + (size_t)b * stride;
    float x_scale = 1.0f / (float)g->slots[a].size, y_scale = 1.0f / (float)g->slots[b].size, sum = 0;
    if (g->colour) sum += common(x, x_scale, y, y_scale, r->colour_bins) / (float)r->channels;
    x += r->colour_bins, y += r->colour_bins;
    if (g->texture) sum += common(x, x_scale, y, y_scale, r->texture_bins) / (float)(8 * r->channels);
    return sum;
}

static float similarity(const grouping *g, int32_t a, int32_t b)
{
    const slot *x = &g->slots[a], *y = &g->slots[b];
    int64_t together = (int64_t)x->size + y->size;
    float sum = g->colour || g->texture ? histogram_similarity(g, a, b) : 0;
    if (g->size) sum += share_left(g->regions, together);
    if (!g->fill) return sum;
    trib_proposal box = around(g->boxes[x->region], g->boxes[y->region]);
    return sum + share_left(g->regions, (int64_t)(box.x1 - box.x0) * (box.y1 - box.y0) - together);
}

/* ---- the heap ---- */

static bool exists(const grouping *g, int32_t region) { return g->slots[g->slot_of[region]].region == region; }

static bool both_exist(const grouping *g, const trib_similar_pair *pair)
{
    return exists(g, pair->a) && exists(g, pair->b);
}

static void throw_out(grouping *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->heap.count; ++i)
        if (both_exist(g, &g->heap.pairs[i])) g->heap.pairs[kept++] = g->heap.pairs[i];
    g->heap.count = kept;
    trib_pair_heap_build(&g->heap);
}

/* ---- merging ---- */

static int32_t current_slot(slot *slots, int32_t at)
{
    while (slots[at].region == TAKEN_OVER) {
        int32_t to = slots[at].led_to;
        if (slots[to].region == TAKEN_OVER) slots[at].led_to = slots[to].led_to;
        at = to;
    }
    return at;
}

static void add_histogram(const grouping *g, int32_t to, int32_t from)
{
    size_t stride = (size_t)(g->regions->colour_bins + g->regions->texture_bins);
    int32_t *x = g->histograms + (size_t)to * stride;
    const int32_t *y = g->histograms + (size_t)from * stride;
    for (size_t i = 0; i < stride; ++i) x[i] += y[i];
}

/* Neither list is empty: each has the other region. */
static void chain_lists(grouping *g, slot *to, const slot *from)
{
    g->neighbours[to->last].next = from->first;
    to->last = from->last;
}

/* Merges the pair's regions into region `made`; returns its slot. */
static int32_t merge(grouping *g, const trib_similar_pair *pair, int32_t made)
{
    int32_t keep = g->slot_of[pair->a], give = g->slot_of[pair->b];
    slot *to = &g->slots[keep], *from = &g->slots[give];
    if (g->histograms) add_histogram(g, keep, give);
    g->boxes[made] = around(g->boxes[pair->a], g->boxes[pair->b]);
    chain_lists(g, to, from);
    to->size += from->size;
    to->region = made;
    from->region = TAKEN_OVER;
    from->led_to = keep;
    g->slot_of[made] = keep;
    return keep;
}

/* Walks the list of the region in slot `at`, drops what is double or the region itself, and adds its pairs. */
static void pair_with_neighbours(grouping *g, int32_t at)
{
    slot *s = &g->slots[at];
    int32_t *link = &s->first, last = NONE;
    while (*link != NONE) {
        neighbour *n = &g->neighbours[*link];
        n->slot = current_slot(g->slots, n->slot);
        slot *other = &g->slots[n->slot];
        if (n->slot == at || other->seen == s->region) {
            *link = n->next;
            continue;
        }
        other->seen = s->region;
        if (g->heap.count == g->capacity) throw_out(g);
        trib_pair_heap_push(&g->heap, (trib_similar_pair) { similarity(g, at, n->slot), other->region, s->region });
        last = *link;
        link = &n->next;
    }
    s->last = last;
}

static void merge_all(grouping *g)
{
    int32_t made = g->regions->count;
    while (g->heap.count) {
        trib_similar_pair pair = trib_pair_heap_pop(&g->heap);
        if (!both_exist(g, &pair)) continue;
        pair_with_neighbours(g, merge(g, &pair, made));
        ++made;
    }
}

/* ---- the start ---- */

static void add_neighbour(grouping *g, int32_t index, int32_t from, int32_t to)
{
    slot *s = &g->slots[from];
    g->neighbours[index] = (neighbour) { to, s->first };
    if (s->first == NONE) s->last = index;
    s->first = index;
}

static void start(grouping *g)
{
    const trib_regions *r = g->regions;
    for (int32_t i = 0; i < r->count; ++i) {
        g->slots[i] = (slot) { .region = i, .size = r->sizes[i], .first = NONE, .last = NONE, .seen = NONE };
        g->slot_of[i] = i;
        g->boxes[i] = r->boxes[i];
    }
    for (size_t i = 0; i < r->pair_count; ++i) {
        trib_region_pair p = r->pairs[i];
        add_neighbour(g, (int32_t)(2 * i), p.a, p.b);
        add_neighbour(g, (int32_t)(2 * i + 1), p.b, p.a);
        g->heap.pairs[i] = (trib_similar_pair) { similarity(g, p.a, p.b), p.a, p.b };
    }
    g->heap.count = r->pair_count;
    trib_pair_heap_build(&g->heap);
}

static bool allocate(grouping *g)
{
    const trib_regions *r = g->regions;
    size_t n = (size_t)r->count, bytes = n * (size_t)(r->colour_bins + r->texture_bins) * sizeof *g->histograms;
    g->capacity = 6 * n;
    g->slots = trib_alloc(n * sizeof *g->slots);
    g->slot_of = trib_alloc(2 * n * sizeof *g->slot_of);
    g->neighbours = trib_alloc(2 * r->pair_count * sizeof *g->neighbours);
    g->heap.pairs = trib_alloc(g->capacity * sizeof *g->heap.pairs);
    if (g->colour || g->texture) {
        g->histograms = trib_alloc(bytes);
        if (!g->histograms) return false;
        memcpy(g->histograms, r->histograms, bytes);
    }
    return g->slots && g->slot_of && g->neighbours && g->heap.pairs;
}

trib_status trib_group_regions(const trib_regions *regions, unsigned similarities, trib_proposal *boxes)
{
    grouping g = { .regions = regions, .boxes = boxes };
    g.colour = similarities & TRIB_BY_COLOUR;
    g.texture = similarities & TRIB_BY_TEXTURE;
    g.size = similarities & TRIB_BY_SIZE;
    g.fill = similarities & TRIB_BY_FILL;
    bool enough = allocate(&g);
    if (enough) {
        start(&g);
        merge_all(&g);
    }
    trib_free(g.slots);
    trib_free(g.slot_of);
    trib_free(g.neighbours);
    trib_free(g.heap.pairs);
    trib_free(g.histograms);
    return enough ? trib_success() : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to group %d regions", regions->count);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/box_set.h"

#include <stdlib.h>

#include "image/draw.h"
#include "tributary/internal/alloc.h"

enum { FIRST_TABLE = 1024 };

void trib_box_set_release(trib_box_set *set)
{
    trib_free(set->boxes);
    trib_free(set->table);
    *set = (trib_box_set) { 0 };
}

static bool same(const trib_proposal *a, const trib_proposal *b)
{
    return a->x0 == b->x0 && a->y0 == b->y0 && a->x1 == b->x1 && a->y1 == b->y1;
}

/* The entry of the box, or the free one where it belongs. */
static uint32_t *entry(const trib_box_set *set, const trib_proposal *box)
{
    uint64_t corners[2] = { (uint64_t)box->x0 << 32 | (uint32_t)box->y0, (uint64_t)box->x1 << 32 | (uint32_t)box->y1 };
    size_t at = (size_t)trib_key_with(corners[0], corners[1]);
    for (;; ++at) {
        uint32_t *e = &set->table[at & (set->table_size - 1)];
        if (!*e || same(&set->boxes[*e - 1].box, box)) return e;
    }
}

/* Keeps at least half of the table free. */
static bool grow_table(trib_box_set *set)
{
    if (2 * (set->count + 1) <= set->table_size) return true;
    size_t size = set->table_size ? 2 * set->table_size : FIRST_TABLE;
    uint32_t *table = trib_alloc_zeroed(size, sizeof *table);
    if (!table) return false;
    trib_free(set->table);
    set->table = table;
    set->table_size = size;
    for (size_t i = 0; i < set->count; ++i) *entry(set, &set->boxes[i].box) = (uint32_t)i + 1;
    return true;
}

trib_status trib_box_set_add(trib_box_set *set, uint64_t rank, trib_proposal box)
{
    if (!grow_table(set) || trib_grow((void **)&set->boxes, &set->capacity, set->count + 1, sizeof *set->boxes))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu proposals", set->count + 1);
    uint32_t *e = entry(set, &box);
    if (!*e) {
        set->boxes[set->count] = (trib_ranked_box) { rank, box };
        *e = (uint32_t)++set->count;
    } else if (rank < set->boxes[*e - 1].rank) {
        set->boxes[*e - 1].rank = rank;
    }
    return trib_success();
}

static int in_order(const void *a, const void *b)
{
    const trib_ranked_box *x = a, *y = b;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    if (x->box.y0 != y->box.y0) return x->box.y0 < y->box.y0 ? -1 : 1;
    if (x->box.x0 != y->box.x0) return x->box.x0 < y->box.x0 ? -1 : 1;
    if (x->box.y1 != y->box.y1) return x->box.y1 < y->box.y1 ? -1 : 1;
    return (x->box.x1 > y->box.x1) - (x->box.x1 < y->box.x1);
}

void trib_box_set_sort(trib_box_set *set)
{
    if (set->count) qsort(set->boxes, set->count, sizeof *set->boxes, in_order);
}

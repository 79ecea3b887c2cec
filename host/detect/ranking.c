/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/ranking.h"

#include <stdlib.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"

static int by_number(int a, int b) { return (a > b) - (a < b); }

static int by_falling_score(const trib_ranked *a, const trib_ranked *b)
{
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    return (a->at > b->at) - (a->at < b->at);
}

static int by_image(const void *first, const void *second)
{
    const trib_ranked *a = first, *b = second;
    if (a->category != b->category) return by_number(a->category, b->category);
    return a->image != b->image ? by_number(a->image, b->image) : by_falling_score(a, b);
}

static int by_score(const void *first, const void *second)
{
    const trib_ranked *a = first, *b = second;
    return a->category != b->category ? by_number(a->category, b->category) : by_falling_score(a, b);
}

trib_status trib_rank_truths(const trib_truths *truths, trib_ranked **out)
{
    trib_ranked *list = trib_realloc_array(NULL, truths->count + 1, sizeof *list);
    if (!list) return trib_no_memory("the order of boxes");
    for (size_t i = 0; i < truths->count; ++i)
        list[i] = (trib_ranked) { 0, truths->items[i].image, truths->items[i].category, i };
    qsort(list, truths->count, sizeof *list, by_image);
    *out = list;
    return trib_success();
}

static trib_status rank(const trib_detections *detections, int (*compare)(const void *, const void *),
                        trib_ranked **out)
{
    trib_ranked *list = trib_realloc_array(NULL, detections->count + 1, sizeof *list);
    if (!list) return trib_no_memory("the order of detections");
    for (size_t i = 0; i < detections->count; ++i) {
        const trib_detection *d = &detections->items[i];
        list[i] = (trib_ranked) { d->score, d->image, d->category, i };
    }
    qsort(list, detections->count, sizeof *list, compare);
    *out = list;
    return trib_success();
}

trib_status trib_rank_by_image(const trib_detections *detections, trib_ranked **out)
{
    return rank(detections, by_image, out);
}

trib_status trib_rank_by_score(const trib_detections *detections, trib_ranked **out)
{
    return rank(detections, by_score, out);
}

/* The first element that is not before (category, image); image -1: that is not before the category. */
static size_t first_from(const trib_ranked *ranked, size_t count, int category, int image)
{
    size_t low = 0;
    while (count > low) {
        const size_t middle = low + (count - low) / 2;
        const trib_ranked *r = &ranked[middle];
        if (r->category < category || (r->category == category && image >= 0 && r->image < image))
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

trib_span trib_span_of_category(const trib_ranked *ranked, size_t count, int category)
{
    const size_t first = first_from(ranked, count, category, -1);
    return (trib_span) { first, first_from(ranked, count, category + 1, -1) - first };
}

trib_span trib_span_of_image(const trib_ranked *ranked, size_t count, int category, int image)
{
    const size_t first = first_from(ranked, count, category, image);
    size_t end = first;
    while (end < count && ranked[end].category == category && ranked[end].image == image) ++end;
    return (trib_span) { first, end - first };
}

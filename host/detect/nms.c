/* SPDX-License-Identifier: Apache-2.0
 *
 * Boxes of all classes are taken from the surest on, and compared with those of their class that remain so far. Once
 * most_boxes remain, no later box can be among the surest. */
#include "detect/nms.h"

#include <stdlib.h>

#include "tributary/internal/alloc.h"

typedef struct candidate {
    trib_scored_box scored;
    size_t order;
} candidate;

static int surest_first(const void *first, const void *second)
{
    const candidate *a = first, *b = second;
    if (a->scored.score != b->scored.score) return a->scored.score > b->scored.score ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static bool is_suppressed(const trib_nms_options *options, const trib_scored_box *kept, size_t count,
                          const trib_scored_box *box)
{
    for (size_t i = 0; i < count; ++i)
        if (kept[i].klass == box->klass && trib_box_iou(&kept[i].box, &box->box) > options->overlap) return true;
    return false;
}

trib_status trib_nms(const trib_nms_options *options, trib_scored_box *boxes, size_t count, size_t *kept)
{
    *kept = 0;
    if (!count) return trib_success();
    candidate *sorted = trib_realloc_array(NULL, count, sizeof *sorted);
    if (!sorted) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu boxes of an image", count);
    for (size_t i = 0; i < count; ++i) sorted[i] = (candidate) { boxes[i], i };
    qsort(sorted, count, sizeof *sorted, surest_first);
    for (size_t i = 0; i < count && *kept < (size_t)options->most_boxes; ++i)
        if (!is_suppressed(options, boxes, *kept, &sorted[i].scored)) boxes[(*kept)++] = sorted[i].scored;
    trib_free(sorted);
    return trib_success();
}

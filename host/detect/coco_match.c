/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/coco_match.h"

#include <math.h>
#include <string.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"

/* One image. */
typedef struct image {
    const trib_truths *truths;
    const trib_ranked *wanted;
    size_t wanted_count;
    const trib_detections *detections;
    const trib_ranked *found;
    size_t found_count;
    trib_coco_scratch *scratch;
} image;

void trib_coco_scratch_release(trib_coco_scratch *scratch)
{
    trib_free(scratch->iou);
    trib_free(scratch->order);
    trib_free(scratch->taken);
    *scratch = (trib_coco_scratch) { 0 };
}

double trib_coco_iou(int i)
{
    const double first = 0.5, last = 0.95;
    return i == TRIB_COCO_IOUS - 1 ? last : i * ((last - first) / (TRIB_COCO_IOUS - 1)) + first;
}

bool trib_coco_is_of_size(double area, trib_coco_size size)
{
    static const double from[TRIB_COCO_SIZES] = { 0, 0, 32 * 32, 96 * 96 };
    static const double to[TRIB_COCO_SIZES] = { 1e10, 32 * 32, 96 * 96, 1e10 };
    return area >= from[size] && area <= to[size];
}

static const trib_truth *truth_of(const image *im, size_t i) { return &im->truths->items[im->wanted[i].at]; }
static const trib_box *box_of(const image *im, size_t i) { return &im->detections->items[im->found[i].at].box; }

static bool is_ignored(const image *im, size_t truth, trib_coco_size size)
{
    return truth_of(im, truth)->crowd || !trib_coco_is_of_size(truth_of(im, truth)->area, size);
}

static double overlap(const trib_box *found, const trib_truth *truth)
{
    if (!truth->crowd) return trib_box_iou(found, &truth->box);
    const double shared = trib_box_intersection(found, &truth->box);
    return shared > 0 ? shared / trib_box_area(found) : 0;
}

static trib_status prepare(const image *im)
{
    trib_coco_scratch *s = im->scratch;
    const size_t n = im->wanted_count;
    if ((n && im->found_count > SIZE_MAX / n) ||
        trib_grow((void **)&s->iou, &s->iou_capacity, im->found_count * n, sizeof *s->iou) ||
        trib_grow((void **)&s->order, &s->order_capacity, n, sizeof *s->order) ||
        trib_grow((void **)&s->taken, &s->taken_capacity, n, sizeof *s->taken))
        return trib_no_memory("overlaps of boxes");
    for (size_t d = 0; d < im->found_count; ++d)
        for (size_t t = 0; t < n; ++t) s->iou[d * n + t] = overlap(box_of(im, d), truth_of(im, t));
    return trib_success();
}

/* Truths that count, then those that are ignored; returns how many count. */
static size_t order_truths(const image *im, trib_coco_size size)
{
    size_t count = 0, counting = 0;
    for (int ignored = 0; ignored < 2; ++ignored) {
        for (size_t t = 0; t < im->wanted_count; ++t)
            if (is_ignored(im, t, size) == (ignored == 1)) im->scratch->order[count++] = t;
        if (!ignored) counting = count;
    }
    return counting;
}

/* The place in `order`, first .. end - 1, of the truth that detection `d` takes with an overlap of at least *least,
 * which is raised to it; `none` if there is none. */
static size_t best_of(const image *im, size_t d, size_t first, size_t end, size_t none, double *least)
{
    const trib_coco_scratch *s = im->scratch;
    size_t best = none;
    for (size_t i = first; i < end; ++i) {
        const size_t t = s->order[i];
        const double iou = s->iou[d * im->wanted_count + t];
        if ((s->taken[i] && !truth_of(im, t)->crowd) || iou < *least) continue;
        *least = iou;
        best = i;
    }
    return best;
}

static void match_at(const image *im, trib_coco_size size, size_t counting, int overlap_at, trib_coco_entry *entries)
{
    const size_t n = im->wanted_count;
    if (n) memset(im->scratch->taken, 0, n * sizeof *im->scratch->taken);
    for (size_t d = 0; d < im->found_count; ++d) {
        double least = fmin(trib_coco_iou(overlap_at), 1 - 1e-10);
        size_t best = best_of(im, d, 0, counting, n, &least);
        if (best == n) best = best_of(im, d, counting, n, n, &least);
        const bool outside = !trib_coco_is_of_size(trib_box_area(box_of(im, d)), size);
        unsigned char *verdict = &entries[d].verdict[size][overlap_at];
        if (best < n) {
            im->scratch->taken[best] = true;
            *verdict = best < counting ? TRIB_COCO_HIT : TRIB_COCO_IGNORED;
        } else {
            *verdict = outside ? TRIB_COCO_IGNORED : TRIB_COCO_MISS;
        }
    }
}

trib_status trib_coco_match(const trib_truths *truths, const trib_ranked *wanted, size_t wanted_count,
                            const trib_detections *detections, const trib_ranked *found, size_t found_count,
                            trib_coco_scratch *scratch, trib_coco_entry *entries)
{
    const image im = { truths, wanted, wanted_count, detections, found, found_count, scratch };
    TRIB_TRY(prepare(&im));
    for (size_t d = 0; d < found_count; ++d) {
        entries[d].score = found[d].score;
        entries[d].image = found[d].image;
        entries[d].rank = (int)d;
    }
    for (int size = 0; size < TRIB_COCO_SIZES; ++size) {
        const size_t counting = order_truths(&im, (trib_coco_size)size);
        for (int i = 0; i < TRIB_COCO_IOUS; ++i) match_at(&im, (trib_coco_size)size, counting, i, entries);
    }
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/proposals.h"

#include <math.h>

#include "data/input.h"
#include "detect/by_image.h"
#include "detect/coco_ap.h"
#include "tributary/internal/alloc.h"

typedef struct class_sum {
    double best;
    size_t count;
} class_sum;

static double best_overlap(const trib_truth *truth, const trib_detections *proposals, const trib_by_image *places)
{
    double best = 0;
    for (size_t i = places->first[truth->image]; i < places->first[truth->image + 1]; ++i)
        best = fmax(best, trib_box_iou(&truth->box, &proposals->items[places->list[i]].box));
    return best;
}

static void add_truth(trib_coverage *sum, class_sum *of_class, double best)
{
    ++sum->truths;
    sum->best_overlap += best;
    sum->recall50 += best >= 0.5;
    sum->recall70 += best >= 0.7;
    for (int i = 0; i < TRIB_COCO_IOUS; ++i) sum->recall_mean += best >= trib_coco_iou(i);
    of_class->best += best;
    ++of_class->count;
}

static void average(trib_coverage *c, const class_sum *classes, size_t count, double *abo)
{
    size_t with = 0;
    for (size_t i = 0; i < count; ++i) {
        const double mean = classes[i].count ? classes[i].best / (double)classes[i].count : -1;
        if (abo) abo[i] = mean;
        if (!classes[i].count) continue;
        c->mabo += mean;
        ++with;
    }
    const double n = (double)c->truths;
    c->mabo = with ? c->mabo / (double)with : -1;
    c->recall50 = with ? c->recall50 / n : -1;
    c->recall70 = with ? c->recall70 / n : -1;
    c->recall_mean = with ? c->recall_mean / (TRIB_COCO_IOUS * n) : -1;
    c->best_overlap = with ? c->best_overlap / n : -1;
}

static trib_status cover(const trib_truths *truths, const trib_detections *proposals, trib_by_image *places,
                         class_sum *classes, trib_coverage *out)
{
    if (!classes) return trib_no_memory("overlaps per class");
    TRIB_TRY(trib_detections_by_image(truths, proposals, places));
    for (size_t i = 0; i < truths->count; ++i) {
        const trib_truth *t = &truths->items[i];
        if (!t->difficult && !t->crowd) add_truth(out, &classes[t->category], best_overlap(t, proposals, places));
    }
    return trib_success();
}

trib_status trib_coverage_compute(const trib_truths *truths, const trib_detections *proposals, trib_coverage *out,
                                  double *abo)
{
    trib_by_image places = { 0 };
    trib_coverage sum = { 0 };
    class_sum *classes = trib_alloc_zeroed(truths->category_count + 1, sizeof *classes);
    trib_status s = cover(truths, proposals, &places, classes, &sum);
    if (!trib_failed(&s)) {
        average(&sum, classes, truths->category_count, abo);
        sum.per_image = truths->image_count ? (double)proposals->count / (double)truths->image_count : -1;
        *out = sum;
    }
    trib_by_image_release(&places);
    trib_free(classes);
    return s;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/coco_ap.h"

#include <stdlib.h>

#include "data/input.h"
#include "detect/coco_match.h"
#include "tributary/internal/alloc.h"

typedef struct evaluation {
    const trib_truths *truths;
    const trib_detections *detections;
    const int *most;
    trib_ranked *wanted, *found; /* by category and image */
    trib_coco_scratch scratch;
    trib_coco_entry *entries; /* of the class at hand */
    size_t capacity, count;
    trib_precision_recall curve;
} evaluation;

/* ---- one class ---- */

static int by_score(const void *first, const void *second)
{
    const trib_coco_entry *a = first, *b = second;
    if (a->score != b->score) return a->score > b->score ? -1 : 1;
    if (a->image != b->image) return a->image > b->image ? 1 : -1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

/* Fills the entries with all detections of a class that may count. */
static trib_status match_class(evaluation *e, int category, trib_span found)
{
    const size_t end = found.first + found.count;
    e->count = 0;
    if (trib_grow((void **)&e->entries, &e->capacity, found.count, sizeof *e->entries))
        return trib_no_memory("detections of a class");
    for (size_t i = found.first, next; i < end; i = next) {
        for (next = i + 1; next < end && e->found[next].image == e->found[i].image;) ++next;
        const size_t all = next - i, kept = all < (size_t)e->most[2] ? all : (size_t)e->most[2];
        const trib_span wanted = trib_span_of_image(e->wanted, e->truths->count, category, e->found[i].image);
        TRIB_TRY(trib_coco_match(e->truths, e->wanted + wanted.first, wanted.count, e->detections, e->found + i, kept,
                                 &e->scratch, e->entries + e->count));
        e->count += kept;
    }
    if (e->count) qsort(e->entries, e->count, sizeof *e->entries, by_score);
    return trib_success();
}

static size_t count_wanted(const evaluation *e, trib_span wanted, trib_coco_size size)
{
    size_t count = 0;
    for (size_t i = wanted.first; i < wanted.first + wanted.count; ++i) {
        const trib_truth *t = &e->truths->items[e->wanted[i].at];
        count += !t->crowd && trib_coco_is_of_size(t->area, size);
    }
    return count;
}

static trib_status curve_of(evaluation *e, size_t truths, trib_coco_size size, int most, int iou)
{
    TRIB_TRY(trib_precision_recall_start(&e->curve, truths, e->count));
    for (size_t i = 0; i < e->count; ++i) {
        const trib_coco_entry *entry = &e->entries[i];
        if (entry->rank < most && entry->verdict[size][iou] != TRIB_COCO_IGNORED)
            trib_precision_recall_add(&e->curve, entry->score, entry->verdict[size][iou] == TRIB_COCO_HIT);
    }
    return trib_success();
}

static double last_recall(const trib_precision_recall *curve)
{
    if (!curve->truths) return -1;
    return curve->count ? trib_recall_at(curve, curve->count - 1) : 0;
}

/* Means over the ten overlaps. */
static trib_status average_over_ious(evaluation *e, size_t truths, trib_coco_size size, int most, trib_coco_class *out,
                                     double *ap, double *recall)
{
    double aps = 0, recalls = 0;
    for (int i = 0; i < TRIB_COCO_IOUS; ++i) {
        TRIB_TRY(curve_of(e, truths, size, most, i));
        aps += trib_average_precision_101(&e->curve, out ? out->best_precision[i] : NULL);
        recalls += last_recall(&e->curve);
    }
    *ap = truths ? aps / TRIB_COCO_IOUS : -1;
    *recall = truths ? recalls / TRIB_COCO_IOUS : -1;
    return trib_success();
}

static double mean_of(const double *points)
{
    double sum = 0;
    for (int i = 0; i < TRIB_RECALL_POINTS; ++i) sum += points[i];
    return sum / TRIB_RECALL_POINTS;
}

static trib_status one_class(evaluation *e, int category, trib_coco_class *out)
{
    const trib_span wanted = trib_span_of_category(e->wanted, e->truths->count, category);
    TRIB_TRY(match_class(e, category, trib_span_of_category(e->found, e->detections->count, category)));
    trib_coco_numbers *n = &out->numbers;
    for (int size = 0; size < TRIB_COCO_SIZES; ++size) {
        const size_t truths = count_wanted(e, wanted, (trib_coco_size)size);
        TRIB_TRY(average_over_ious(e, truths, (trib_coco_size)size, e->most[2], size == TRIB_COCO_ALL ? out : NULL,
                                   &n->ap[size], &n->recall[size]));
    }
    const size_t truths = count_wanted(e, wanted, TRIB_COCO_ALL);
    double unused = 0;
    for (int m = 0; m < 2; ++m)
        TRIB_TRY(average_over_ious(e, truths, TRIB_COCO_ALL, e->most[m], NULL, &unused, &n->recall_of[m]));
    n->recall_of[2] = n->recall[TRIB_COCO_ALL];
    n->ap50 = mean_of(out->best_precision[0]);
    n->ap75 = mean_of(out->best_precision[5]);
    return trib_success();
}

/* ---- all classes ---- */

/* The mean of one number, at `offset` bytes, over the classes that have it. */
static double mean_number(const trib_coco_ap *ap, size_t offset)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < ap->count; ++i) {
        const double value = *(const double *)((const char *)&ap->classes[i].numbers + offset);
        if (value < 0) continue;
        sum += value;
        ++count;
    }
    return count ? sum / (double)count : -1;
}

static void average(trib_coco_ap *ap)
{
    for (size_t at = 0; at < sizeof ap->mean; at += sizeof(double))
        *(double *)((char *)&ap->mean + at) = mean_number(ap, at);
}

static trib_status all_classes(evaluation *e, trib_coco_ap *ap)
{
    TRIB_TRY(trib_rank_truths(e->truths, &e->wanted));
    TRIB_TRY(trib_rank_by_image(e->detections, &e->found));
    ap->classes = trib_alloc_zeroed(e->truths->category_count + 1, sizeof *ap->classes);
    if (!ap->classes) return trib_no_memory("average precision");
    for (; ap->count < e->truths->category_count; ++ap->count)
        TRIB_TRY(one_class(e, (int)ap->count, &ap->classes[ap->count]));
    average(ap);
    return trib_success();
}

trib_status trib_coco_ap_compute(const trib_truths *truths, const trib_detections *detections, const int most[3],
                                 trib_coco_ap *out)
{
    static const int usual[3] = { 1, 10, 100 };
    if (!most) most = usual;
    if (!(most[0] > 0 && most[0] <= most[1] && most[1] <= most[2]))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "at most %d, %d, %d detections an image: not three rising numbers from 1 on", most[0],
                          most[1], most[2]);
    TRIB_TRY(trib_boxes_check(truths, detections));
    evaluation e = { .truths = truths, .detections = detections, .most = most };
    trib_coco_ap ap = { 0 };
    trib_status s = all_classes(&e, &ap);
    trib_free(e.wanted);
    trib_free(e.found);
    trib_free(e.entries);
    trib_coco_scratch_release(&e.scratch);
    trib_precision_recall_release(&e.curve);
    if (trib_failed(&s))
        trib_coco_ap_release(&ap);
    else
        *out = ap;
    return s;
}

void trib_coco_ap_release(trib_coco_ap *ap)
{
    trib_free(ap->classes);
    *ap = (trib_coco_ap) { 0 };
}

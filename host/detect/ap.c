/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/ap.h"

#include <math.h>

#include "data/input.h"
#include "detect/ranking.h"
#include "tributary/internal/alloc.h"

typedef enum verdict { MISS, HIT, NEITHER } verdict;

typedef struct matching {
    const trib_truths *truths;
    const trib_detections *detections;
    trib_ap_rule rule;
    double iou;
    trib_ranked *truth_order, *order;
    bool *used; /* as truth_order */
} matching;

double trib_ilsvrc_threshold(const trib_box *box, double most)
{
    return fmin(most, trib_box_area(box) / ((box->width + 10) * (box->height + 10)));
}

static const trib_truth *truth_of(const matching *m, size_t i) { return &m->truths->items[m->truth_order[i].at]; }

static verdict match_voc(matching *m, const trib_box *box, trib_span span)
{
    size_t best = span.first;
    double most = -1;
    for (size_t i = span.first; i < span.first + span.count; ++i) {
        const double iou = trib_box_iou(box, &truth_of(m, i)->box);
        if (!(iou > most)) continue;
        most = iou;
        best = i;
    }
    if (!(most >= m->iou)) return MISS;
    if (truth_of(m, best)->difficult || truth_of(m, best)->crowd) return NEITHER;
    if (m->used[best]) return MISS;
    m->used[best] = true;
    return HIT;
}

static verdict match_ilsvrc(matching *m, const trib_box *box, trib_span span)
{
    size_t best = span.first;
    double most = 0; /* boxes that do not overlap do not match, whatever the threshold */
    for (size_t i = span.first; i < span.first + span.count; ++i) {
        const trib_box *truth = &truth_of(m, i)->box;
        const double iou = trib_box_iou(box, truth);
        const double threshold = m->rule == TRIB_AP_ILSVRC ? trib_ilsvrc_threshold(truth, m->iou) : m->iou;
        if (m->used[i] || !(iou >= threshold && iou > most)) continue;
        most = iou;
        best = i;
    }
    if (!(most > 0)) return MISS;
    m->used[best] = true;
    return HIT;
}

static bool is_voc(const matching *m) { return m->rule == TRIB_AP_VOC || m->rule == TRIB_AP_VOC2007; }

static size_t count_wanted(const matching *m, trib_span span)
{
    size_t count = span.count;
    for (size_t i = span.first; i < span.first + span.count; ++i)
        if (is_voc(m) && (truth_of(m, i)->difficult || truth_of(m, i)->crowd)) --count;
    return count;
}

static trib_status one_class(matching *m, int category, trib_class_ap *out)
{
    const trib_span wanted = trib_span_of_category(m->truth_order, m->truths->count, category);
    const trib_span found = trib_span_of_category(m->order, m->detections->count, category);
    TRIB_TRY(trib_precision_recall_start(&out->curve, count_wanted(m, wanted), found.count));
    for (size_t i = found.first; i < found.first + found.count; ++i) {
        const trib_ranked *d = &m->order[i];
        const trib_span span = trib_span_of_image(m->truth_order, m->truths->count, category, d->image);
        const trib_box *box = &m->detections->items[d->at].box;
        const verdict v = is_voc(m) ? match_voc(m, box, span) : match_ilsvrc(m, box, span);
        if (v != NEITHER) trib_precision_recall_add(&out->curve, d->score, v == HIT);
    }
    out->ap =
        m->rule == TRIB_AP_VOC2007 ? trib_average_precision_11(&out->curve) : trib_average_precision_area(&out->curve);
    return trib_success();
}

static void average(trib_ap *ap)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < ap->count; ++i) {
        if (ap->classes[i].ap < 0) continue;
        sum += ap->classes[i].ap;
        ++count;
    }
    ap->mean = count ? sum / (double)count : -1;
}

static trib_status all_classes(matching *m, trib_ap *ap)
{
    TRIB_TRY(trib_rank_truths(m->truths, &m->truth_order));
    TRIB_TRY(trib_rank_by_score(m->detections, &m->order));
    m->used = trib_alloc_zeroed(m->truths->count + 1, sizeof *m->used);
    ap->classes = trib_alloc_zeroed(m->truths->category_count + 1, sizeof *ap->classes);
    if (!m->used || !ap->classes) return trib_no_memory("average precision");
    for (; ap->count < m->truths->category_count; ++ap->count)
        TRIB_TRY(one_class(m, (int)ap->count, &ap->classes[ap->count]));
    average(ap);
    return trib_success();
}

trib_status trib_ap_compute(const trib_truths *truths, const trib_detections *detections, trib_ap_rule rule, double iou,
                            trib_ap *out)
{
    if (!(iou >= 0 && iou <= 1)) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "an overlap of %g is not in 0 .. 1", iou);
    TRIB_TRY(trib_boxes_check(truths, detections));
    matching m = { truths, detections, rule, iou > 0 ? iou : 0.5, NULL, NULL, NULL };
    trib_ap ap = { 0 };
    trib_status s = all_classes(&m, &ap);
    trib_free(m.truth_order);
    trib_free(m.order);
    trib_free(m.used);
    if (trib_failed(&s))
        trib_ap_release(&ap);
    else
        *out = ap;
    return s;
}

void trib_ap_release(trib_ap *ap)
{
    for (size_t i = 0; i < ap->count; ++i) trib_precision_recall_release(&ap->classes[i].curve);
    trib_free(ap->classes);
    *ap = (trib_ap) { 0 };
}

/* SPDX-License-Identifier: Apache-2.0
 * What eval --boxes computes. */
#include "detect/proposal_file.h"
#include "eval_boxes.h"
#include "tributary/internal/alloc.h"

void cli_box_scores_release(cli_box_scores *s)
{
    trib_truth_close(&s->truth);
    trib_detections_close(&s->found);
    trib_ap_release(&s->ap);
    trib_coco_ap_release(&s->coco);
    trib_free(s->with);
    trib_free(s->counts);
    trib_free(s->best_overlap);
}

const char *cli_box_rule_name(cli_box_rule rule)
{
    static const char *const names[] = { "voc2007", "voc", "coco", "ilsvrc" };
    return names[rule];
}

double cli_box_ap(const cli_box_scores *s, size_t class)
{
    return s->rule == CLI_RULE_COCO ? s->coco.classes[class].numbers.ap[TRIB_COCO_ALL] : s->ap.classes[class].ap;
}

double cli_box_map(const cli_box_scores *s)
{
    return s->rule == CLI_RULE_COCO ? s->coco.mean.ap[TRIB_COCO_ALL] : s->ap.mean;
}

double cli_box_recall(const cli_box_scores *s, size_t class)
{
    if (s->rule == CLI_RULE_COCO) return s->coco.classes[class].numbers.recall[TRIB_COCO_ALL];
    const trib_precision_recall *curve = &s->ap.classes[class].curve;
    if (!curve->truths) return -1;
    return curve->count ? trib_recall_at(curve, curve->count - 1) : 0;
}

static bool is_aside(cli_box_rule rule, const trib_truth *t)
{
    switch (rule) {
    case CLI_RULE_COCO: return t->crowd;
    case CLI_RULE_ILSVRC: return false;
    default: return t->difficult || t->crowd;
    }
}

static trib_status count(cli_box_scores *s)
{
    const trib_truths *t = &s->truth.truths;
    s->counts = trib_alloc_zeroed(t->category_count + 1, sizeof *s->counts);
    if (!s->counts) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the counts of %zu classes", t->category_count);
    for (size_t i = 0; i < t->count; ++i) {
        cli_box_counts *of_class = &s->counts[t->items[i].category];
        const bool aside = is_aside(s->rule, &t->items[i]);
        ++*(aside ? &of_class->aside : &of_class->truths);
        ++*(aside ? &s->all.aside : &s->all.truths);
    }
    for (size_t i = 0; i < s->found.detections.count; ++i)
        ++s->counts[s->found.detections.items[i].category].detections;
    s->all.detections = s->found.detections.count;
    for (size_t c = 0; c < t->category_count; ++c) s->classes += s->counts[c].truths > 0;
    return trib_success();
}

/* A threshold of one's own for ILSVRC is that of objects of all sizes. */
static trib_ap_rule rule_of(const cli_box_scores *s)
{
    if (s->rule == CLI_RULE_ILSVRC) return s->iou > 0 ? TRIB_AP_ILSVRC_PLAIN : TRIB_AP_ILSVRC;
    return s->rule == CLI_RULE_VOC2007 ? TRIB_AP_VOC2007 : TRIB_AP_VOC;
}

trib_status cli_box_scores_compute(cli_box_scores *s)
{
    const trib_truths *truths = &s->truth.truths;
    TRIB_TRY(count(s));
    if (s->rule == CLI_RULE_COCO) return trib_coco_ap_compute(truths, &s->found.detections, NULL, &s->coco);
    return trib_ap_compute(truths, &s->found.detections, rule_of(s), s->iou, &s->ap);
}

trib_status cli_box_scores_cover(cli_box_scores *s, const char *path)
{
    trib_proposal_file file;
    const trib_truths *truths = &s->truth.truths;
    TRIB_TRY(trib_proposals_open(path, truths, &file));
    s->best_overlap = trib_alloc_zeroed(truths->category_count + 1, sizeof *s->best_overlap);
    trib_status status = s->best_overlap
                             ? trib_coverage_compute(truths, &file.proposals, &s->coverage, s->best_overlap)
                             : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for %zu classes", truths->category_count);
    s->proposed = file.images;
    s->passed_over = file.passed_over;
    s->has_coverage = !trib_failed(&status);
    trib_detections_release(&file.proposals);
    return status;
}

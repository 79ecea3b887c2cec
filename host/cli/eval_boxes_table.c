/* SPDX-License-Identifier: Apache-2.0
 * Results of eval --boxes for people. */
#include <stdio.h>
#include <string.h>

#include "eval_boxes.h"

enum { NAME_WIDTH = 22, NUMBER_WIDTH = 12 };

static void add_part(cli_buffer *out, double value)
{
    if (value < 0)
        cli_append_format(out, "%*s", NUMBER_WIDTH, "-");
    else
        cli_append_format(out, "%*.4f", NUMBER_WIDTH, value);
}

static void add_count(cli_buffer *out, size_t value) { cli_append_format(out, "%*zu", NUMBER_WIDTH, value); }
static void add_title(cli_buffer *out, const char *title) { cli_append_format(out, "%*s", NUMBER_WIDTH, title); }

/* Cut to its column, which counts characters of UTF-8. */
static void add_name(cli_buffer *out, const char *name)
{
    char cut[4 * NAME_WIDTH + 1];
    size_t bytes = 0;
    int width = 0;
    while (name[bytes] && width < NAME_WIDTH) {
        const int length = cli_utf8_length(name + bytes);
        bytes += length ? (size_t)length : 1;
        ++width;
    }
    snprintf(cut, sizeof cut, "%.*s", (int)bytes, name);
    cli_append_format(out, "  ");
    cli_append_safe(out, cut);
    cli_append_format(out, "%*s", NAME_WIDTH - width, "");
}

static void add_header(const cli_box_scores *s, cli_buffer *out)
{
    const bool coco = s->rule == CLI_RULE_COCO;
    add_name(out, "class");
    if (s->has_detections) {
        add_title(out, "objects");
        if (s->all.aside) add_title(out, coco ? "crowds" : "difficult");
        add_title(out, "detections");
        add_title(out, coco ? "AR100" : "recall");
        add_title(out, "AP");
        if (coco) add_title(out, "AP50");
        if (coco) add_title(out, "AP75");
    }
    if (s->has_coverage) add_title(out, "overlap");
    cli_append_format(out, "\n");
}

static void add_row(const cli_box_scores *s, size_t class, cli_buffer *out)
{
    add_name(out, s->truth.truths.categories[class].name);
    if (s->has_detections) {
        add_count(out, s->counts[class].truths);
        if (s->all.aside) add_count(out, s->counts[class].aside);
        add_count(out, s->counts[class].detections);
        add_part(out, cli_box_recall(s, class));
        add_part(out, cli_box_ap(s, class));
        if (s->rule == CLI_RULE_COCO) add_part(out, s->coco.classes[class].numbers.ap50);
        if (s->rule == CLI_RULE_COCO) add_part(out, s->coco.classes[class].numbers.ap75);
    }
    if (s->has_coverage) add_part(out, s->best_overlap[class]);
    cli_append_format(out, "\n");
}

static double mean_recall(const cli_box_scores *s)
{
    double sum = 0;
    if (s->rule == CLI_RULE_COCO) return s->coco.mean.recall[TRIB_COCO_ALL];
    for (size_t c = 0; c < s->truth.truths.category_count; ++c)
        if (s->counts[c].truths) sum += cli_box_recall(s, c);
    return s->classes ? sum / (double)s->classes : -1;
}

static void add_mean(const cli_box_scores *s, cli_buffer *out)
{
    char title[64];
    if (s->has_detections) {
        snprintf(title, sizeof title, "mean of %zu classes", s->classes);
        add_name(out, title);
        add_count(out, s->all.truths);
        if (s->all.aside) add_count(out, s->all.aside);
        add_count(out, s->all.detections);
        add_part(out, mean_recall(s));
        add_part(out, cli_box_map(s));
        if (s->rule == CLI_RULE_COCO) add_part(out, s->coco.mean.ap50);
        if (s->rule == CLI_RULE_COCO) add_part(out, s->coco.mean.ap75);
    } else {
        add_name(out, "mean of classes");
    }
    if (s->has_coverage) add_part(out, s->coverage.mabo);
    cli_append_format(out, "\n");
}

static void add_rule(const cli_box_scores *s, cli_buffer *out)
{
    static const char *const whose[] = { "VOC up to 2009", "VOC from 2010 on", "COCO", "ILSVRC DET" };
    cli_append_format(out, "Average precision by the rule of %s", whose[s->rule]);
    if (s->rule == CLI_RULE_COCO)
        cli_append_format(out, ", over IoU 0.5, 0.55 ... 0.95");
    else if (s->rule == CLI_RULE_ILSVRC && !(s->iou > 0))
        cli_append_format(out, ", IoU 0.5 and less for objects below 25 pixels");
    else
        cli_append_format(out, ", IoU %g", s->iou > 0 ? s->iou : 0.5);
    cli_append_format(out, "\n");
}

static void add_numbers(cli_buffer *out, const char *name, const double *values, int count)
{
    add_name(out, name);
    for (int i = 0; i < count; ++i) add_part(out, values[i]);
    cli_append_format(out, "\n");
}

static void add_coco(const trib_coco_numbers *n, cli_buffer *out)
{
    const double precision[] = { n->ap[0], n->ap50, n->ap75, n->ap[1], n->ap[2], n->ap[3] };
    const double recall[] = { n->recall_of[0], n->recall_of[1], n->recall_of[2],
                              n->recall[1],    n->recall[2],    n->recall[3] };
    static const char *const titles[2][6] = { { "all", "IoU 0.5", "IoU 0.75", "small", "medium", "large" },
                                              { "1", "10", "100", "small", "medium", "large" } };
    cli_append_format(out, "\n");
    for (int i = 0; i < 2; ++i) {
        add_name(out, i ? "detections per image" : "");
        for (int j = 0; j < 6; ++j) add_title(out, titles[i][j]);
        cli_append_format(out, "\n");
        add_numbers(out, i ? "average recall" : "average precision", i ? recall : precision, 6);
    }
}

static void add_coverage(const cli_box_scores *s, cli_buffer *out)
{
    const trib_coverage *c = &s->coverage;
    const double recall[] = { c->recall50, c->recall70, c->recall_mean, c->best_overlap };
    static const char *const titles[] = { "IoU 0.5", "IoU 0.7", "0.5-0.95", "overlap" };
    cli_append_format(out, "Proposals: %.1f per image, for %zu objects\n", c->per_image, c->truths);
    add_name(out, "");
    for (int j = 0; j < 4; ++j) add_title(out, titles[j]);
    cli_append_format(out, "\n");
    add_numbers(out, "recall, best overlap", recall, 4);
    cli_append_format(out, "\n");
}

void cli_box_scores_table(const cli_box_scores *s, cli_buffer *out)
{
    if (s->has_coverage) add_coverage(s, out);
    if (s->has_detections) add_rule(s, out);
    add_header(s, out);
    for (size_t c = 0; c < s->truth.truths.category_count; ++c) add_row(s, c, out);
    add_mean(s, out);
    if (s->has_detections && s->rule == CLI_RULE_COCO) add_coco(&s->coco.mean, out);
}

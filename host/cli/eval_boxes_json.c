/* SPDX-License-Identifier: Apache-2.0
 * Results of eval --boxes as JSON. Precisions, recalls and overlaps are parts of 1, as in the tools of COCO and VOC;
 * null: there is nothing to be found. */
#include "eval_boxes.h"

#include <math.h>

static void add_part(cJSON *json, const char *key, double value)
{
    if (value < 0)
        cJSON_AddNullToObject(json, key);
    else
        cJSON_AddNumberToObject(json, key, value);
}

static void add_counts(cJSON *json, const cli_box_counts *counts)
{
    cJSON_AddNumberToObject(json, "truths", (double)counts->truths);
    cJSON_AddNumberToObject(json, "aside", (double)counts->aside);
    cJSON_AddNumberToObject(json, "detections", (double)counts->detections);
}

/* Keys are those that COCO's tools are quoted with. */
static void add_coco(cJSON *json, const trib_coco_numbers *n)
{
    add_part(json, "AP", n->ap[TRIB_COCO_ALL]);
    add_part(json, "AP50", n->ap50);
    add_part(json, "AP75", n->ap75);
    add_part(json, "APs", n->ap[TRIB_COCO_SMALL]);
    add_part(json, "APm", n->ap[TRIB_COCO_MEDIUM]);
    add_part(json, "APl", n->ap[TRIB_COCO_LARGE]);
    add_part(json, "AR1", n->recall_of[0]);
    add_part(json, "AR10", n->recall_of[1]);
    add_part(json, "AR100", n->recall_of[2]);
    add_part(json, "ARs", n->recall[TRIB_COCO_SMALL]);
    add_part(json, "ARm", n->recall[TRIB_COCO_MEDIUM]);
    add_part(json, "ARl", n->recall[TRIB_COCO_LARGE]);
}

static cJSON *class_json(const cli_box_scores *s, size_t class)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "label", cli_json_text(s->truth.truths.categories[class].name));
    if (s->has_detections) {
        add_counts(json, &s->counts[class]);
        add_part(json, "ap", cli_box_ap(s, class));
        add_part(json, "recall", cli_box_recall(s, class));
    }
    if (s->has_detections && s->rule == CLI_RULE_COCO) {
        add_part(json, "ap50", s->coco.classes[class].numbers.ap50);
        add_part(json, "ap75", s->coco.classes[class].numbers.ap75);
    }
    if (s->has_coverage) add_part(json, "best_overlap", s->best_overlap[class]);
    return json;
}

/* Where the regions came from. max_proposals null: all were looked at. */
static void add_search(const cli_eval_boxes_options *options, cJSON *json)
{
    const cli_detector_options *o = &options->detection;
    const int strategy = o->strategy == CLI_NOT_GIVEN ? TRIB_STRATEGY_PAPER : o->strategy;
    if (options->proposals)
        cli_json_add_name(json, "proposals_file", options->proposals);
    else
        cJSON_AddStringToObject(json, "strategy", trib_strategy_name((trib_strategy)strategy));
    if (o->most_regions)
        cJSON_AddNumberToObject(json, "max_proposals", o->most_regions);
    else
        cJSON_AddNullToObject(json, "max_proposals");
}

static void add_models(const cli_box_scores *s, const cli_eval_boxes_options *options, cJSON *json)
{
    const cli_detector_options *o = &options->detection;
    cJSON *models = cJSON_AddArrayToObject(json, "models");
    for (int i = 0; i < s->models; ++i) {
        cJSON *model = cJSON_CreateObject();
        cli_json_add_name(model, "model", s->arguments->items[i]);
        cJSON_AddItemToObject(model, "device", cli_json_text(s->with[i].device));
        cJSON_AddStringToObject(model, "precision", s->with[i].precision);
        cJSON_AddItemToArray(models, model);
    }
    cJSON_AddNumberToObject(json, "images_seen", (double)s->images);
    cJSON_AddNumberToObject(json, "skipped", (double)s->skipped);
    cJSON_AddNumberToObject(json, "regions", (double)s->regions);
    cJSON_AddNumberToObject(json, "regions_per_second", s->seconds > 0 ? round((double)s->regions / s->seconds) : 0);
    add_search(options, json);
    cJSON_AddNumberToObject(json, "threshold", o->threshold);
    cJSON_AddNumberToObject(json, "nms", o->overlap);
    cJSON_AddNumberToObject(json, "max_boxes", o->most_boxes);
    cJSON_AddBoolToObject(json, "mirror", o->mirror);
    cJSON_AddBoolToObject(json, "vote", o->vote);
}

static void add_file(const cli_box_scores *s, cJSON *json)
{
    cli_json_add_name(json, "detections_file", s->found_path);
    cJSON_AddStringToObject(json, "detections_format", trib_box_format_name(s->found.format));
}

static void add_detections(const cli_box_scores *s, const cli_eval_boxes_options *options, cJSON *json)
{
    if (s->found_path)
        add_file(s, json);
    else
        add_models(s, options, json);
    cJSON_AddStringToObject(json, "rule", cli_box_rule_name(s->rule));
    if (s->rule != CLI_RULE_COCO && (s->rule != CLI_RULE_ILSVRC || s->iou > 0))
        cJSON_AddNumberToObject(json, "iou", s->iou > 0 ? s->iou : 0.5);
    add_part(json, "map", cli_box_map(s));
    add_counts(json, &s->all);
    if (s->rule == CLI_RULE_COCO) add_coco(cJSON_AddObjectToObject(json, "coco"), &s->coco.mean);
}

static void add_coverage(const cli_box_scores *s, const char *path, cJSON *json)
{
    const trib_coverage *c = &s->coverage;
    cJSON *proposals = cJSON_AddObjectToObject(json, "proposals");
    cli_json_add_name(proposals, "file", path);
    cJSON_AddNumberToObject(proposals, "images", (double)s->proposed);
    cJSON_AddNumberToObject(proposals, "images_without", (double)(s->truth.truths.image_count - s->proposed));
    cJSON_AddNumberToObject(proposals, "per_image", c->per_image);
    cJSON_AddNumberToObject(proposals, "truths", (double)c->truths);
    add_part(proposals, "recall50", c->recall50);
    add_part(proposals, "recall70", c->recall70);
    add_part(proposals, "recall", c->recall_mean);
    add_part(proposals, "best_overlap", c->best_overlap);
    add_part(proposals, "mabo", c->mabo);
}

cJSON *cli_box_scores_json(const cli_eval_boxes_options *options, const cli_box_scores *s)
{
    const trib_truths *t = &s->truth.truths;
    cJSON *json = cJSON_CreateObject();
    cli_json_add_name(json, "truth_file", options->truth);
    cJSON_AddStringToObject(json, "truth_format", trib_box_format_name(s->truth.format));
    cJSON_AddNumberToObject(json, "num_images", (double)t->image_count);
    if (s->has_detections) add_detections(s, options, json);
    if (s->has_coverage) add_coverage(s, options->proposals, json);
    cJSON *per_class = cJSON_AddArrayToObject(json, "per_class");
    for (size_t c = 0; c < t->category_count; ++c) cJSON_AddItemToArray(per_class, class_json(s, c));
    return json;
}

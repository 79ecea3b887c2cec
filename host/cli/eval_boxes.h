/* SPDX-License-Identifier: Apache-2.0
 * eval --boxes: how well objects are found. */
#ifndef TRIBUTARY_CLI_EVAL_BOXES_H
#define TRIBUTARY_CLI_EVAL_BOXES_H

#include "detect/ap.h"
#include "detect/coco_ap.h"
#include "detect/proposals.h"
#include "detect/truth_file.h"
#include "detector.h"
#include "files.h"
#include "output.h"
#include "settings.h"
#include "truth_options.h"

typedef enum cli_box_rule { CLI_RULE_VOC2007, CLI_RULE_VOC, CLI_RULE_COCO, CLI_RULE_ILSVRC } cli_box_rule;

typedef struct cli_eval_boxes_options {
    const char *truth, *proposals; /* NULL: not given */
    trib_truth_options files;
    const char *plot;
    int rule, format;               /* CLI_NOT_GIVEN */
    double iou;                     /* 0: not given */
    cli_detector_options detection; /* with models; its file of proposals is the one above */
} cli_eval_boxes_options;

cli_eval_boxes_options cli_default_eval_boxes(void);
cli_group cli_eval_boxes_group(cli_eval_boxes_options *options);

/* Where the results go beside standard output. */
typedef struct cli_eval_boxes_results {
    const char *path; /* of the JSON; NULL: none */
    bool overwrite;
} cli_eval_boxes_results;

/* Whether the options of the group fit together; with `truth` NULL none of them may be given. Returns CLI_GO_ON or
 * CLI_USAGE. */
int cli_eval_boxes_check(const cli_command *self, const cli_eval_boxes_options *options, const cli_texts *arguments);

/* The command; an exit code. Several arguments are models and images; one is a file of detections. */
int cli_eval_boxes(const cli_command *self, const cli_eval_boxes_options *options,
                   const cli_eval_boxes_results *results, const cli_group *groups, const cli_settings *settings,
                   const cli_texts *arguments);

/* ---- between its files ---- */

/* Of one class. */
typedef struct cli_box_counts {
    size_t truths, aside; /* to be found; difficult objects and crowds, where the rule leaves them aside */
    size_t detections;
} cli_box_counts;

/* What a model worked with. */
typedef struct cli_box_model {
    char device[sizeof((trib_device_info *)NULL)->name];
    const char *precision;
} cli_box_model;

/* Zero-initialise; release. */
typedef struct cli_box_scores {
    trib_truth_file truth;
    trib_detection_file found;
    bool has_detections;    /* else there are only proposals */
    const char *found_path; /* NULL: models made them */
    const cli_texts *arguments;
    int models;                       /* of the arguments; and what they worked with, and did: */
    cli_box_model *with;              /* of each model */
    int64_t images, skipped, regions; /* images of the truth that were looked at, inputs that were not */
    double seconds;
    cli_box_rule rule;
    double iou; /* of the rules with one; 0: the rule's own */
    trib_ap ap; /* of all rules but COCO's */
    trib_coco_ap coco;
    cli_box_counts *counts, all; /* per class, and their sum */
    size_t classes;              /* with something to be found */
    bool has_coverage;
    trib_coverage coverage;
    double *best_overlap;         /* per class; -1: none of its truths counts */
    size_t proposed, passed_over; /* images of the truth with proposals; lines of others */
} cli_box_scores;

void cli_box_scores_release(cli_box_scores *scores);
/* What makes detections. */
typedef struct cli_eval_boxes_models {
    const cli_settings *settings;
    const cli_detector_options *detection;
    const cli_texts *arguments;
    int count; /* of models among the arguments */
    const cli_files *files;
} cli_eval_boxes_models;
/* Fills the detections of `scores`. */
trib_status cli_box_scores_detect(cli_box_scores *scores, const cli_eval_boxes_models *models);
/* Of the detections in `scores`. */
trib_status cli_box_scores_compute(cli_box_scores *scores);
trib_status cli_box_scores_cover(cli_box_scores *scores, const char *proposals);
const char *cli_box_rule_name(cli_box_rule rule);
/* AP of a class, -1: it has nothing to be found. */
double cli_box_ap(const cli_box_scores *scores, size_t class);
double cli_box_map(const cli_box_scores *scores);
/* Recall over all detections that the rule looks at; -1 as above. */
double cli_box_recall(const cli_box_scores *scores, size_t class);

/* NULL when out of memory. */
cJSON *cli_box_scores_json(const cli_eval_boxes_options *options, const cli_box_scores *scores);
void cli_box_scores_table(const cli_box_scores *scores, cli_buffer *out);

#endif

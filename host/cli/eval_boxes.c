/* SPDX-License-Identifier: Apache-2.0
 * eval --boxes TRUTH: how well detections find the objects, and proposals cover them. */
#include "eval_boxes.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "detect/coco_plot.h"
#include "detect/pr_plot.h"
#include "files.h"

enum { JSON, TABLE };

#define AT(field) offsetof(cli_eval_boxes_options, field)
static const cli_option table[] = {
    { 0, "boxes", CLI_FILE_IN, AT(truth), "TRUTH",
      "measure how well objects are found: TRUTH is a COCO JSON file, a folder (or file) of VOC's or ILSVRC's XML, or "
      "a "
      "folder of YOLO's .txt files; which, is known by its content",
      0, 0 },
    { 0, "proposals", CLI_FILE_IN, AT(proposals), "FILE",
      "measure as well how far the proposals of FILE (of 'tributary propose') cover the objects", 0, 0 },
    { 0, "rule", CLI_CHOICE, AT(rule), "voc2007|voc|coco|ilsvrc",
      "how average precision is computed; default: that of TRUTH's format, for YOLO coco", 0, 0 },
    { 0, "iou", CLI_REAL, AT(iou), "T",
      "overlap from which on an object is found, for voc and voc2007 (default 0.5) and for ilsvrc (default: 0.5, and "
      "less for objects below 25 pixels; T is for all sizes)",
      0, 1 },
    { 0, "format", CLI_CHOICE, AT(format), "json|table", "of standard output; default: table on a terminal, else json",
      0, 0 },
    { 0, "plot", CLI_FILE_OUT, AT(plot), "FILE", "write curves of precision and recall to FILE, as SVG", 0, 0 },
};

cli_eval_boxes_options cli_default_eval_boxes(void)
{
    return (cli_eval_boxes_options) { .rule = CLI_NOT_GIVEN,
                                      .format = CLI_NOT_GIVEN,
                                      .detection = cli_default_detector_options() };
}

cli_group cli_eval_boxes_group(cli_eval_boxes_options *options)
{
    return (cli_group)CLI_GROUP("Boxes of objects", table, options);
}

/* ---- usage ---- */

static const char *given_without_truth(const cli_eval_boxes_options *o)
{
    if (o->proposals) return "proposals";
    if (o->rule != CLI_NOT_GIVEN) return "rule";
    if (o->iou > 0) return "iou";
    if (o->format != CLI_NOT_GIVEN) return "format";
    if (o->plot) return "plot";
    return cli_truth_option_given(&o->files);
}

/* The mistake to expect: a model without images. */
static bool is_model(const char *path)
{
    bool model = false;
    trib_status status = trib_model_recognise(path, &model);
    return !trib_failed(&status) && model;
}

static bool searches(const cli_detector_options *o)
{
    const cli_detector_options usual = cli_default_detector_options();
    return o->strategy != usual.strategy || o->most_regions != usual.most_regions || o->threshold != usual.threshold ||
           o->overlap != usual.overlap || o->most_boxes != usual.most_boxes || o->mirror || o->vote;
}

static int check_arguments(const cli_command *self, const cli_eval_boxes_options *o, const cli_texts *arguments)
{
    cli_detector_options detection = o->detection;
    detection.proposals = o->proposals;
    if (!arguments->count && !o->proposals)
        return cli_usage(self, "which DETECTIONS? Name their file, or MODEL and IMAGES, or --proposals FILE");
    if (arguments->count == 1 && is_model(arguments->items[0]))
        return cli_usage(self, "which IMAGES? '%s' is a model", arguments->items[0]);
    if (o->plot && !arguments->count) return cli_usage(self, "--plot draws precision and recall of DETECTIONS");
    if (arguments->count > 1) return cli_detector_check(self, &detection);
    if (!searches(&o->detection)) return CLI_GO_ON;
    return cli_usage(self,
                     "--strategy, --max-proposals, --threshold, --nms, --max-boxes, --mirror and --vote say how a "
                     "MODEL detects");
}

int cli_eval_boxes_check(const cli_command *self, const cli_eval_boxes_options *o, const cli_texts *arguments)
{
    const char *alone = o->truth ? NULL : given_without_truth(o);
    if (alone) return cli_usage(self, "--%s is for boxes of objects: add --boxes TRUTH", alone);
    if (!o->truth) return CLI_GO_ON;
    if (o->iou > 0 && o->rule == CLI_RULE_COCO)
        return cli_usage(self, "--iou: the rule of coco has ten overlaps of its own; use --rule voc or ilsvrc");
    return check_arguments(self, o, arguments);
}

/* ---- reading ---- */

static cli_box_rule rule_of_format(trib_box_format format)
{
    return format == TRIB_BOXES_VOC ? CLI_RULE_VOC : format == TRIB_BOXES_ILSVRC ? CLI_RULE_ILSVRC : CLI_RULE_COCO;
}

static trib_status open_truth(const cli_eval_boxes_options *o, cli_box_scores *s)
{
    TRIB_TRY(trib_truth_open(o->truth, &o->files, &s->truth));
    cli_message("%s: %s", o->truth, s->truth.taken);
    if (!s->truth.truths.count)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: has no boxes: there is nothing to be found", o->truth);
    s->iou = o->iou;
    s->rule = o->rule == CLI_NOT_GIVEN ? rule_of_format(s->truth.format) : (cli_box_rule)o->rule;
    if (o->iou > 0 && s->rule == CLI_RULE_COCO)
        return TRIB_ERROR(
            TRIB_INVALID_ARGUMENT,
            "--iou: the rule is coco, as the truth is %s, and has ten overlaps of its own; add --rule voc",
            trib_box_format_name(s->truth.format));
    return trib_success();
}

/* Classes that were never found are often those that the detector calls otherwise. */
static void say_what_was_not_found(const cli_box_scores *s)
{
    const trib_truths *t = &s->truth.truths;
    cli_buffer names = { 0 };
    size_t missing = 0;
    for (size_t c = 0; c < t->category_count; ++c) {
        if (!s->counts[c].truths || s->counts[c].detections) continue;
        if (++missing <= 5) cli_append_format(&names, "%s%.40s", missing > 1 ? ", " : "", t->categories[c].name);
    }
    if (missing > 5) cli_append_format(&names, " and %zu more", missing - 5);
    if (missing && !names.failed) cli_message("no detections of: %s", names.data);
    cli_buffer_release(&names);
}

static trib_status read_detections(cli_box_scores *s)
{
    TRIB_TRY(trib_detections_open(s->found_path, &s->truth, &s->found));
    cli_message("%s: %s", s->found_path, s->found.taken);
    const trib_box_format format = s->found.format;
    if (!s->truth.has_numbers && (format == TRIB_BOXES_COCO || format == TRIB_BOXES_ILSVRC))
        cli_message("the truth has no numbers: where detections have no names, image 1 is taken to be %.200s, class 1 "
                    "%.200s, and so on",
                    s->truth.truths.images[0].name, s->truth.truths.categories[0].name);
    return trib_success();
}

static trib_status score(const cli_eval_boxes_options *o, cli_box_scores *s)
{
    if (o->rule == CLI_NOT_GIVEN)
        cli_message("the rule is %s, as the truth is %s; --rule takes another", cli_box_rule_name(s->rule),
                    trib_box_format_name(s->truth.format));
    TRIB_TRY(cli_box_scores_compute(s));
    say_what_was_not_found(s);
    return trib_success();
}

static trib_status cover(const cli_eval_boxes_options *o, cli_box_scores *s)
{
    TRIB_TRY(cli_box_scores_cover(s, o->proposals));
    const size_t images = s->truth.truths.image_count;
    if (s->proposed < images)
        cli_message("%s: has no proposals for %zu of the %zu images; their objects count as not covered", o->proposals,
                    images - s->proposed, images);
    if (s->passed_over)
        cli_message("%s: passed over: %zu images that the truth does not have", o->proposals, s->passed_over);
    return trib_success();
}

/* ---- writing ---- */

static void append_json(cJSON *json, cli_buffer *out)
{
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    out->failed |= !text;
    if (text) cli_append(out, text, strlen(text));
    cli_append(out, "\n", 1);
    cJSON_free(text);
}

static trib_status print(const cli_eval_boxes_options *o, const cli_box_scores *s)
{
    cli_buffer out = { 0 };
    const bool is_table = o->format == CLI_NOT_GIVEN ? isatty(STDOUT_FILENO) : o->format == TABLE;
    if (is_table)
        cli_box_scores_table(s, &out);
    else
        append_json(cli_box_scores_json(o, s), &out);
    trib_status status =
        out.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results") : cli_write_stdout(out.data, out.size);
    cli_buffer_release(&out);
    return status;
}

static trib_status write_json(const cli_eval_boxes_options *o, const cli_eval_boxes_results *results,
                              const cli_box_scores *s)
{
    cli_output file = { .fd = -1 };
    cli_buffer out = { 0 };
    TRIB_TRY(cli_output_open(results->path, results->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW, &file));
    append_json(cli_box_scores_json(o, s), &out);
    trib_status status = cli_output_write(&file, &out);
    const trib_status closed = cli_output_close(&file);
    cli_buffer_release(&out);
    return trib_failed(&status) ? status : closed;
}

static trib_status plot(const char *path, const cli_box_scores *s)
{
    char title[160];
    snprintf(title, sizeof title, "Precision by recall (%s): %.100s", cli_box_rule_name(s->rule),
             trib_base_name(s->arguments->items[0]));
    if (s->rule == CLI_RULE_COCO) return trib_coco_plot_write(path, &s->truth.truths, &s->coco, title);
    return trib_precision_recall_write(path, &s->truth.truths, &s->ap, title);
}

/* ---- the command ---- */

/* The files of a folder that is read are not named one by one. */
static trib_status check_inside(const char *folder, const char *output)
{
    static const char *const inner[] = { "", "Annotations/", "labels/" };
    struct stat info;
    if (!folder || !output || stat(output, &info) != 0) return trib_success();
    for (int i = 0; i < 3; ++i) {
        cli_buffer path = { 0 };
        cli_append(&path, folder, strlen(folder));
        cli_append_format(&path, "/%s", inner[i]);
        cli_append(&path, trib_base_name(output), strlen(trib_base_name(output)));
        const bool lost = !path.failed && trib_same_file(path.data, output);
        cli_buffer_release(&path);
        if (lost)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s would be lost: it is one of the files of %s", output, folder);
    }
    return trib_success();
}

static trib_status check_outputs(const cli_eval_boxes_options *o, const cli_eval_boxes_results *results,
                                 const cli_box_scores *s)
{
    const cli_output_mode mode = results->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW;
    const char *const outputs[] = { results->path, o->plot };
    for (int i = 0; i < 2; ++i) {
        if (!outputs[i]) continue;
        TRIB_TRY(cli_output_check(outputs[i], mode));
        TRIB_TRY(check_inside(o->truth, outputs[i]));
        TRIB_TRY(check_inside(s->found_path, outputs[i]));
    }
    return trib_success();
}

/* The first argument is a model, a file of detections, or missing. */
static trib_status check_files(const cli_group *groups, const cli_settings *settings, const cli_box_scores *s,
                               cli_files *files)
{
    static const cli_texts no_model;
    *files = cli_files_of(groups, settings, s->models ? s->arguments : &no_model);
    cli_files_add_models(files, s->arguments, s->models);
    if (s->found_path) cli_files_add(&files->reads, "DETECTIONS", s->found_path);
    return cli_files_check(files);
}

static trib_status score_all(const cli_eval_boxes_options *o, const cli_eval_boxes_models *models, cli_box_scores *s)
{
    TRIB_TRY(open_truth(o, s));
    if (s->found_path) TRIB_TRY(read_detections(s));
    if (s->models) TRIB_TRY(cli_box_scores_detect(s, models));
    if (s->has_detections) TRIB_TRY(score(o, s));
    return o->proposals ? cover(o, s) : trib_success();
}

static trib_status run(const cli_eval_boxes_options *o, const cli_eval_boxes_results *results, const cli_group *groups,
                       const cli_settings *settings, cli_box_scores *s)
{
    cli_files files;
    cli_detector_options detection = o->detection;
    const cli_eval_boxes_models models = { settings, &detection, s->arguments, s->models, &files };
    detection.proposals = o->proposals;
    TRIB_TRY(check_files(groups, settings, s, &files));
    TRIB_TRY(check_outputs(o, results, s));
    TRIB_TRY(score_all(o, &models, s));
    TRIB_TRY(print(o, s));
    if (results->path) TRIB_TRY(write_json(o, results, s));
    return o->plot ? plot(o->plot, s) : trib_success();
}

int cli_eval_boxes(const cli_command *self, const cli_eval_boxes_options *options,
                   const cli_eval_boxes_results *results, const cli_group *groups, const cli_settings *settings,
                   const cli_texts *arguments)
{
    cli_box_scores scores = { .arguments = arguments, .has_detections = arguments->count > 0 };
    if (arguments->count == 1) scores.found_path = arguments->items[0];
    const int code =
        arguments->count > 1 ? cli_expect_models(self, settings, arguments, "IMAGES", &scores.models) : CLI_GO_ON;
    if (code != CLI_GO_ON) return code;
    trib_status status = run(options, results, groups, settings, &scores);
    const bool skipped = scores.skipped > 0;
    cli_box_scores_release(&scores);
    return trib_failed(&status) ? cli_report(&status) : skipped ? CLI_SKIPPED : CLI_OK;
}

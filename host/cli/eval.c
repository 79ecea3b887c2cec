/* SPDX-License-Identifier: Apache-2.0
 * tributary eval: how often a model is right on labelled images. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval_boxes.h"
#include "feed_crops.h"
#include "files.h"
#include "output.h"
#include "skipped.h"
#include "tributary/internal/alloc.h"

typedef struct eval_options {
    int batch, workers;
    const char *labels, *results;
    bool confusion, overwrite;
} eval_options;
#define AT(field) offsetof(eval_options, field)
static const cli_option table[] = {
    { 0, "labels", CLI_FILE_IN, AT(labels), "FILE",
      "IDX file of labels; default: the name of the image file, with 'images-idx3' replaced by 'labels-idx1'", 0, 0 },
    { 0, "results-file", CLI_FILE_OUT, AT(results), "FILE", "also write the JSON to FILE", 0, 0 },
    CLI_OVERWRITE_OPTION(AT(overwrite)),
    { 0, "confusion", CLI_FLAG, AT(confusion), NULL,
      "add \"confusion\", a matrix of image counts: rows are true classes, columns predicted ones", 0, 0 },
    { 'b', "batch-size", CLI_INT, AT(batch), "N", "images computed at once; default 32", 1, 65536 },
    { 'j', "workers", CLI_INT, AT(workers), "N",
      "threads that read and decode images; default: one per CPU this process may use, or OMP_NUM_THREADS if lower", 1,
      1024 },
};

enum { TOP = 5 };

/* Images whose class is the most likely, or among the TOP most likely. */
typedef struct right {
    int64_t top1, top5;
} right;

typedef struct eval {
    const eval_options *options;
    int models; /* of the arguments */
    cli_files files;
    cli_feed feed;
    right joint, alone[TRIB_MOST_MEMBERS]; /* the latter of several models */
    int64_t *count, *right;                /* per class */
    int64_t *confusion;                    /* classes x classes, NULL unless asked for */
} eval;

static void say_skipped(eval *e, const cli_answer *answer)
{
    const trib_status status = cli_with_hint(answer->status);
    cli_progress_clear(&e->feed.progress);
    cli_say_skipped(answer->name, cli_reason(&status, answer->name));
}

static void count_right(right *r, const int32_t *best, int k, int label)
{
    bool among = false;
    for (int j = 0; j < k; ++j) among |= best[j] == label;
    r->top1 += best[0] == label;
    r->top5 += among;
}

static trib_status count_image(void *context, const cli_answer *answer)
{
    eval *e = context;
    const int classes = e->feed.classes, label = answer->label, best = answer->indices ? answer->indices[0] : 0;
    if (trib_failed(answer->status)) return say_skipped(e, answer), trib_success();
    if (label < 0 || label >= classes)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: label %d, but the model has classes 0 to %d", answer->name, label,
                          classes - 1);
    count_right(&e->joint, answer->indices, answer->k, label);
    for (int m = 0; answer->members && m < e->models; ++m)
        count_right(&e->alone[m], answer->members + (size_t)m * (size_t)answer->k, answer->k, label);
    e->count[label] += 1;
    e->right[label] += best == label;
    if (e->confusion) e->confusion[(size_t)label * (size_t)classes + (size_t)best] += 1;
    return trib_success();
}

/* ---- results ---- */

/* Percent with four decimals, as in timm. */
static double percent(int64_t part, int64_t whole)
{
    return whole ? round(1e6 * (double)part / (double)whole) / 1e4 : 0;
}

static cJSON *class_json(const eval *e, int klass)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "index", klass);
    cJSON_AddItemToObject(json, "label", cli_json_text(trib_model_label(e->feed.model, klass)));
    cJSON_AddNumberToObject(json, "count", (double)e->count[klass]);
    if (e->count[klass])
        cJSON_AddNumberToObject(json, "top1", percent(e->right[klass], e->count[klass]));
    else
        cJSON_AddNullToObject(json, "top1");
    return json;
}

/* One raw text per row: a thousand classes would need a million JSON nodes. */
static cJSON *confusion_json(const eval *e)
{
    cJSON *rows = cJSON_CreateArray();
    cli_buffer text = { 0 };
    for (int i = 0; i < e->feed.classes; ++i) {
        cli_buffer_clear(&text);
        for (int j = 0; j < e->feed.classes; ++j)
            cli_append_format(&text, "%s%" PRId64, j ? "," : "[",
                              e->confusion[(size_t)i * (size_t)e->feed.classes + (size_t)j]);
        cli_append_format(&text, "]");
        cJSON_AddItemToArray(rows, text.failed ? NULL : cJSON_CreateRaw(text.data));
    }
    cli_buffer_release(&text);
    return rows;
}

static void add_right(const eval *e, const right *r, cJSON *json)
{
    const double top1 = percent(r->top1, e->feed.good), top5 = percent(r->top5, e->feed.good);
    cJSON_AddNumberToObject(json, "top1", top1);
    cJSON_AddNumberToObject(json, "top1_err", round(1e4 * (100 - top1)) / 1e4);
    cJSON_AddNumberToObject(json, "top5", top5);
    cJSON_AddNumberToObject(json, "top5_err", round(1e4 * (100 - top5)) / 1e4);
}

/* One model: how it did alone, and what it was asked. */
static cJSON *model_json(const eval *e, int i)
{
    const cli_member *member = &e->feed.members.items[i];
    cJSON *json = cJSON_CreateObject();
    cli_json_add_name(json, "model", trib_model_path(member->model));
    add_right(e, e->models > 1 ? &e->alone[i] : &e->joint, json);
    cJSON_AddNumberToObject(json, "img_size", member->preprocess.crop_width);
    cJSON *scales = cJSON_AddArrayToObject(json, "scales");
    for (int s = 0; s < cli_feed_scale_count(&e->feed, i); ++s)
        cJSON_AddItemToArray(scales, cJSON_CreateNumber(cli_feed_scale(&e->feed, i, s)));
    cJSON_AddStringToObject(json, "interpolation", trib_interpolation_name(member->preprocess.interpolation));
    return json;
}

static void add_policy(const eval *e, cJSON *json)
{
    int evaluations = 0;
    for (int i = 0; i < e->models; ++i) evaluations += cli_feed_evaluations(&e->feed, i);
    cJSON_AddNumberToObject(json, "crops", cli_crops_policy(e->feed.settings));
    cJSON_AddBoolToObject(json, "mirror", cli_crops_policy(e->feed.settings) > 1);
    cJSON_AddNumberToObject(json, "evaluations_per_image", evaluations);
    cJSON *models = cJSON_AddArrayToObject(json, "models");
    for (int i = 0; i < e->models; ++i) cJSON_AddItemToArray(models, model_json(e, i));
}

static cJSON *results_json(const eval *e)
{
    const cli_feed *f = &e->feed;
    cJSON *json = cJSON_CreateObject();
    if (e->models == 1) cli_json_add_name(json, "model", trib_model_path(f->model));
    add_right(e, &e->joint, json);
    cJSON_AddNumberToObject(json, "num_images", (double)f->good);
    cJSON_AddNumberToObject(json, "skipped", (double)f->skipped);
    cJSON_AddNumberToObject(json, "images_per_second", round(10 * (double)f->good / f->seconds) / 10);
    add_policy(e, json);
    cJSON *per_class = cJSON_AddArrayToObject(json, "per_class");
    for (int i = 0; i < f->classes; ++i) cJSON_AddItemToArray(per_class, class_json(e, i));
    if (e->confusion) cJSON_AddItemToObject(json, "confusion", confusion_json(e));
    return json;
}

static trib_status print_results(const eval *e, cli_output *file)
{
    cJSON *json = results_json(e);
    char *text = json ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (!text) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results");
    cli_buffer copy = { 0 };
    cli_append(&copy, text, strlen(text));
    cli_append(&copy, "\n", 1);
    cJSON_free(text);
    trib_status status = copy.failed ? TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results")
                                     : cli_write_stdout(copy.data, copy.size);
    if (!trib_failed(&status) && file->fd >= 0) status = cli_output_write(file, &copy);
    if (!trib_failed(&status)) status = cli_output_close(file);
    cli_buffer_release(&copy);
    return status;
}

/* ---- the command ---- */

static trib_status prepare(eval *e, cli_output *file)
{
    const eval_options *o = e->options;
    size_t classes = (size_t)e->feed.classes;
    e->count = trib_alloc_zeroed(classes, sizeof *e->count);
    e->right = trib_alloc_zeroed(classes, sizeof *e->right);
    if (o->confusion) e->confusion = trib_alloc_zeroed(classes, classes * sizeof *e->confusion);
    if (!e->count || !e->right || (o->confusion && !e->confusion))
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the counts of %zu classes", classes);
    if (!o->results) return trib_success();
    return cli_output_open(o->results, o->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW, file);
}

static trib_status evaluate_all(eval *e, const cli_settings *settings, const cli_texts *arguments, cli_output *file)
{
    const eval_options *o = e->options;
    trib_source_options source = { .need_labels = true,
                                   .labels_path = o->labels,
                                   .outputs = e->files.writes.path,
                                   .output_count = e->files.writes.count };
    TRIB_TRY(cli_files_check(&e->files));
    TRIB_TRY(cli_feed_open(settings, arguments, e->models, &source, o->batch, o->workers, &e->feed));
    TRIB_TRY(prepare(e, file));
    trib_status status = cli_feed_run(&e->feed, TOP, &(cli_feed_handler) { .image = count_image, .context = e });
    if (status.code == TRIB_CANCELLED) {
        cli_message("interrupted after %" PRId64 " images; nothing was written", e->feed.good);
        return status;
    }
    if (trib_failed(&status)) return status;
    if (e->feed.good == 0)
        return TRIB_ERROR(TRIB_BAD_DATA, "none of the %" PRId64 " images could be read with a label", e->feed.skipped);
    return print_results(e, file);
}

static int evaluate(const eval_options *options, const cli_settings *settings, const cli_texts *arguments, int models,
                    cli_files files)
{
    eval e = { .options = options, .models = models, .files = files };
    cli_files_add_models(&e.files, arguments, models);
    cli_output file = { .fd = -1 };
    trib_status status = evaluate_all(&e, settings, arguments, &file);
    int code = trib_failed(&status) ? cli_report(&status) : e.feed.skipped ? CLI_SKIPPED : CLI_OK;
    cli_output_close(&file);
    trib_free(e.count);
    trib_free(e.right);
    trib_free(e.confusion);
    cli_feed_close(&e.feed);
    return code;
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    eval_options own = { .batch = 32 };
    cli_eval_boxes_options boxes = cli_default_eval_boxes();
    cli_group groups[] = { CLI_GROUP("Options", table, &own),
                           cli_crops_group(&settings),
                           cli_eval_boxes_group(&boxes),
                           cli_detector_search_group(&boxes.detection),
                           cli_truth_group(&boxes.files),
                           cli_members_compute_group(&settings),
                           cli_size_group(&settings),
                           cli_decode_group(&settings),
                           cli_preprocess_group(&settings),
                           cli_caffe_group(&settings),
                           CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int models = 0, code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_eval_boxes_check(self, &boxes, &arguments);
    if (code == CLI_GO_ON && boxes.truth && (own.labels || own.confusion))
        code = cli_usage(self, "--%s is for classes of images, not for --boxes", own.labels ? "labels" : "confusion");
    boxes.detection.batch = own.batch;
    boxes.detection.workers = own.workers;
    const cli_eval_boxes_results results = { own.results, own.overwrite };
    if (code == CLI_GO_ON && boxes.truth) code = cli_eval_boxes(self, &boxes, &results, groups, &settings, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 1, 1 << 30, "DATASET");
    if (code == CLI_GO_ON) code = cli_expect_models(self, &settings, &arguments, "DATASET", &models);
    if (code == CLI_GO_ON)
        code = evaluate(&own, &settings, &arguments, models, cli_files_of(groups, &settings, &arguments));
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "measure accuracy on labelled images, or how well objects are found",
    .synopsis =
        "MODEL... DATASET... [--crops 1|10|144] [--labels FILE] [--confusion] [--results-file FILE]\n"
        "       tributary eval --boxes TRUTH DETECTIONS|MODEL... IMAGES... [--proposals FILE] [--rule RULE] [--plot "
        "FILE]",
    .description =
        "Classifies labelled images and prints JSON: top1, top1_err, top5 and top5_err in percent, num_images, "
        "skipped, images_per_second (from the first read to the last result, including the preparation of the "
        "network), per_class, and what the networks were asked: crops, mirror, evaluations_per_image (of all models "
        "together), and of each of the models its own accuracy, img_size, scales (of the short side) and "
        "interpolation.\n\n"
        "Several models are asked together, and images are decoded once: the first argument is a MODEL, and so are "
        "those after it that are model files or folders of training runs, recognised by their content. They may differ "
        "in architecture, input size, device and precision, but not in their classes. Their probabilities are "
        "averaged, over all crops of an image (--crops) and all models, as in the paper.\n\n"
        "A DATASET is a folder with one subfolder of images per class, tar shards in which each image has a .cls file "
        "beside it, or an IDX file of images with its labels. A shard or an IDX file may come through a pipe. Images "
        "that cannot be read are skipped; the exit code is then 3.\n\n"
        "A class folder is named after a class of the model or has its index as name (0, 007); if both match, the "
        "class of that name wins. Any byte of a name may be written as %XX: T-shirt%2Ftop for T-shirt/top. If the "
        "model has no class names, folders that are all indices are taken as such, and others are numbered in the "
        "order of their names. Hidden folders are ignored. How folders were matched, and classes without images, are "
        "reported on standard error.\n\n"
        "With --boxes, average precision is measured by the rules of VOC, COCO or ILSVRC, per class and over classes, "
        "and how far proposals cover the objects. Several arguments are models and images, in which objects are found "
        "as by 'tributary detect'; images that TRUTH does not have are skipped. One argument is DETECTIONS, known by "
        "their content: what 'detect' writes (csv with the columns filename, label, score and x, y, width, height or "
        "xmin, ymin, xmax, ymax; jsonl), COCO's results (a JSON list), ILSVRC's (lines of seven words), VOC's (lines "
        "of six words in CLASS.txt or ANYTHING_CLASS.txt, or a folder of them), or a folder of YOLO's .txt files with "
        "scores. Without arguments only --proposals are looked at. "
        "The JSON of models says how regions were found (strategy or proposals_file, max_proposals) and scored "
        "(threshold, nms, max_boxes, mirror, vote), and the device and precision of each of the models. Images are "
        "found by name, without folders and "
        "extension unless several are then the same, or by number where detections have no names; two names in "
        "DETECTIONS for one image of TRUTH are refused. Precisions, recalls "
        "and overlaps are parts of 1, and null where there is nothing to be found.",
    .examples = "  $ tributary eval model.safetensors imagenet/val\n"
                "  $ tributary eval model.safetensors t10k-images-idx3-ubyte.gz --confusion\n"
                "  $ tributary eval model.safetensors imagenet/val --crops 144 --precision bf16\n"
                "  $ tributary eval a.safetensors b.safetensors c.safetensors imagenet/val --crops 10\n"
                "  $ tributary eval model.safetensors 'val-{000000..000049}.tar' --results-file val.json\n"
                "  $ tributary eval --boxes instances_val2017.json detections.json\n"
                "  $ tributary eval --boxes VOC2007/Annotations found.csv --rule voc2007 --plot curves.svg\n"
                "  $ tributary eval garments.safetensors val/ --boxes val.json --proposals val.jsonl\n"
                "  $ tributary eval --boxes truth.json --proposals proposals.jsonl\n",
    .run = run,
};

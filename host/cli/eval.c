/* SPDX-License-Identifier: Apache-2.0
 * tributary eval: how often a model is right on labelled images. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "eval_boxes.h"
#include "feed.h"
#include "files.h"
#include "output.h"
#include "rows.h"
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

typedef struct eval {
    const eval_options *options;
    cli_files files;
    cli_feed feed;
    int64_t top1, top5;
    int64_t *count, *right; /* per class */
    int64_t *confusion;     /* classes x classes, NULL unless asked for */
} eval;

static trib_status count_batch(void *context, const trib_batch *batch, int k, const float *probabilities,
                               const int32_t *indices)
{
    (void)probabilities;
    eval *e = context;
    int classes = e->feed.classes;
    for (int i = 0; i < batch->item_count; ++i) {
        const trib_batch_item *item = &batch->items[i];
        if (item->slot < 0) {
            cli_progress_clear(&e->feed.progress);
            fputs("skipped: ", stderr);
            cli_print_safe(stderr, item->name);
            fputs(": ", stderr);
            const trib_status status = cli_with_hint(&item->status);
            cli_print_safe(stderr, cli_reason(&status, item->name));
            fputc('\n', stderr);
            continue;
        }
        if (item->label < 0 || item->label >= classes)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: label %d, but the model has classes 0 to %d", item->name, item->label,
                              classes - 1);
        const int32_t *best = indices + (size_t)item->slot * (size_t)k;
        bool first = best[0] == item->label, among = false;
        for (int j = 0; j < k; ++j) among |= best[j] == item->label;
        e->top1 += first;
        e->top5 += among;
        e->count[item->label] += 1;
        e->right[item->label] += first;
        if (e->confusion) e->confusion[(size_t)item->label * (size_t)classes + (size_t)best[0]] += 1;
    }
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

static cJSON *results_json(const eval *e)
{
    const cli_feed *f = &e->feed;
    double top1 = percent(e->top1, f->good), top5 = percent(e->top5, f->good);
    cJSON *json = cJSON_CreateObject();
    cli_json_add_name(json, "model", trib_model_path(f->model));
    cJSON_AddNumberToObject(json, "top1", top1);
    cJSON_AddNumberToObject(json, "top1_err", round(1e4 * (100 - top1)) / 1e4);
    cJSON_AddNumberToObject(json, "top5", top5);
    cJSON_AddNumberToObject(json, "top5_err", round(1e4 * (100 - top5)) / 1e4);
    cJSON_AddNumberToObject(json, "num_images", (double)f->good);
    cJSON_AddNumberToObject(json, "skipped", (double)f->skipped);
    cJSON_AddNumberToObject(json, "images_per_second", round(10 * (double)f->good / f->seconds) / 10);
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
    TRIB_TRY(cli_feed_open(settings, arguments->items[0], arguments, 1, &source, o->batch, o->workers, &e->feed));
    TRIB_TRY(prepare(e, file));
    trib_status status = cli_feed_run(&e->feed, TOP, count_batch, e);
    if (status.code == TRIB_CANCELLED) {
        cli_message("interrupted after %" PRId64 " images; nothing was written", e->feed.good);
        return status;
    }
    if (trib_failed(&status)) return status;
    if (e->feed.good == 0)
        return TRIB_ERROR(TRIB_BAD_DATA, "none of the %" PRId64 " images could be read with a label", e->feed.skipped);
    return print_results(e, file);
}

static int evaluate(const eval_options *options, const cli_settings *settings, const cli_texts *arguments,
                    cli_files files)
{
    eval e = { .options = options, .files = files };
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
    cli_group groups[] = {
        CLI_GROUP("Options", table, &own), cli_eval_boxes_group(&boxes), cli_truth_group(&boxes.files),
        cli_compute_group(&settings),      cli_size_group(&settings),    cli_decode_group(&settings),
        cli_preprocess_group(&settings),   cli_caffe_group(&settings),   CLI_GROUPS_END
    };
    cli_texts arguments = { 0 };
    int code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_eval_boxes_check(self, &boxes, &arguments);
    if (code == CLI_GO_ON && boxes.truth && (own.labels || own.confusion))
        code = cli_usage(self, "--%s is for classes of images, not for --boxes", own.labels ? "labels" : "confusion");
    const cli_eval_boxes_results results = { own.results, own.overwrite };
    if (code == CLI_GO_ON && boxes.truth) code = cli_eval_boxes(&boxes, &results, groups, &settings, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 1, 1 << 30, "DATASET");
    if (code == CLI_GO_ON) code = evaluate(&own, &settings, &arguments, cli_files_of(groups, &settings, &arguments));
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "measure accuracy on labelled images, or how well objects are found",
    .synopsis = "MODEL DATASET... [--labels FILE] [--confusion] [--results-file FILE]\n"
                "       tributary eval --boxes TRUTH [DETECTIONS] [--proposals FILE] [--rule RULE] [--plot FILE]",
    .description =
        "Classifies labelled images and prints JSON: top1, top1_err, top5 and top5_err in percent, num_images, "
        "skipped, images_per_second (from the first read to the last result, including the preparation of the "
        "network), and per_class.\n\n"
        "A DATASET is a folder with one subfolder of images per class, tar shards in which each image has a .cls file "
        "beside it, or an IDX file of images with its labels. A shard or an IDX file may come through a pipe. Images "
        "that cannot be read are skipped; the exit code is then 3.\n\n"
        "A class folder is named after a class of the model or has its index as name (0, 007); if both match, the "
        "class of that name wins. Any byte of a name may be written as %XX: T-shirt%2Ftop for T-shirt/top. If the "
        "model has no class names, folders that are all indices are taken as such, and others are numbered in the "
        "order of their names. Hidden folders are ignored. How folders were matched, and classes without images, are "
        "reported on standard error.\n\n"
        "With --boxes, nothing is classified: average precision of DETECTIONS is measured by the rules of VOC, COCO or "
        "ILSVRC, per class and over classes, and how far proposals cover the objects. DETECTIONS are known by their "
        "content: COCO's results (a JSON list), what 'detect' writes (csv with the columns filename, label, score and "
        "x, y, width, height or xmin, ymin, xmax, ymax; jsonl), ILSVRC's results (lines of seven words), VOC's "
        "(lines of six words in CLASS.txt or ANYTHING_CLASS.txt, or a folder of them), or a folder of YOLO's .txt "
        "files "
        "with scores. COCO's and ILSVRC's images are found by number; all others by name: without folders and "
        "extension, unless several are then the same. Precisions, recalls and overlaps are parts of 1, and null where "
        "there is nothing to be found.",
    .examples = "  $ tributary eval model.safetensors imagenet/val\n"
                "  $ tributary eval model.safetensors t10k-images-idx3-ubyte.gz --confusion\n"
                "  $ tributary eval model.safetensors 'val-{000000..000049}.tar' --results-file val.json\n"
                "  $ tributary eval --boxes instances_val2017.json detections.json\n"
                "  $ tributary eval --boxes VOC2007/Annotations found.csv --rule voc2007 --plot curves.svg\n"
                "  $ tributary eval --boxes truth.json --proposals proposals.jsonl\n",
    .run = run,
};

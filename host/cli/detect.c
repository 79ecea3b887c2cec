/* SPDX-License-Identifier: Apache-2.0
 * tributary detect: boxes of objects in images, in input order. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "box_rows.h"
#include "detect/truth_file.h"
#include "detect_pictures.h"
#include "detector.h"
#include "files.h"
#include "skipped.h"

typedef struct detect_options {
    int format;
    const char *output, *errors, *truth, *draw;
    double draw_threshold;
    bool resume, overwrite;
} detect_options;
#define AT(field) offsetof(detect_options, field)
static const cli_option table[] = {
    { 'o', "output", CLI_FILE_OUT, AT(output), "FILE", "write to FILE instead of standard output", 0, 0 },
    { 0, "format", CLI_CHOICE, AT(format), "csv|jsonl|coco|ilsvrc", "see above; default csv", 0, 0 },
    { 0, "truth", CLI_FILE_IN, AT(truth), "FILE",
      "for coco and ilsvrc: write the numbers that images and classes of the same names have in FILE (what 'tributary "
      "eval --boxes' takes); images that are not in it are skipped, and two inputs that by their names are one image "
      "of it are refused",
      0, 0 },
    { 0, "draw", CLI_TEXT, AT(draw), "DIR",
      "also draw each picture with its boxes, labels and scores, as DIR/NAME.png; a folder with files in it is refused "
      "without --overwrite or --resume, and one inside an input always",
      0, 0 },
    { 0, "draw-threshold", CLI_AMOUNT, AT(draw_threshold), "X", "draw boxes with a score of X or more; default 0.5", 0,
      1 },
    { 0, "resume", CLI_FLAG, AT(resume), NULL,
      "continue an interrupted --output: keep its complete images, check that they match these inputs, and add the "
      "rest. The file does not say which models and options made it, so they are not checked: give the same. The "
      "--errors file is rewritten",
      0, 0 },
    CLI_ERRORS_OPTION(AT(errors)),
    CLI_OVERWRITE_OPTION(AT(overwrite)),
};

typedef struct detect {
    const detect_options *options;
    const cli_files *files;
    cli_detector detector;
    cli_box_rows rows;
    trib_truth_file truth;
    trib_image_names names;
    cli_pictures pictures;
    cli_output output;
    cli_buffer out;
    cli_skipped skipped;
    cli_resume resume;
} detect;

/* ---- images ---- */

static void note_failure(void *context, const char *name, const char *reason)
{
    detect *d = context;
    cli_progress_clear(&d->detector.images.progress);
    cli_skipped_note(&d->skipped, name, reason);
}

/* Failures first: if the run is interrupted between the two writes, --resume finds and lists them again. */
static trib_status write_pending(detect *d)
{
    TRIB_TRY(cli_skipped_write(&d->skipped));
    return cli_output_write(&d->output, &d->out);
}

static const char *refuse(void *context, const char *name, char text[TRIB_MESSAGE_SIZE])
{
    const detect *d = context;
    return cli_box_rows_fault(&d->rows, name, text);
}

/* The picture first: rows say that an image is done. */
static trib_status write_image(void *context, const cli_found *found)
{
    detect *d = context;
    TRIB_TRY(cli_box_rows_take(&d->rows, found->name, found->index));
    if (trib_failed(found->status)) {
        const trib_status status = cli_with_hint(found->status);
        const char *reason = cli_reason(&status, found->name);
        note_failure(d, found->name, reason);
        cli_box_rows_failed(&d->rows, found->name, reason, &d->out);
        return write_pending(d);
    }
    const cli_boxed_image image = { .name = found->name,
                                    .index = found->index,
                                    .width = found->width,
                                    .height = found->height,
                                    .boxes = found->boxes,
                                    .count = found->count };
    if (d->pictures.folder) TRIB_TRY(cli_pictures_draw(&d->pictures, found->picture, &image, d->detector.labels));
    cli_box_rows_good(&d->rows, &image, &d->out);
    return write_pending(d);
}

/* ---- files ---- */

static trib_status open_truth(detect *d)
{
    if (!d->options->truth) return trib_success();
    TRIB_TRY(trib_truth_open(d->options->truth, NULL, &d->truth));
    TRIB_TRY(trib_image_names_of(&d->truth.truths, &d->names));
    d->rows.truths = &d->truth.truths;
    d->rows.names = &d->names;
    return trib_success();
}

static trib_status open_rows(detect *d)
{
    const cli_detector *detector = &d->detector;
    TRIB_TRY(open_truth(d));
    d->rows.format = (cli_box_format)d->options->format;
    d->rows.labels = detector->labels;
    d->rows.classes = detector->classes;
    d->rows.background = detector->background;
    d->rows.decode = &detector->settings->decode;
    d->rows.memory_limit = detector->settings->loader_memory;
    d->rows.proposals = detector->store ? &detector->proposals : NULL;
    return cli_box_rows_open(&d->rows);
}

static trib_status open_outputs(detect *d)
{
    const detect_options *o = d->options;
    const cli_records records = cli_box_rows_records(&d->rows);
    TRIB_TRY(cli_output_open(o->output, cli_output_mode_of(o->resume, o->overwrite), &d->output));
    d->resume = (cli_resume) {
        .records = &records, .source = d->detector.images.source, .failed = note_failure, .context = d, .empty = true
    };
    if (o->resume) TRIB_TRY(cli_resume_output(&d->resume, &d->output));
    if (d->resume.kept)
        cli_message("note: %s does not say which models and options made its rows; these are taken to be the same",
                    o->output);
    d->detector.images.already_done = d->resume.items;
    d->rows.some = d->resume.kept > 0;
    if (d->resume.empty) cli_box_rows_header(&d->rows, &d->out);
    return cli_skipped_open(&d->skipped, o->resume, o->overwrite);
}

static trib_status prepare(detect *d, const cli_settings *settings, const cli_detector_options *detection,
                           const cli_texts *arguments, int models)
{
    const detect_options *o = d->options;
    const trib_source_options source = { .outputs = d->files->writes.path, .output_count = d->files->writes.count };
    TRIB_TRY(cli_files_check(d->files));
    TRIB_TRY(cli_detector_open(settings, detection, arguments, models, &source, &d->detector));
    TRIB_TRY(open_rows(d));
    d->pictures = (cli_pictures) { .folder = o->draw, .threshold = o->draw_threshold, .overwrite = o->overwrite };
    if (o->draw) TRIB_TRY(cli_pictures_open(&d->pictures, o->resume, arguments, models));
    d->detector.keeps_pictures = o->draw;
    d->detector.refuse = refuse;
    d->detector.handle = write_image;
    d->detector.context = d;
    d->detector.images.rows_on_terminal = !o->output && isatty(STDOUT_FILENO);
    return open_outputs(d);
}

/* ---- the run ---- */

static double share(double seconds, double all) { return all > 0 ? 100 * seconds / all : 0; }

static void say_times(const cli_detector *r)
{
    fprintf(stderr,
            "%.1f images/s, %.0f regions/s over %.2f s, of which: preparing the models %.0f %%, regions through the "
            "network %.0f %%, non-maximum "
            "suppression %.1f %%, writing %.1f %%, waiting for images %.0f %%\n",
            (double)r->good / r->seconds, (double)r->regions / r->seconds, r->seconds,
            share(r->preparing_seconds, r->seconds), share(r->network_seconds, r->seconds),
            share(r->nms_seconds, r->seconds), share(r->handling_seconds, r->seconds),
            share(r->waiting_seconds, r->seconds));
    fprintf(stderr, "%s: %.2f s of all workers together\n", r->store ? "reading proposals" : "searching for proposals",
            r->proposal_seconds);
}

/* Also when interrupted: how far the run got. */
static void summarise(const detect *d)
{
    const cli_detector *r = &d->detector;
    const int64_t before = d->resume.items - d->resume.failures;
    fprintf(stderr, "%" PRId64 " images", r->good);
    if (before > 0) fprintf(stderr, " after %" PRId64 " from before", before);
    fprintf(stderr, ", %" PRId64 " skipped; %" PRId64 " boxes of %" PRId64 " regions\n",
            r->skipped + d->resume.failures, r->boxes, r->regions);
    if (r->seconds > 0) say_times(r);
}

static trib_status finish(detect *d)
{
    cli_box_rows_end(&d->rows, &d->out);
    TRIB_TRY(write_pending(d)); /* also the header, if there was no image */
    TRIB_TRY(cli_output_close(&d->output));
    return cli_skipped_close(&d->skipped);
}

static trib_status detect_all(detect *d, const cli_settings *settings, const cli_detector_options *detection,
                              const cli_texts *arguments, int models)
{
    TRIB_TRY(prepare(d, settings, detection, arguments, models));
    trib_status status = cli_detector_run(&d->detector);
    if (!trib_failed(&status)) status = finish(d);
    if (!trib_failed(&status) || status.code == TRIB_CANCELLED) summarise(d);
    cli_output_say_unfinished(&status, d->options->output);
    return status;
}

static void close_all(detect *d)
{
    cli_output_close(&d->output);
    cli_skipped_release(&d->skipped);
    cli_buffer_release(&d->out);
    cli_box_rows_close(&d->rows);
    cli_pictures_close(&d->pictures);
    trib_image_names_release(&d->names);
    trib_truth_close(&d->truth);
    cli_detector_close(&d->detector);
}

static int detect_inputs(const detect_options *options, const cli_settings *settings,
                         const cli_detector_options *detection, const cli_texts *arguments, int models, cli_files files)
{
    cli_files_add_models(&files, arguments, models);
    files.prints = !options->output;
    detect d = {
        .options = options, .files = &files, .output = { .fd = -1 }, .skipped = cli_skipped_begin(options->errors)
    };
    trib_status status = detect_all(&d, settings, detection, arguments, models);
    int code = trib_failed(&status)                     ? cli_report(&status)
               : d.detector.skipped + d.resume.failures ? CLI_SKIPPED
                                                        : CLI_OK;
    close_all(&d);
    return code;
}

static int check(const cli_command *self, const detect_options *own, const cli_detector_options *detection)
{
    const bool numbers = own->format == CLI_BOXES_COCO || own->format == CLI_BOXES_ILSVRC;
    if (own->resume && !own->output) return cli_usage(self, "--resume continues a file: add -o FILE");
    if (own->resume && own->overwrite) return cli_usage(self, "--resume and --overwrite contradict each other");
    if (own->truth && !numbers)
        return cli_usage(self, "--truth gives numbers to images and classes: add --format coco or ilsvrc");
    return cli_detector_check(self, detection);
}

static int run(const cli_command *self, int argc, char **argv)
{
    cli_settings settings = cli_default_settings();
    cli_detector_options detection = cli_default_detector_options();
    detect_options own = { .draw_threshold = 0.5 };
    cli_group groups[] = { CLI_GROUP("Options", table, &own), cli_detector_group(&detection),
                           cli_members_compute_group(&settings), cli_decode_group(&settings), CLI_GROUPS_END };
    cli_texts arguments = { 0 };
    int models = 0, code = cli_parse(self, groups, argc, argv, &arguments);
    if (code == CLI_GO_ON) code = cli_expect(self, &settings, &arguments, 1, 1 << 30, "INPUT");
    if (code == CLI_GO_ON) code = check(self, &own, &detection);
    if (code == CLI_GO_ON) code = cli_expect_models(self, &settings, &arguments, "INPUT", &models);
    if (code == CLI_GO_ON)
        code =
            detect_inputs(&own, &settings, &detection, &arguments, models, cli_files_of(groups, &settings, &arguments));
    cli_options_release(groups, &arguments);
    return code;
}

const cli_command cli_detect = {
    .name = "detect",
    .summary = "find objects in images: boxes, classes and scores",
    .synopsis = "MODEL... INPUT... [-o FILE] [--format csv|jsonl|coco|ilsvrc] [--draw DIR]",
    .description =
        "Finds objects as R-CNN and GoogLeNet's paper do: an image is searched for regions that may hold an object (or "
        "they are read from --proposals), each is cut out with some of its surroundings (16 pixels of 224), warped to "
        "the network's "
        "input and classified, and of overlapping boxes of one class the surest remains. A MODEL is one of regions, "
        "with a class 'background' ('tributary train --boxes'); of several, which must have the same classes, the "
        "probabilities are averaged. The leading arguments that are model files are MODELs. An INPUT is what "
        "'tributary "
        "classify' takes: images, folders, @LIST, -, tar files, IDX files, pipes.\n\n"
        "Boxes are written image by image, in input order, the surest of an image first:\n"
        "  csv     filename,label,score,x,y,width,height: a row per box, none for an image without boxes\n"
        "  jsonl   one object per image, with its size and detections, each with label, bbox and score, or with the "
        "error\n"
        "  coco    COCO's results, one list of boxes, with file_name and category besides the numbers\n"
        "  ilsvrc  lines of image number, class number, score, xmin, ymin, xmax, ymax, pixels from 0 on\n"
        "Coordinates are pixels of the image, from 0 at its top left corner. In coco and ilsvrc, images and classes "
        "have the numbers of --truth; without it, an image's number is its place in the inputs, and a class's its "
        "place "
        "without background, both from 1 on. 'tributary eval --boxes' reads all of these.\n\n"
        "An image that cannot be read, or has no line in --proposals, is skipped and reported on standard error with "
        "the reason; the exit code is then 3. An image without regions has no boxes.",
    .examples = "  $ tributary detect garments.safetensors photos/ -o boxes.csv --draw drawn/\n"
                "  $ tributary detect a.safetensors b.safetensors photos/ --format jsonl -o boxes.jsonl --resume\n"
                "  $ tributary propose photos/ -o photos.jsonl\n"
                "  $ tributary detect garments.safetensors photos/ --proposals photos.jsonl --threshold 0.5\n"
                "  $ tributary detect garments.safetensors val/ --truth val.json --format coco -o results.json\n",
    .run = run,
};

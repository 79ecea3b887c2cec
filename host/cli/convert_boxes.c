/* SPDX-License-Identifier: Apache-2.0
 * convert --boxes TRUTH: truth, or detections of it, in the format of COCO, VOC, ILSVRC or YOLO. */
#include "convert_boxes.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "convert_boxes_check.h"
#include "data/file.h"
#include "detect/coco.h"
#include "detect/ilsvrc.h"
#include "detect/path.h"
#include "detect/voc.h"
#include "detect/yolo.h"
#include "files.h"
#include "output.h"
#include "tributary/internal/alloc.h"

#define AT(field) offsetof(cli_convert_boxes_options, field)
static const cli_option table[] = {
    { 0, "boxes", CLI_FILE_IN, AT(truth), "TRUTH",
      "write boxes instead of a model: those of TRUTH (what 'tributary eval --boxes' takes), or DETECTIONS of them", 0,
      0 },
    { 0, "format", CLI_CHOICE, AT(format), "coco|voc|ilsvrc|yolo",
      "of OUT: coco: a JSON file; voc, ilsvrc: a folder of XML files, or detections as text; yolo: a folder of text "
      "files; default: coco if OUT ends in .json",
      0, 0 },
};

cli_group cli_convert_boxes_group(cli_convert_boxes_options *options)
{
    return (cli_group)CLI_GROUP("Boxes of objects", table, options);
}

static bool is_coco(const cli_convert_boxes_options *o, const char *out)
{
    return o->format == CLI_NOT_GIVEN ? trib_ends_with(out, ".json") : o->format == TRIB_BOXES_COCO;
}

int cli_convert_boxes_check(const cli_command *self, const cli_convert_boxes_options *o, const cli_texts *arguments)
{
    const char *given = cli_truth_option_given(&o->files);
    if (!o->truth && o->format != CLI_NOT_GIVEN) given = "format";
    if (!o->truth && given) return cli_usage(self, "--%s is for boxes of objects: add --boxes TRUTH", given);
    if (!o->truth) return CLI_GO_ON;
    if (!arguments->count) return cli_usage(self, "which OUT? Name the file or folder to write");
    if (arguments->count > 2) return cli_usage(self, "'%s' is one argument too many", arguments->items[2]);
    const char *out = arguments->items[arguments->count - 1];
    if (o->format == CLI_NOT_GIVEN && !is_coco(o, out))
        return cli_usage(self, "%s: which format? Add --format coco, voc, ilsvrc or yolo", out);
    return CLI_GO_ON;
}

/* What is converted, and where to. */
typedef struct conversion {
    trib_box_format format;
    trib_truth_file truth;
    trib_detection_file found;
    bool has_detections, overwrite;
    size_t clipped; /* boxes, to their images */
    const char *out;
} conversion;

/* ---- what a format cannot say ---- */

static void say_what_is_lost(const conversion *c)
{
    const trib_truths *t = &c->truth.truths;
    const bool yolo = c->format == TRIB_BOXES_YOLO;
    size_t crowds = 0, difficult = 0;
    for (size_t i = 0; i < t->count; ++i) {
        crowds += t->items[i].crowd;
        difficult += t->items[i].difficult;
    }
    if (c->clipped)
        cli_message("%zu boxes were clipped to their images: YOLO has no numbers for what lies beyond", c->clipped);
    if (c->has_detections || c->format == TRIB_BOXES_COCO) return;
    if (yolo && crowds + difficult)
        cli_message("%zu crowds and difficult objects are written as any other: YOLO does not tell them apart",
                    crowds + difficult);
    if (!yolo && crowds) cli_message("%zu crowds are written as difficult objects: VOC has no crowds", crowds);
}

/* ---- files and folders ---- */

static trib_status make_folder(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return trib_success();
    return TRIB_FILE_ERROR("mkdir", "make the folder", path, errno);
}

static bool has_files(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool found = false;
    while (folder && !found && (entry = readdir(folder)) != NULL) found = entry->d_name[0] != '.';
    if (folder) closedir(folder);
    return found;
}

/* Whether OUT will be one file. */
static bool is_one_file(const conversion *c)
{
    return c->format == TRIB_BOXES_COCO || (c->format == TRIB_BOXES_ILSVRC && c->has_detections);
}

static trib_status prepare_out(const conversion *c)
{
    if (is_one_file(c)) return cli_output_check(c->out, c->overwrite ? CLI_OUTPUT_OVERWRITE : CLI_OUTPUT_NEW);
    TRIB_TRY(make_folder(c->out));
    if (c->overwrite) return cli_check_leftovers(c->out, &c->truth.truths, c->has_detections, c->format);
    if (!has_files(c->out)) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "%s: already exists and has files; name another folder, or replace files with --overwrite",
                      c->out);
}

/* ---- writing ---- */

static trib_status write_one(const conversion *c)
{
    trib_text text = { 0 };
    const trib_truths *t = &c->truth.truths;
    trib_text_add(&text, ""); /* there may be nothing else */
    if (c->format == TRIB_BOXES_ILSVRC)
        trib_ilsvrc_write_results(t, &c->found.detections, &text);
    else if (c->has_detections)
        trib_coco_write_results(t, &c->found.detections, &text);
    else
        trib_coco_write(t, &text);
    trib_status s = trib_write_text(c->out, &text);
    trib_text_free(&text);
    return s;
}

static trib_status write_named(const conversion *c, const char *name, const char *end, const trib_text *text)
{
    char *path = NULL;
    TRIB_TRY(trib_join_path(c->out, name, strlen(name), end, &path));
    trib_status s = trib_write_text(path, text);
    trib_free(path);
    return s;
}

/* A file for each class, also for those without detections. */
static trib_status write_voc_results(const conversion *c)
{
    const trib_truths *t = &c->truth.truths;
    for (size_t i = 0; i < t->category_count; ++i) {
        trib_text text = { 0 };
        trib_text_add(&text, "");
        trib_voc_write_results(t, &c->found.detections, (int)i, 1, &text);
        trib_status s = write_named(c, t->categories[i].name, ".txt", &text);
        trib_text_free(&text);
        if (trib_failed(&s)) return s;
    }
    return trib_success();
}

static trib_status write_yolo(conversion *c)
{
    const trib_truths *t = &c->truth.truths;
    trib_text names = { 0 };
    TRIB_TRY(trib_yolo_write_folder(t, c->has_detections ? &c->found.detections : NULL, c->out, &c->clipped));
    if (c->has_detections) return trib_success();
    for (size_t i = 0; i < t->category_count; ++i) {
        trib_text_add(&names, t->categories[i].name);
        trib_text_add(&names, "\n");
    }
    trib_status s = write_named(c, "classes", ".txt", &names);
    trib_text_free(&names);
    return s;
}

static trib_status write_text_of(const conversion *c, void (*write)(const trib_truths *, trib_text *), const char *name)
{
    trib_text text = { 0 };
    trib_text_add(&text, "");
    write(&c->truth.truths, &text);
    trib_status s = write_named(c, name, "", &text);
    trib_text_free(&text);
    return s;
}

/* Results have numbers for images and classes: these lists say which. */
static trib_status write_ilsvrc(const conversion *c)
{
    TRIB_TRY(trib_voc_write_folder(&c->truth.truths, 0, c->out));
    TRIB_TRY(write_text_of(c, trib_ilsvrc_write_classes, TRIB_ILSVRC_CLASSES));
    return write_text_of(c, trib_ilsvrc_write_list, TRIB_ILSVRC_LIST);
}

static trib_status write_folder(conversion *c)
{
    if (c->format == TRIB_BOXES_YOLO) return write_yolo(c);
    if (c->format == TRIB_BOXES_ILSVRC) return write_ilsvrc(c);
    if (c->has_detections) return write_voc_results(c);
    return trib_voc_write_folder(&c->truth.truths, 1, c->out);
}

/* ---- the command ---- */

/* A folder that is read and written: its files would be replaced one by one. */
static bool is_same_folder(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && S_ISDIR(first.st_mode) && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static trib_status check_folders(const cli_convert_boxes_options *o, const char *detections, const char *out)
{
    const char *const read[] = { o->truth, detections };
    for (int i = 0; i < 2; ++i)
        if (read[i] && is_same_folder(read[i], out))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s would be lost: OUT is the same folder; name another one",
                              read[i]);
    return trib_success();
}

static trib_status check_files(const cli_group *groups, const cli_settings *settings, const cli_texts *arguments)
{
    static const cli_texts no_model;
    cli_files files = cli_files_of(groups, settings, &no_model);
    files.prints = false;
    if (arguments->count > 1) cli_files_add(&files.reads, "DETECTIONS", arguments->items[0]);
    cli_files_add(&files.writes, "OUT", arguments->items[arguments->count - 1]);
    return cli_files_check(&files);
}

static trib_status convert(conversion *c, const cli_convert_boxes_options *o, const char *detections)
{
    TRIB_TRY(trib_truth_open(o->truth, &o->files, &c->truth));
    cli_message("%s: %s", o->truth, c->truth.taken);
    if (detections) {
        TRIB_TRY(trib_detections_open(detections, &c->truth, &c->found));
        cli_message("%s: %s", detections, c->found.taken);
    }
    TRIB_TRY(cli_check_box_names(&c->truth.truths, detections ? &c->found.detections : NULL, c->format));
    TRIB_TRY(prepare_out(c));
    TRIB_TRY(is_one_file(c) ? write_one(c) : write_folder(c));
    say_what_is_lost(c);
    cli_message("wrote %s: %s, %zu %s", c->out, trib_box_format_name(c->format),
                detections ? c->found.detections.count : c->truth.truths.count, detections ? "detections" : "boxes");
    return trib_success();
}

int cli_convert_boxes(const cli_convert_boxes_options *options, bool overwrite, const cli_group *groups,
                      const cli_settings *settings, const cli_texts *arguments)
{
    const char *out = arguments->items[arguments->count - 1];
    const char *detections = arguments->count > 1 ? arguments->items[0] : NULL;
    conversion c = { .out = out, .has_detections = detections != NULL, .overwrite = overwrite };
    c.format = is_coco(options, out) ? TRIB_BOXES_COCO : (trib_box_format)options->format;
    trib_status status = check_files(groups, settings, arguments);
    if (!trib_failed(&status)) status = check_folders(options, detections, out);
    if (!trib_failed(&status)) status = convert(&c, options, detections);
    trib_truth_close(&c.truth);
    trib_detections_close(&c.found);
    return trib_failed(&status) ? cli_report(&status) : CLI_OK;
}

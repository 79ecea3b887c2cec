/* SPDX-License-Identifier: Apache-2.0
 * Which of the formats of detections a file or folder has. */
#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "detect/coco.h"
#include "detect/detection_names.h"
#include "detect/fields.h"
#include "detect/ilsvrc.h"
#include "detect/json_walk.h"
#include "detect/path.h"
#include "detect/truth_private.h"
#include "detect/voc.h"
#include "detect/yolo.h"
#include "tributary/internal/alloc.h"

typedef struct opening {
    const trib_truth_file *truth;
    trib_detection_file *file;
} opening;

/* ---- text files ---- */

/* The class that a file of VOC's results is called after: "car.txt", "comp4_det_test_car.txt". -1: none. Of several,
 * the longest. */
static int class_of_file(const trib_truths *truths, const char *path)
{
    const char *base = trib_base_name(path);
    const size_t length = trib_ends_with(base, ".txt") ? strlen(base) - 4 : strlen(base);
    int found = -1;
    size_t longest = 0;
    for (size_t i = 0; i < truths->category_count; ++i) {
        const char *name = truths->categories[i].name;
        const size_t size = strlen(name);
        if (size > length || size <= longest || memcmp(base + length - size, name, size) != 0) continue;
        if (size < length && base[length - size - 1] != '_') continue;
        longest = size;
        found = (int)i;
    }
    return found;
}

static trib_status read_voc(const opening *o, const char *bytes, size_t size, const char *path)
{
    const int category = class_of_file(&o->truth->truths, path);
    if (category < 0)
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "%s: lines of six words are VOC's results of one class, but the file is not called after one "
                          "of the truth's classes (CLASS.txt, or ANYTHING_CLASS.txt)",
                          trib_shorten(path).text);
    o->file->format = TRIB_BOXES_VOC;
    return trib_voc_read_results(bytes, size, path, category, 1, &o->truth->truths, &o->file->detections);
}

static trib_status read_lines_of_text(const opening *o, const char *bytes, size_t size, const char *path)
{
    trib_lines lines;
    bool end = false;
    trib_lines_start(&lines, bytes, size, path);
    TRIB_TRY(trib_lines_next(&lines, &end));
    if (lines.count == 6) return read_voc(o, bytes, size, path);
    if (lines.count == 7) {
        o->file->format = TRIB_BOXES_ILSVRC;
        return trib_ilsvrc_read_results(bytes, size, path, &o->truth->truths, &o->file->detections);
    }
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: not a file of detections: it is neither COCO's JSON list, csv or lines of JSON with the "
                      "names that 'detect' writes, nor lines of six (VOC) or seven (ILSVRC) words",
                      trib_shorten(path).text);
}

/* ---- files ---- */

/* Fails if the first name in an object is one that COCO's truth begins with. */
static trib_status refuse_truth(const char *bytes, size_t size, const char *path)
{
    static const char *const names[] = { "info", "licenses", "images", "annotations", "categories" };
    trib_json_walk walk = { bytes, size, 0, path };
    cJSON *key = NULL;
    bool found = false;
    if (trib_json_kind(&walk) != '{') return trib_success();
    trib_json_enter(&walk);
    trib_status s = trib_json_member(&walk, true, &key);
    if (trib_failed(&s)) return s.code == TRIB_BAD_DATA ? trib_success() : s; /* the line is refused with its number */
    for (int i = 0; i < 5 && key; ++i) found |= !strcmp(cJSON_GetStringValue(key), names[i]);
    trib_json_free(key);
    if (!found) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: this looks like COCO's truth; its detections are a list",
                      trib_shorten(path).text);
}

static trib_status read_objects(const opening *o, const char *bytes, size_t size, const char *path)
{
    TRIB_TRY(refuse_truth(bytes, size, path));
    o->file->format = TRIB_BOXES_JSONL;
    return trib_read_detection_jsonl(bytes, size, path, &o->truth->truths, &o->file->detections);
}

static trib_status read_bytes(const opening *o, const char *bytes, size_t size, const char *path)
{
    switch (trib_first_character(bytes, size)) {
    case 0: return TRIB_ERROR(TRIB_BAD_DATA, "%s: is empty", trib_shorten(path).text);
    case '[':
        o->file->format = TRIB_BOXES_COCO;
        return trib_coco_read_results(bytes, size, path, &o->truth->truths, &o->file->detections);
    case '{': return read_objects(o, bytes, size, path);
    case '<':
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: XML, which is truth; detections have scores", trib_shorten(path).text);
    default: break;
    }
    if (!trib_is_detection_csv(bytes, size)) return read_lines_of_text(o, bytes, size, path);
    o->file->format = TRIB_BOXES_CSV;
    return trib_read_detection_csv(bytes, size, path, &o->truth->truths, &o->file->detections);
}

/* ---- folders ---- */

/* How many files are called after images, and how many after classes. */
static void count_files(const trib_truths *truths, const trib_image_names *images, const trib_names *names,
                        size_t *of_images, size_t *of_classes)
{
    for (size_t i = 0; i < names->count; ++i) {
        char stem[300];
        snprintf(stem, sizeof stem, "%.*s", (int)(strlen(names->items[i]) - strlen(".txt")), names->items[i]);
        *of_images += trib_find_image(images, stem) != TRIB_NO_IMAGE;
        *of_classes += class_of_file(truths, names->items[i]) >= 0;
    }
}

static trib_status file_of_neither(const char *folder, const trib_truths *truths, const trib_names *names)
{
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: files such as %s are called neither all after images of the truth, such as %.100s (YOLO), "
                      "nor all after its classes, such as %.100s (VOC)",
                      trib_shorten(folder).text, trib_shorten(names->items[0]).text,
                      truths->image_count ? truths->images[0].name : "(there are none)",
                      truths->category_count ? truths->categories[0].name : "(there are none)");
}

static trib_status read_voc_files(const opening *o, const char *folder, const trib_names *names)
{
    o->file->format = TRIB_BOXES_VOC;
    for (size_t i = 0; i < names->count; ++i) {
        char *path = NULL, *bytes = NULL;
        size_t size = 0;
        TRIB_TRY(trib_join_path(folder, names->items[i], strlen(names->items[i]), "", &path));
        trib_status s = trib_read_text(path, &bytes, &size);
        if (!trib_failed(&s)) s = read_voc(o, bytes, size, path);
        trib_free(bytes);
        trib_free(path);
        if (trib_failed(&s)) return s;
    }
    return trib_success();
}

static trib_status read_text_files(const opening *o, const char *folder, const trib_names *names)
{
    const trib_truths *truths = &o->truth->truths;
    trib_image_names images = { 0 };
    size_t of_images = 0, of_classes = 0;
    TRIB_TRY(trib_image_names_of(truths, &images));
    count_files(truths, &images, names, &of_images, &of_classes);
    trib_image_names_release(&images);
    if (of_classes == names->count) return read_voc_files(o, folder, names);
    if (of_images != names->count) return file_of_neither(folder, truths, names);
    o->file->format = TRIB_BOXES_YOLO;
    /* Truth is not changed where there are detections. */
    return trib_yolo_read_folder(folder, (trib_truths *)truths, &o->file->detections);
}

static trib_status open_folder(const opening *o, const char *folder)
{
    trib_names names = { 0 };
    trib_status s = trib_list_files(folder, ".txt", &names);
    if (!trib_failed(&s) && !names.count)
        s = TRIB_ERROR(TRIB_NOT_FOUND, "%s: a folder without .txt files (YOLO or VOC); of others name the file",
                       trib_shorten(folder).text);
    if (!trib_failed(&s)) s = read_text_files(o, folder, &names);
    trib_names_free(&names);
    return s;
}

/* Takes `file`. */
static trib_status finish(trib_status s, trib_detection_file *file, trib_detection_file *out)
{
    const size_t count = file->detections.count;
    if (trib_failed(&s)) {
        trib_detections_close(file);
        return s;
    }
    snprintf(file->taken, sizeof file->taken, "%s: %zu detection%s", trib_box_format_name(file->format), count,
             count == 1 ? "" : "s");
    *out = *file;
    return s;
}

trib_status trib_detections_read(const char *bytes, size_t size, const char *path, const trib_truth_file *truth,
                                 trib_detection_file *out)
{
    trib_detection_file file = { 0 };
    const opening o = { truth, &file };
    return finish(read_bytes(&o, bytes, size, path), &file, out);
}

trib_status trib_detections_open(const char *path, const trib_truth_file *truth, trib_detection_file *out)
{
    char *bytes = NULL;
    size_t size = 0;
    trib_detection_file file = { 0 };
    const opening o = { truth, &file };
    if (trib_is_folder(path)) return finish(open_folder(&o, path), &file, out);
    TRIB_TRY(trib_read_text(path, &bytes, &size));
    trib_status s = trib_detections_read(bytes, size, path, truth, out);
    trib_free(bytes);
    return s;
}

void trib_detections_close(trib_detection_file *file) { trib_detections_release(&file->detections); }

/* SPDX-License-Identifier: Apache-2.0
 * COCO's, VOC's and ILSVRC's truth; YOLO's is in truth_yolo.c. */
#include "detect/truth_file.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "data/file.h"
#include "data/input.h"
#include "detect/coco.h"
#include "detect/fields.h"
#include "detect/ilsvrc.h"
#include "detect/path.h"
#include "detect/truth_private.h"
#include "detect/voc.h"
#include "detect/xml.h"
#include "detect/yolo.h"
#include "tributary/internal/alloc.h"

const char *trib_box_format_name(trib_box_format format)
{
    static const char *const names[] = { "COCO JSON", "VOC", "ILSVRC", "YOLO", "csv", "jsonl" };
    return names[format];
}

const char *trib_similar_category(const trib_truths *truths, const char *name)
{
    for (size_t i = 0; i < truths->category_count; ++i)
        if (strcasecmp(truths->categories[i].name, name) == 0) return truths->categories[i].name;
    return NULL;
}

bool trib_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

trib_status trib_find_beside(const char *folder, const char *name, char **path)
{
    char *joined = NULL;
    struct stat info;
    *path = NULL;
    TRIB_TRY(trib_join_path(folder, name, strlen(name), "", &joined));
    if (stat(joined, &info) == 0)
        *path = joined;
    else
        trib_free(joined);
    return trib_success();
}

/* ---- VOC or ILSVRC ---- */

typedef enum dialect { SAYS_NOTHING, IS_VOC, IS_ILSVRC } dialect;

static bool is_wordnet_id(const char *name)
{
    return name[0] == 'n' && strlen(name) == 9 && strspn(name + 1, "0123456789") == 8;
}

/* Of what cannot be read as XML it says nothing: reading it fails with a message. */
static dialect dialect_of(const char *bytes, size_t size, const char *name)
{
    trib_xml xml;
    dialect says = SAYS_NOTHING;
    trib_xml_start(&xml, bytes, size, name);
    for (;;) {
        trib_xml_event event;
        trib_status s = trib_xml_next(&xml, &event);
        if (trib_failed(&s)) return SAYS_NOTHING;
        if (event == TRIB_XML_END) return says;
        if (event != TRIB_XML_CLOSES) continue;
        if (!strcmp(xml.path, "annotation/source/database") && !strncmp(xml.text, "ILSVRC", 6)) return IS_ILSVRC;
        if (!strcmp(xml.path, "annotation/source/database") && strstr(xml.text, "VOC")) return IS_VOC;
        if (strcmp(xml.path, "annotation/object/name") != 0) continue;
        if (!is_wordnet_id(xml.text)) return IS_VOC;
        says = IS_ILSVRC;
    }
}

static trib_status dialect_of_file(const char *folder, const char *name, dialect *out)
{
    char *path = NULL, *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_join_path(folder, name, strlen(name), "", &path));
    trib_status s = trib_read_text(path, &bytes, &size);
    if (!trib_failed(&s)) *out = dialect_of(bytes, size, path);
    trib_free(bytes);
    trib_free(path);
    return s;
}

/* The first file that says something decides. */
static trib_status dialect_of_folder(const char *folder, const trib_names *names, dialect *out)
{
    *out = SAYS_NOTHING;
    for (size_t i = 0; i < names->count && *out == SAYS_NOTHING; ++i)
        TRIB_TRY(dialect_of_file(folder, names->items[i], out));
    return trib_success();
}

trib_status trib_read_class_list(const char *path, bool ilsvrc, trib_truths *truths)
{
    char *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_text(path, &bytes, &size));
    trib_status s =
        ilsvrc ? trib_ilsvrc_read_classes(bytes, size, path, truths) : trib_yolo_read_names(bytes, size, path, truths);
    trib_free(bytes);
    return s;
}

static trib_status read_ilsvrc_classes(const char *folder, const char *given, bool *known, trib_truth_file *truth)
{
    static const char *const places[] = { TRIB_ILSVRC_CLASSES, "../" TRIB_ILSVRC_CLASSES };
    char *found = NULL;
    for (int i = 0; i < 2 && !given && !found; ++i) TRIB_TRY(trib_find_beside(folder, places[i], &found));
    *known = given || found;
    trib_status s = *known ? trib_read_class_list(given ? given : found, true, &truth->truths) : trib_success();
    trib_free(found);
    truth->has_numbers = *known;
    return s;
}

/* Everything but the annotations. */
static trib_status prepare_voc(const char *folder, dialect says, const trib_truth_options *options,
                               trib_voc_options *voc, trib_truth_file *truth)
{
    const bool ilsvrc = says == IS_ILSVRC;
    truth->format = ilsvrc ? TRIB_BOXES_ILSVRC : TRIB_BOXES_VOC;
    *voc = (trib_voc_options) { !ilsvrc, options->classes != NULL };
    if (ilsvrc) return read_ilsvrc_classes(folder, options->classes, &voc->known_categories, truth);
    if (options->classes) TRIB_TRY(trib_read_class_list(options->classes, false, &truth->truths));
    for (size_t i = 0; i < truth->truths.category_count; ++i) truth->truths.categories[i].id = (int64_t)i + 1;
    return trib_success();
}

/* The list beside the annotations gives the images' numbers, and does not leave out any of them. */
static trib_status read_ilsvrc_folder(const char *folder, const trib_names *names, const trib_voc_options *voc,
                                      trib_truth_file *truth)
{
    char *list = NULL;
    TRIB_TRY(trib_find_beside(folder, TRIB_ILSVRC_LIST, &list));
    trib_status s = trib_voc_read_folder(folder, list, voc, &truth->truths);
    if (!trib_failed(&s) && list && truth->truths.image_count != names->count)
        s = TRIB_ERROR(TRIB_BAD_DATA,
                       "%s: names %zu of the %zu annotations beside it; name a list of those that count, or remove the "
                       "others",
                       trib_shorten(list).text, truth->truths.image_count, names->count);
    truth->has_numbers |= list != NULL;
    trib_free(list);
    return s;
}

static trib_status open_voc_folder(const char *folder, const trib_names *names, const trib_truth_options *options,
                                   trib_truth_file *truth)
{
    dialect says;
    trib_voc_options voc;
    TRIB_TRY(dialect_of_folder(folder, names, &says));
    TRIB_TRY(prepare_voc(folder, says, options, &voc, truth));
    if (options->list || says != IS_ILSVRC) return trib_voc_read_folder(folder, options->list, &voc, &truth->truths);
    return read_ilsvrc_folder(folder, names, &voc, truth);
}

static trib_status open_voc(const char *bytes, size_t size, const char *path, const trib_truth_options *options,
                            trib_truth_file *truth)
{
    trib_voc_options voc;
    trib_text folder = { 0 };
    const size_t length = (size_t)(trib_base_name(path) - path);
    trib_text_put(&folder, length ? path : "./", length ? length : 2);
    trib_status s = folder.failed ? trib_no_memory(path)
                                  : prepare_voc(folder.bytes, dialect_of(bytes, size, path), options, &voc, truth);
    trib_text_free(&folder);
    if (trib_failed(&s)) return s;
    return trib_voc_read(bytes, size, path, &voc, &truth->truths);
}

/* ---- files ---- */

char trib_first_character(const char *bytes, size_t size)
{
    for (size_t i = trib_mark_length(bytes, size); i < size; ++i)
        if (!strchr(" \t\r\n", bytes[i]) || !bytes[i]) return bytes[i];
    return 0;
}

static trib_status open_coco(const char *bytes, size_t size, const char *path, const trib_truth_options *options,
                             trib_truth_file *truth)
{
    truth->format = TRIB_BOXES_COCO;
    truth->has_numbers = true;
    if (options->classes)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: COCO's file has its own classes; leave out the list %s",
                          trib_shorten(path).text, trib_shorten(options->classes).text);
    return trib_coco_read(bytes, size, path, &truth->truths);
}

static trib_status open_bytes(const char *bytes, size_t size, const char *path, const trib_truth_options *options,
                              trib_truth_file *truth)
{
    const trib_short_name name = trib_shorten(path);
    switch (trib_first_character(bytes, size)) {
    case '{': return open_coco(bytes, size, path, options, truth);
    case '<': return open_voc(bytes, size, path, options, truth);
    case '[':
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: a JSON list, which is what COCO's results are; truth is an object",
                          name.text);
    case 0: return TRIB_ERROR(TRIB_BAD_DATA, "%s: is empty", name.text);
    default:
        return TRIB_ERROR(TRIB_BAD_DATA,
                          "%s: not a file of true boxes: it is neither COCO's JSON nor VOC's or ILSVRC's XML (and of "
                          "YOLO's text files, the folder is to be named)",
                          name.text);
    }
}

/* ---- folders ---- */

/* Paths of folders in a folder, cut to fit: "labels/train, labels/val". */
static trib_status list_folders(const char *folder, char *text, size_t size)
{
    trib_names names = { 0 };
    size_t used = 0;
    trib_status s = trib_list_files(folder, "", &names);
    text[0] = '\0';
    for (size_t i = 0; i < names.count && !trib_failed(&s) && used < size; ++i) {
        char *path = NULL;
        s = trib_join_path(folder, names.items[i], strlen(names.items[i]), "", &path);
        if (!trib_failed(&s) && trib_is_folder(path))
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", trib_shorten(path).text);
        trib_free(path);
    }
    trib_names_free(&names);
    return s;
}

static trib_status nothing_in(const char *folder)
{
    trib_names json = { 0 };
    char inner[300];
    TRIB_TRY(list_folders(folder, inner, sizeof inner));
    TRIB_TRY(trib_list_files(folder, ".json", &json));
    trib_status s =
        TRIB_ERROR(TRIB_NOT_FOUND, "%s: a folder without .xml files (VOC, ILSVRC) or .txt files (YOLO)%s%s%s",
                   trib_shorten(folder).text, json.count ? "; of COCO's truth name the .json file" : "",
                   inner[0] ? "; name one of the folders in it: " : "", inner);
    trib_names_free(&json);
    return s;
}

static trib_status open_files_of(const char *folder, const trib_truth_options *options, trib_truth_file *truth)
{
    trib_names xml = { 0 }, text = { 0 };
    trib_status s = trib_list_files(folder, ".xml", &xml);
    if (!trib_failed(&s)) s = trib_list_files(folder, ".txt", &text);
    if (!trib_failed(&s) && xml.count)
        s = open_voc_folder(folder, &xml, options, truth);
    else if (!trib_failed(&s) && text.count)
        s = trib_truth_open_yolo(folder, &text, options, truth);
    else if (!trib_failed(&s))
        s = nothing_in(folder);
    trib_names_free(&xml);
    trib_names_free(&text);
    return s;
}

/* Of a data set's whole folder, the one of its annotations. */
static trib_status open_folder(const char *path, const trib_truth_options *options, trib_truth_file *truth)
{
    static const char *const inner[] = { "Annotations", "labels" };
    char *found = NULL;
    for (int i = 0; i < 2 && !found; ++i) TRIB_TRY(trib_find_beside(path, inner[i], &found));
    trib_status s = open_files_of(found ? found : path, options, truth);
    trib_free(found);
    return s;
}

/* ---- both ---- */

static const trib_truth_options no_options;

static void describe(trib_truth_file *truth)
{
    const trib_truths *t = &truth->truths;
    size_t aside = 0;
    for (size_t i = 0; i < t->count; ++i) aside += t->items[i].difficult || t->items[i].crowd;
    const int used =
        snprintf(truth->taken, sizeof truth->taken, "%s: %zu image%s, %zu class%s, %zu box%s",
                 trib_box_format_name(truth->format), t->image_count, t->image_count == 1 ? "" : "s", t->category_count,
                 t->category_count == 1 ? "" : "es", t->count, t->count == 1 ? "" : "es");
    if (aside) snprintf(truth->taken + used, sizeof truth->taken - (size_t)used, " (%zu difficult or crowds)", aside);
}

/* Takes `truth`. */
static trib_status finish(trib_status s, trib_truth_file *truth, trib_truth_file *out)
{
    if (trib_failed(&s)) {
        trib_truth_close(truth);
        return s;
    }
    describe(truth);
    *out = *truth;
    return s;
}

trib_status trib_truth_read(const char *bytes, size_t size, const char *path, const trib_truth_options *options,
                            trib_truth_file *out)
{
    trib_truth_file truth = { 0 };
    return finish(open_bytes(bytes, size, path, options ? options : &no_options, &truth), &truth, out);
}

trib_status trib_truth_open(const char *path, const trib_truth_options *options, trib_truth_file *out)
{
    char *bytes = NULL;
    size_t size = 0;
    trib_truth_file truth = { 0 };
    if (trib_is_folder(path)) return finish(open_folder(path, options ? options : &no_options, &truth), &truth, out);
    TRIB_TRY(trib_read_text(path, &bytes, &size));
    trib_status s = trib_truth_read(bytes, size, path, options, out);
    trib_free(bytes);
    return s;
}

void trib_truth_close(trib_truth_file *truth) { trib_truths_release(&truth->truths); }

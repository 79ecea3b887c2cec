/* SPDX-License-Identifier: Apache-2.0 */
#include "convert_boxes_check.h"

#include <stdio.h>
#include <string.h>

#include "data/file.h"
#include "detect/keys.h"
#include "detect/path.h"

/* ---- names ---- */

static bool is_wordnet_id(const char *name)
{
    return name[0] == 'n' && strlen(name) == 9 && strspn(name + 1, "0123456789") == 8;
}

static trib_status check_image_word(const char *name)
{
    size_t length = 0;
    const char *stem = trib_stem(name, &length);
    if (!memchr(stem, ' ', length)) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "the image '%s' has a space in its name, where lines of words would end it; rename the image, or "
                      "write coco",
                      trib_shorten(name).text);
}

/* Annotations whose classes are others would be taken for VOC's, whose pixels count from 1. */
static trib_status check_ilsvrc(const trib_truths *t)
{
    for (size_t c = 0; c < t->category_count; ++c)
        if (!is_wordnet_id(t->categories[c].name))
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "ILSVRC's classes are WordNet ids such as n02691156, but '%.200s' is none; write voc",
                              t->categories[c].name);
    for (size_t i = 0; i < t->image_count; ++i) TRIB_TRY(check_image_word(t->images[i].name));
    return trib_success();
}

static trib_status check_yolo(const trib_truths *t)
{
    for (size_t c = 0; c < t->category_count; ++c) {
        const char *name = t->categories[c].name;
        if (name[0] == ' ' || name[strlen(name) - 1] == ' ')
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "the class '%.200s' begins or ends with a space, which a list of names loses; rename the "
                              "class, or write coco",
                              name);
    }
    return trib_success();
}

static trib_status check_voc_results(const trib_truths *t, const trib_detections *found)
{
    for (size_t c = 0; c < t->category_count; ++c)
        if (strchr(t->categories[c].name, '/') || t->categories[c].name[0] == '.')
            return TRIB_ERROR(TRIB_BAD_DATA, "the class '%.200s' cannot be the name of a file; write coco",
                              t->categories[c].name);
    for (size_t i = 0; i < found->count; ++i) TRIB_TRY(check_image_word(t->images[found->items[i].image].name));
    return trib_success();
}

trib_status cli_check_box_names(const trib_truths *truths, const trib_detections *found, trib_box_format format)
{
    if (format == TRIB_BOXES_YOLO && !found) return check_yolo(truths);
    if (format == TRIB_BOXES_ILSVRC && !found) return check_ilsvrc(truths);
    if (format == TRIB_BOXES_VOC && found) return check_voc_results(truths, found);
    return trib_success();
}

/* ---- folders ---- */

/* What is read from a folder: files called after `written` will be replaced, and the one called `list`. */
typedef struct leftovers {
    const char *folder, *end, *list;
    const trib_keys *written;
} leftovers;

static bool will_be_written(const leftovers *l, const char *name)
{
    char stem[300];
    const size_t length = strlen(name) - strlen(l->end);
    if (strcmp(name + length, l->end) != 0) return false; /* in capitals: another file */
    snprintf(stem, sizeof stem, "%.*s", (int)length, name);
    return trib_find_name(l->written, stem) >= 0 || (l->list && !strcmp(stem, l->list));
}

static trib_status check_files(const leftovers *l)
{
    trib_names names = { 0 };
    trib_status s = trib_list_files(l->folder, l->end, &names);
    for (size_t i = 0; i < names.count && !trib_failed(&s); ++i)
        if (!will_be_written(l, names.items[i]))
            s = TRIB_ERROR(
                TRIB_INVALID_ARGUMENT,
                "%s: has %s, which is not replaced and would be read with what is written; empty the folder, "
                "or name another one",
                l->folder, trib_shorten(names.items[i]).text);
    trib_names_free(&names);
    return s;
}

trib_status cli_check_leftovers(const char *folder, const trib_truths *truths, bool detections, trib_box_format format)
{
    const bool yolo = format == TRIB_BOXES_YOLO;
    const trib_keys none = { 0 };
    trib_keys written = { 0 };
    const leftovers files = { folder, detections || yolo ? ".txt" : ".xml", yolo && !detections ? "classes" : NULL,
                              &written };
    const leftovers annotations = { folder, ".xml", NULL, &none }; /* would be read in the place of YOLO's files */
    TRIB_TRY(detections && !yolo ? trib_keys_of_category_names(truths, &written)
                                 : trib_keys_of_stems(truths, &written));
    trib_status s = check_files(&files);
    if (!trib_failed(&s) && yolo && !detections) s = check_files(&annotations);
    trib_keys_release(&written);
    return s;
}

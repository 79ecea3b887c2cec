/* SPDX-License-Identifier: Apache-2.0
 * Class folders to labels: by the model's class names or class indices, or by all folder names sorted as strings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "data/names.h"
#include "tributary/internal/alloc.h"

/* What folder names can match. */
typedef struct classes {
    const char *const *names; /* label i is names[i]; NULL: only indices are labels */
    int count;                /* of names */
    int index_limit;          /* names that are numbers below it may be indices; 0: none may */
    bool of_model;            /* the names are the model's, not the folders' own */
} classes;

/* A class folder with images, and what it matched. */
typedef struct taken {
    const char *folder; /* its name */
    int label;
    bool by_index, numbered; /* it is an index; it is a name, but would be another class as an index */
} taken;

typedef struct taken_list {
    taken *items;
    size_t count, capacity;
} taken_list;

static int by_string(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int by_label(const void *a, const void *b)
{
    int x = ((const taken *)a)->label, y = ((const taken *)b)->label;
    return (x > y) - (x < y);
}

/* ---- class names ---- */

/* The class names of all folders, each once, sorted. */
static trib_status collect(trib_input *const *folders, size_t folder_count, trib_names *list)
{
    for (size_t f = 0; f < folder_count; ++f) {
        int count = 0;
        const bool *used = NULL;
        const char *const *names = trib_folder_classes(folders[f], &count, &used);
        for (int i = 0; i < count; ++i) TRIB_TRY(trib_names_add(list, trib_strdup(names[i]), "class names"));
    }
    if (!list->count) return trib_success();
    qsort(list->items, list->count, sizeof *list->items, by_string);
    size_t kept = 1;
    for (size_t i = 1; i < list->count; ++i) {
        if (strcmp(list->items[i], list->items[kept - 1]) == 0)
            trib_free(list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
    return trib_success();
}

/* True if there are class folders with images and all their names are numbers below `limit`. */
static bool all_are_indices(trib_input *const *folders, size_t folder_count, int limit)
{
    bool any = false;
    for (size_t f = 0; f < folder_count; ++f) {
        int count = 0;
        const bool *used = NULL;
        const char *const *names = trib_folder_classes(folders[f], &count, &used);
        for (int i = 0; i < count; ++i) {
            if (used[i] && trib_class_index(names[i], limit) < 0) return false;
            any |= used[i];
        }
    }
    return any;
}

/* ---- messages ---- */

/* The first few names, "a, b, c, ...". */
static void few_names(const char *const *names, int count, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count; ++i) {
        int n = snprintf(text + used, size - used, "%s%.30s", i ? ", " : "", names[i]);
        used += (size_t)n;
        if (used + 40 > size && i + 1 < count) {
            snprintf(text + used, size - used, ", ...");
            return;
        }
    }
}

static trib_status unknown_class(const char *folder, const char *name, const char *const *found, int found_count,
                                 const classes *known)
{
    char few_found[100], few_known[100];
    few_names(found, found_count, few_found, sizeof few_found);
    few_names(known->names, known->count, few_known, sizeof few_known);
    size_t length = strlen(folder);
    return TRIB_ERROR(
        TRIB_BAD_DATA,
        "%s: '%.40s' is not a class of the model, neither by name (%%2F for '/') nor by index; its %d classes "
        "are: %s; class folders found: %s",
        folder + (length > 60 ? length - 60 : 0), name, known->count, few_known, few_found);
}

/* ---- one folder ---- */

/* The index of `name` or, decoded, `other` among the classes: -1 if there is none, -2 if it is ambiguous. */
static int find_name(const classes *known, const char *name, const char *other)
{
    int place = -1;
    for (int i = 0; i < known->count; ++i) {
        if (strcmp(known->names[i], name) == 0 || (other && strcmp(known->names[i], other) == 0))
            place = place == -1 ? i : -2;
    }
    return place;
}

/* Names win over indices. out->label is -1 for no class, -2 for an ambiguous one. */
static trib_status find_class(const classes *known, const char *name, taken *out)
{
    char *decoded = trib_strdup(name);
    if (!decoded) return trib_no_memory(name);
    bool other = known->of_model && trib_decode_class_name(decoded);
    int place = find_name(known, name, other ? decoded : NULL);
    int index = trib_class_index(name, known->index_limit);
    trib_free(decoded);
    *out = (taken) { .folder = name,
                     .label = place == -1 ? index : place,
                     .by_index = place == -1 && index >= 0,
                     .numbered = place >= 0 && index >= 0 && index != place };
    return trib_success();
}

/* Two folders side by side that match the same class are an error. */
static trib_status check_different(const char *root, const taken_list *list)
{
    for (size_t i = 1; i < list->count; ++i) {
        const taken *a = &list->items[i - 1], *b = &list->items[i];
        if (a->label == b->label)
            return TRIB_ERROR(TRIB_BAD_DATA,
                              "%s: the folders '%.60s' and '%.60s' both match class %d: name all folders after "
                              "classes, or all after indices",
                              trib_shorten(root).text, a->folder, b->folder, a->label);
    }
    return trib_success();
}

/* Matches the class folders of one folder, sets the labels, and lists those with images by label. */
static trib_status label_folder(trib_input *folder, const classes *known, taken_list *list)
{
    int count = 0;
    const bool *used = NULL;
    const char *const *names = trib_folder_classes(folder, &count, &used);
    const char *root = trib_folder_path(folder);
    int *map = trib_alloc_zeroed((size_t)count, sizeof *map);
    if (!map) return trib_no_memory(root);
    trib_status s = trib_success();
    for (int i = 0; i < count; ++i) {
        taken t;
        TRIB_TRY_GOTO(s, done, find_class(known, names[i], &t));
        map[i] = t.label >= 0 ? t.label : TRIB_NO_LABEL;
        if (!used[i]) continue;
        if (t.label == -1) TRIB_TRY_GOTO(s, done, unknown_class(root, names[i], names, count, known));
        if (t.label == -2)
            TRIB_TRY_GOTO(
                s, done,
                TRIB_ERROR(TRIB_BAD_DATA,
                           "%s: the model has more than one class named '%.60s'; rename the folder to a class index",
                           trib_shorten(root).text, names[i]));
        if (trib_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items))
            TRIB_TRY_GOTO(s, done, trib_no_memory(root));
        list->items[list->count++] = t;
    }
    if (list->count) qsort(list->items, list->count, sizeof *list->items, by_label);
    TRIB_TRY_GOTO(s, done, check_different(root, list));
    trib_folder_set_labels(folder, map);
done:
    trib_free(map);
    return s;
}

/* ---- notes ---- */

static trib_status note_empty_folders(const trib_input *folder, trib_names *notes)
{
    int count = 0, empty = 0;
    const bool *used = NULL;
    const char *const *names = trib_folder_classes(folder, &count, &used);
    const char **list = trib_realloc_array(NULL, (size_t)count, sizeof *list);
    if (!list) return trib_no_memory(trib_folder_path(folder));
    for (int i = 0; i < count; ++i) {
        if (!used[i]) list[empty++] = names[i];
    }
    char few[200];
    few_names(list, empty, few, sizeof few);
    trib_free(list);
    if (!empty) return trib_success();
    return trib_names_add_text(notes, "%s: %d of %d class folders have no image that can be read: %s",
                               trib_shorten(trib_folder_path(folder)).text, empty, count, few);
}

/* Folders whose names are numbers: what they matched. */
static trib_status note_indices(const char *root, const classes *known, const taken_list *list, trib_names *notes)
{
    size_t by_index = 0;
    const taken *first = NULL, *numbered = NULL;
    for (size_t i = 0; i < list->count; ++i) {
        if (list->items[i].by_index && !by_index++) first = &list->items[i];
        if (list->items[i].numbered && !numbered) numbered = &list->items[i];
    }
    trib_short_name name = trib_shorten(root);
    if (by_index)
        TRIB_TRY(trib_names_add_text(notes, "%s: %zu of %zu class folders are matched by index: '%.40s' is %s%.60s",
                                     name.text, by_index, list->count, first->folder, known->names ? "" : "class ",
                                     known->names ? known->names[first->label] : first->folder));
    if (!numbered) return trib_success();
    return trib_names_add_text(notes,
                               "%s: class folders are matched by name although their names are numbers: '%.40s' is the "
                               "class of that name, with index %d",
                               name.text, numbered->folder, numbered->label);
}

/* The first few names of classes whose labels are not in `seen`, which is sorted. */
static trib_status few_missing(const classes *known, const taken_list *seen, char *text, size_t size)
{
    const char **list = trib_realloc_array(NULL, (size_t)known->count, sizeof *list);
    if (!list) return trib_no_memory("class names");
    int missing = 0;
    size_t at = 0;
    for (int i = 0; i < known->count; ++i) {
        while (at < seen->count && seen->items[at].label < i) ++at;
        if (at == seen->count || seen->items[at].label != i) list[missing++] = known->names[i];
    }
    few_names(list, missing, text, size);
    trib_free(list);
    return trib_success();
}

/* Classes of the model without images in any folder. `seen`: labels, one per folder with images. */
static trib_status note_missing(const classes *known, int class_count, taken_list *seen, trib_names *notes)
{
    int there = 0;
    char few[200] = "";
    if (seen->count) qsort(seen->items, seen->count, sizeof *seen->items, by_label);
    for (size_t i = 0; i < seen->count; ++i) there += i == 0 || seen->items[i].label != seen->items[i - 1].label;
    if (there == class_count) return trib_success();
    if (known->names) TRIB_TRY(few_missing(known, seen, few, sizeof few));
    return trib_names_add_text(notes, "there are no images of %d of the model's %d classes%s%s", class_count - there,
                               class_count, *few ? ": " : "", few);
}

/* Folders numbered in the order of their names, for a model with `class_count` unnamed classes. */
static trib_status note_order(size_t folders, int class_count, trib_names *notes)
{
    if (folders == (size_t)class_count)
        return trib_names_add_text(
            notes,
            "the model has no class names: the %zu class folders are numbered from 0 in the order of their names",
            folders);
    return trib_names_add_text(
        notes,
        "the model has no names for its %d classes, and there are %zu class folders, numbered from 0 in the order of "
        "their names: labels may be wrong; name folders after class indices",
        class_count, folders);
}

static trib_status note_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                const classes *known, taken_list *seen, trib_names *notes)
{
    for (size_t f = 0; f < folder_count; ++f) TRIB_TRY(note_empty_folders(folders[f], notes));
    if (known->index_limit) return note_missing(known, options->class_count, seen, notes);
    if (!options->class_count) return trib_success();
    return note_order((size_t)known->count, options->class_count, notes);
}

/* ---- all folders ---- */

/* Decides what folder names can match. `list` holds the names. */
static trib_status known_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                 trib_names *list, classes *known)
{
    *known = (classes) { .index_limit = options->class_count, .of_model = options->class_names != NULL };
    if (options->class_names) {
        for (int i = 0; i < options->class_count; ++i)
            TRIB_TRY(trib_names_add(list, trib_strdup(options->class_names[i]), "class names"));
    } else if (!all_are_indices(folders, folder_count, options->class_count)) {
        TRIB_TRY(collect(folders, folder_count, list));
        known->index_limit = 0;
        if (!list->count)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: no class folders in it; labels need one folder per class",
                              trib_shorten(folder_count ? trib_folder_path(folders[0]) : "").text);
    }
    known->names = (const char *const *)list->items;
    known->count = (int)list->count;
    return trib_success();
}

trib_status trib_assign_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                trib_names *names, trib_names *notes)
{
    trib_names list = { 0 };
    taken_list seen = { 0 }, one = { 0 };
    classes known;
    trib_status s;
    TRIB_TRY_GOTO(s, done, known_classes(folders, folder_count, options, &list, &known));
    for (size_t f = 0; f < folder_count; ++f) {
        one.count = 0;
        TRIB_TRY_GOTO(s, done, label_folder(folders[f], &known, &one));
        TRIB_TRY_GOTO(s, done, note_indices(trib_folder_path(folders[f]), &known, &one, notes));
        if (trib_grow((void **)&seen.items, &seen.capacity, seen.count + one.count, sizeof *seen.items))
            TRIB_TRY_GOTO(s, done, trib_no_memory("class names"));
        if (one.count) memcpy(seen.items + seen.count, one.items, one.count * sizeof *seen.items);
        seen.count += one.count;
    }
    TRIB_TRY_GOTO(s, done, note_classes(folders, folder_count, options, &known, &seen, notes));
    for (size_t i = 0; !known.of_model && i < list.count; ++i) trib_decode_class_name(list.items[i]);
    *names = list;
    list = (trib_names) { 0 };
done:
    trib_names_free(&list);
    trib_free(seen.items);
    trib_free(one.items);
    return s;
}

/* SPDX-License-Identifier: Apache-2.0
 * Class folders to labels: by the model's class names, or all folder names sorted as strings. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "data/names.h"
#include "tributary/internal/alloc.h"

static int by_string(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* The names of all folders' classes, each once, sorted. */
static trib_status collect(trib_input *const *folders, size_t folder_count, trib_names *list)
{
    for (size_t f = 0; f < folder_count; ++f) {
        int count = 0;
        const bool *used = NULL;
        const char *const *names = trib_folder_classes(folders[f], &count, &used);
        for (int i = 0; i < count; ++i) TRIB_TRY(trib_names_add(list, trib_strdup(names[i]), "class names"));
    }
    if (!list->count) {
        trib_short_name name = trib_shorten(folder_count ? trib_folder_path(folders[0]) : "");
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: no class folders in it; labels come from one folder for each class",
                          name.text);
    }
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

/* The first few names for a message, "a, b, c, ...". */
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
                                 const char *const *known, int known_count)
{
    char few_found[110], few_known[110];
    few_names(found, found_count, few_found, sizeof few_found);
    few_names(known, known_count, few_known, sizeof few_known);
    size_t length = strlen(folder);
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "%s: '%.40s' is not a class of the model, whose %d classes are: %s; class folders found: %s",
                      folder + (length > 80 ? length - 80 : 0), name, known_count, few_known, few_found);
}

/* The place of `name` among `known`: -1 when it is not there, -2 when it is there twice. */
static int find_name(const char *const *known, int count, const char *name)
{
    int place = -1;
    for (int i = 0; i < count; ++i) {
        if (strcmp(known[i], name) == 0) place = place == -1 ? i : -2;
    }
    return place;
}

static trib_status label_folder(trib_input *folder, const char *const *known, int known_count)
{
    int count = 0;
    const bool *used = NULL;
    const char *const *names = trib_folder_classes(folder, &count, &used);
    int *map = trib_alloc_zeroed((size_t)count, sizeof *map);
    if (!map) return trib_no_memory(trib_folder_path(folder));
    trib_status s = trib_success();
    for (int i = 0; i < count && !trib_failed(&s); ++i) {
        int place = find_name(known, known_count, names[i]);
        map[i] = place >= 0 ? place : TRIB_NO_LABEL;
        if (!used[i] || place >= 0) continue;
        if (place == -1)
            s = unknown_class(trib_folder_path(folder), names[i], names, count, known, known_count);
        else
            s = TRIB_ERROR(TRIB_BAD_DATA,
                           "%s: the model has more than one class named '%.60s': the folder is ambiguous",
                           trib_shorten(trib_folder_path(folder)).text, names[i]);
    }
    if (!trib_failed(&s)) trib_folder_set_labels(folder, map);
    trib_free(map);
    return s;
}

trib_status trib_assign_classes(trib_input *const *folders, size_t folder_count, const trib_source_options *options,
                                trib_names *names)
{
    trib_names list = { 0 };
    trib_status s = trib_success();
    if (options->class_names) {
        for (int i = 0; i < options->class_count; ++i)
            TRIB_TRY_GOTO(s, failed, trib_names_add(&list, trib_strdup(options->class_names[i]), "class names"));
    } else {
        TRIB_TRY_GOTO(s, failed, collect(folders, folder_count, &list));
    }
    for (size_t f = 0; f < folder_count; ++f)
        TRIB_TRY_GOTO(s, failed, label_folder(folders[f], (const char *const *)list.items, (int)list.count));
    *names = list;
    return trib_success();
failed:
    trib_names_free(&list);
    return s;
}

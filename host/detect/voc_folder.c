/* SPDX-License-Identifier: Apache-2.0
 * Folders of annotations. */
#include <string.h>

#include "data/file.h"
#include "data/names.h"
#include "detect/fields.h"
#include "detect/file_names.h"
#include "detect/ilsvrc.h"
#include "detect/keys.h"
#include "detect/path.h"
#include "detect/voc.h"
#include "tributary/internal/alloc.h"

static trib_status list_folder(const char *path, trib_names *names)
{
    TRIB_TRY(trib_list_files(path, ".xml", names));
    if (names->count) return trib_success();
    return TRIB_ERROR(TRIB_NOT_FOUND, "%s: has no annotations (.xml files)", trib_shorten(path).text);
}

static trib_status names_of_lines(const char *bytes, size_t size, const char *path, trib_names *names)
{
    trib_lines lines;
    bool end = false;
    trib_lines_start(&lines, bytes, size, path);
    for (;;) {
        TRIB_TRY(trib_lines_next(&lines, &end));
        if (end) return trib_success();
        trib_text name = { 0 };
        trib_text_add(&name, lines.words[0]);
        trib_text_add(&name, ".xml");
        if (name.failed) trib_text_free(&name);
        TRIB_TRY(trib_names_add(names, name.bytes, "annotations"));
    }
}

static trib_status read_in_folder(const char *folder, const char *name, const trib_voc_options *options,
                                  trib_truths *truths)
{
    char *path = NULL;
    TRIB_TRY(trib_join_path(folder, name, strlen(name), "", &path));
    trib_status s = trib_voc_read_file(path, options, truths);
    trib_free(path);
    return s;
}

static trib_status read_each(const char *folder, const trib_names *names, const trib_voc_options *options,
                             trib_truths *truths)
{
    for (size_t i = 0; i < names->count; ++i) TRIB_TRY(read_in_folder(folder, names->items[i], options, truths));
    return trib_success();
}

static trib_status read_listed(const char *folder, const char *list, const trib_voc_options *options, trib_names *names,
                               trib_truths *truths)
{
    char *bytes = NULL;
    size_t size = 0;
    TRIB_TRY(trib_read_text(list, &bytes, &size));
    trib_status s = names_of_lines(bytes, size, list, names);
    if (!trib_failed(&s)) s = read_each(folder, names, options, truths);
    if (!trib_failed(&s) && !options->first_pixel) s = trib_ilsvrc_read_numbers(bytes, size, list, truths);
    trib_free(bytes);
    return s;
}

trib_status trib_voc_read_folder(const char *folder, const char *list, const trib_voc_options *options,
                                 trib_truths *truths)
{
    trib_names names = { 0 };
    trib_status s = list ? read_listed(folder, list, options, &names, truths) : list_folder(folder, &names);
    if (!list && !trib_failed(&s)) s = read_each(folder, &names, options, truths);
    trib_names_free(&names);
    return s;
}

static trib_status write_in_folder(const trib_truths *truths, const trib_by_image *places, int image, int first_pixel,
                                   const char *folder)
{
    size_t length = 0;
    const char *stem = trib_stem(truths->images[image].name, &length);
    char *path = NULL;
    trib_text text = { 0 };
    TRIB_TRY(trib_join_path(folder, stem, length, ".xml", &path));
    trib_voc_write(truths, places, image, first_pixel, &text);
    trib_status s = trib_write_text(path, &text);
    trib_text_free(&text);
    trib_free(path);
    return s;
}

trib_status trib_voc_write_folder(const trib_truths *truths, int first_pixel, const char *folder)
{
    TRIB_TRY(trib_check_file_names(truths, NULL));
    trib_by_image places = { 0 };
    trib_status s = trib_truths_by_image(truths, &places);
    for (size_t i = 0; i < truths->image_count && !trib_failed(&s); ++i)
        s = write_in_folder(truths, &places, (int)i, first_pixel, folder);
    trib_by_image_release(&places);
    return s;
}

/* SPDX-License-Identifier: Apache-2.0
 * A folder of YOLO's files does not say everything: names of classes are in a list, sizes of images in the images. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/file.h"
#include "data/input.h"
#include "detect/image_names.h"
#include "detect/path.h"
#include "detect/truth_private.h"
#include "detect/yolo.h"
#include "formats/file.h"
#include "tributary/image.h"
#include "tributary/internal/alloc.h"

/* ---- classes ---- */

static trib_status read_classes(const char *folder, const char *given, trib_truths *truths)
{
    static const char *const places[] = { "classes.txt",  "obj.names",         "../classes.txt",
                                          "../obj.names", "../../classes.txt", "../../obj.names" };
    char *found = NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places && !given && !found; ++i)
        TRIB_TRY(trib_find_beside(folder, places[i], &found));
    if (!given && !found)
        return TRIB_ERROR(TRIB_NOT_FOUND,
                          "%s: YOLO's boxes have numbers for classes; a list of their names (classes.txt or obj.names, "
                          "one per line) is neither in this folder nor in the two above, and none was given",
                          trib_shorten(folder).text);
    trib_status s = trib_read_class_list(given ? given : found, false, truths);
    trib_free(found);
    return s;
}

/* ---- images ---- */

static trib_status list_images(const char *folder, trib_names *images)
{
    trib_names all = { 0 };
    trib_status s = trib_list_files(folder, "", &all);
    for (size_t i = 0; i < all.count && !trib_failed(&s); ++i)
        if (trib_has_image_extension(all.items[i]))
            s = trib_names_add(images, trib_strdup(all.items[i]), "images of a folder");
    trib_names_free(&all);
    return s;
}

/* The folder with "images" for its last component "labels", or NULL. */
static trib_status folder_of_images(const char *folder, char **path)
{
    const char *found = NULL;
    trib_text text = { 0 };
    *path = NULL;
    for (const char *at = folder; (at = strstr(at, "labels")) != NULL; at += strlen("labels")) {
        const char after = at[strlen("labels")];
        if ((at == folder || at[-1] == '/') && (!after || after == '/')) found = at;
    }
    if (!found) return trib_success();
    trib_text_put(&text, folder, (size_t)(found - folder));
    trib_text_add(&text, "images");
    trib_text_add(&text, found + strlen("labels"));
    if (text.failed) {
        trib_text_free(&text);
        return trib_no_memory(folder);
    }
    *path = text.bytes;
    return trib_success();
}

/* Where they are, and their names: *where is to be released. */
static trib_status find_images(const char *folder, const char *given, char **where, trib_names *images)
{
    const char *here = given ? given : folder;
    TRIB_TRY(list_images(here, images));
    if (!images->count && !given) {
        TRIB_TRY(folder_of_images(folder, where));
        if (*where && trib_is_folder(*where)) TRIB_TRY(list_images(*where, images));
    }
    if (!images->count)
        return TRIB_ERROR(TRIB_NOT_FOUND, "%s: has no images; YOLO's boxes are parts of their width and height%s%s",
                          trib_shorten(here).text, *where ? ", and neither has " : "",
                          *where ? trib_shorten(*where).text : "");
    if (*where) return trib_success();
    *where = trib_strdup(here);
    return *where ? trib_success() : trib_no_memory(here);
}

/* Headers are at the beginning of all but odd files. */
static trib_status inspect(const char *path, trib_image_info *info)
{
    enum { BEGINNING = 1 << 16 };
    int fd = -1;
    int64_t size = 0;
    uint8_t *bytes = NULL;
    size_t got = 0;
    for (int64_t most = BEGINNING;; most = size) {
        TRIB_TRY(trib_open_image(path, &fd, &size));
        trib_status s = trib_read_image(fd, path, size < most ? size : most, &bytes, &got);
        close(fd);
        if (trib_failed(&s)) return s;
        s = trib_image_inspect(bytes, got, NULL, info);
        trib_free(bytes);
        if (s.code != TRIB_BAD_DATA || size <= most) return s;
    }
}

static trib_status add_image(const char *folder, const char *name, trib_truths *truths)
{
    trib_image_info info = { 0 };
    char *path = NULL;
    TRIB_TRY(trib_join_path(folder, name, strlen(name), "", &path));
    trib_status s = trib_with_name(inspect(path, &info), path);
    trib_free(path);
    if (trib_failed(&s)) return s;
    return trib_truths_add_image(truths, name, (int64_t)truths->image_count + 1, info.width, info.height);
}

static trib_status read_images(const char *folder, const char *given, trib_truths *truths)
{
    char *where = NULL;
    trib_names images = { 0 };
    trib_status s = find_images(folder, given, &where, &images);
    for (size_t i = 0; i < images.count && !trib_failed(&s); ++i) s = add_image(where, images.items[i], truths);
    trib_free(where);
    trib_names_free(&images);
    return s;
}

/* ---- boxes ---- */

/* Boxes of images that are not there would be lost without a word. */
static trib_status check_labels(const char *folder, const trib_names *labels, const trib_truths *truths)
{
    trib_keys stems = { 0 };
    trib_status s = trib_keys_of_stems(truths, &stems);
    for (size_t i = 0; i < labels->count && !trib_failed(&s); ++i) {
        char stem[300];
        const char *name = labels->items[i];
        if (!strcmp(name, "classes.txt")) continue;
        snprintf(stem, sizeof stem, "%.*s", (int)(strlen(name) - strlen(".txt")), name);
        if (trib_find_stem(&stems, stem) < 0)
            s = TRIB_ERROR(TRIB_BAD_DATA, "%s: there is no image for %s", trib_shorten(folder).text, name);
    }
    trib_keys_release(&stems);
    return s;
}

trib_status trib_truth_open_yolo(const char *folder, const trib_names *names, const trib_truth_options *options,
                                 trib_truth_file *truth)
{
    truth->format = TRIB_BOXES_YOLO;
    TRIB_TRY(read_classes(folder, options->classes, &truth->truths));
    TRIB_TRY(read_images(folder, options->images, &truth->truths));
    TRIB_TRY(check_labels(folder, names, &truth->truths));
    return trib_yolo_read_folder(folder, &truth->truths, NULL);
}

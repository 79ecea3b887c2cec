/* SPDX-License-Identifier: Apache-2.0
 * A folder of images, walked completely when it is opened, in the byte order of the paths (`find | LC_ALL=C sort`).
 * Hidden names, system files, and files without an image's extension are counted.
 *
 * Links to folders are followed. A folder that contains itself through a link is a loop and becomes one failed item;
 * links that multiply without a loop run into MAX_LINKED_FOLDERS. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file.h"
#include "data/input.h"
#include "data/outputs.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

enum { MAX_DEPTH = 128, MAX_LINKED_FOLDERS = 100000 };

typedef struct found {
    size_t path;  /* offset into `text` */
    int class_id; /* the root's subfolder it is in, -1: none */
    int label;
    int failure; /* index into `failures`, -1: none */
} found;

typedef struct folder_input {
    trib_input base;
    const trib_input_context *context;
    char *root;
    char *text; /* all paths in sequence: millions of small blocks would cost more than the paths */
    size_t text_size, text_capacity;
    found *items;
    size_t count, capacity, given;
    trib_status *failures;
    size_t failure_count, failure_capacity;
    char **classes;
    bool *used;
    size_t class_count, class_capacity, used_capacity;
    int linked_folders;
} folder_input;

/* A folder on the way from the root to the current one. */
typedef struct level {
    const struct level *above;
    const char *path;
    dev_t device;
    ino_t inode;
    int depth, class_id;
} level;

typedef struct entry {
    char *name; /* ends in '/' for folders, so that names sort like whole paths */
    bool folder, link;
    unsigned mode; /* of a pipe, socket or device; 0 for all others */
    ino_t inode;   /* 0: a link, or unknown */
} entry;

typedef struct entries {
    entry *items;
    size_t count, capacity;
} entries;

static trib_status add_item(folder_input *f, const char *path, int class_id, int failure)
{
    size_t size = strlen(path) + 1;
    if (trib_grow((void **)&f->text, &f->text_capacity, f->text_size + size, 1) ||
        trib_grow((void **)&f->items, &f->capacity, f->count + 1, sizeof *f->items))
        return trib_no_memory(path);
    memcpy(f->text + f->text_size, path, size);
    f->items[f->count++] =
        (found) { .path = f->text_size, .class_id = class_id, .label = TRIB_NO_LABEL, .failure = failure };
    f->text_size += size;
    if (class_id >= 0 && failure < 0) f->used[class_id] = true;
    return trib_success();
}

static trib_status add_failure(folder_input *f, const char *path, int class_id, trib_status reason)
{
    if (trib_grow((void **)&f->failures, &f->failure_capacity, f->failure_count + 1, sizeof *f->failures))
        return trib_no_memory(path);
    f->failures[f->failure_count] = reason;
    return add_item(f, path, class_id, (int)f->failure_count++);
}

static trib_status add_class(folder_input *f, const char *name_with_slash, int *id)
{
    size_t needed = f->class_count + 1;
    if (trib_grow((void **)&f->classes, &f->class_capacity, needed, sizeof *f->classes) ||
        trib_grow((void **)&f->used, &f->used_capacity, needed, sizeof *f->used))
        return trib_no_memory(f->root);
    char *name = trib_strdup(name_with_slash);
    if (!name) return trib_no_memory(f->root);
    name[strlen(name) - 1] = '\0';
    f->used[f->class_count] = false;
    f->classes[f->class_count] = name;
    *id = (int)f->class_count++;
    return trib_success();
}

static char *join(const char *folder, const char *name)
{
    size_t n = strlen(folder), m = strlen(name);
    bool slash = n && folder[n - 1] != '/';
    char *path = trib_alloc(n + m + 2);
    if (!path) return NULL;
    memcpy(path, folder, n);
    if (slash) path[n++] = '/';
    memcpy(path + n, name, m + 1);
    return path;
}

/* Follows links. A link that leads nowhere counts by its name. */
static trib_status look_at(entry *e, const char *folder, const char *name, unsigned char type, ino_t inode)
{
    *e = (entry) { .folder = type == DT_DIR, .link = type == DT_LNK, .inode = type == DT_REG ? inode : 0 };
    if (type == DT_DIR || type == DT_REG) return trib_success();
    char *path = join(folder, name);
    if (!path) return trib_no_memory(folder);
    struct stat info;
    bool there = stat(path, &info) == 0;
    e->folder = there && S_ISDIR(info.st_mode);
    e->mode = there && !S_ISDIR(info.st_mode) && !S_ISREG(info.st_mode) ? info.st_mode : 0;
    if (type == DT_UNKNOWN) e->link = lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
    trib_free(path);
    return trib_success();
}

/* Keeps folders and images. */
static trib_status add_entry(folder_input *f, entries *list, const char *folder, const char *name, unsigned char type,
                             ino_t inode)
{
    const char *unwanted = trib_unwanted(name);
    if (unwanted) {
        trib_pass_over(f->context->passed_over, unwanted);
        return trib_success();
    }
    entry e;
    TRIB_TRY(look_at(&e, folder, name, type, inode));
    if (!e.folder && !trib_has_image_extension(name)) {
        trib_pass_over_file(f->context->passed_over, name);
        return trib_success();
    }
    if (trib_grow((void **)&list->items, &list->capacity, list->count + 1, sizeof *list->items))
        return trib_no_memory(folder);
    e.name = join(name, "");
    if (!e.name) return trib_no_memory(folder);
    if (!e.folder) e.name[strlen(name)] = '\0';
    list->items[list->count++] = e;
    return trib_success();
}

/* *problem: why the listing is incomplete. Returns false if out of memory. */
static trib_status list_folder(folder_input *f, const char *path, entries *list, trib_status *problem)
{
    trib_status s = trib_success();
    *problem = trib_success();
    DIR *folder = trib_fault("open") ? (errno = EIO, NULL) : opendir(path);
    if (!folder) {
        *problem = TRIB_FILE_ERROR("opendir", "open the folder", path, errno);
        return s;
    }
    for (;;) {
        errno = 0;
        struct dirent *e = trib_fault("read") ? (errno = EIO, NULL) : readdir(folder);
        if (!e) break;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
        TRIB_TRY_GOTO(s, done, add_entry(f, list, path, e->d_name, e->d_type, e->d_ino));
    }
    if (errno) *problem = TRIB_FILE_ERROR("readdir", "list the folder", path, errno);
done:
    closedir(folder);
    return s;
}

static void free_entries(entries *list)
{
    for (size_t i = 0; i < list->count; ++i) trib_free(list->items[i].name);
    trib_free(list->items);
}

static int by_name(const void *a, const void *b) { return strcmp(((const entry *)a)->name, ((const entry *)b)->name); }

/* Why a folder must not be walked: it is one of its own ancestors, or too deep. */
static trib_status check_level(const level *here)
{
    trib_short_name name = trib_shorten(here->path);
    for (const level *l = here->above; l; l = l->above) {
        if (l->device == here->device && l->inode == here->inode)
            return TRIB_ERROR(TRIB_BAD_DATA, "%s: a loop: it leads back to the folder %s", name.text,
                              trib_shorten(l->path).text);
    }
    if (here->depth > MAX_DEPTH)
        return TRIB_ERROR(TRIB_BAD_DATA, "%s: folders are nested more than %d deep", name.text, MAX_DEPTH);
    return trib_success();
}

static trib_status walk(folder_input *f, const level *above, const char *path, int class_id, trib_status *problem);

/* Takes one entry of the folder `here`: an image, or a folder to walk. */
static trib_status visit(folder_input *f, const level *here, const entry *e)
{
    char *path = join(here->path, e->name);
    if (!path) return trib_no_memory(here->path);
    trib_status s = trib_success(), problem = trib_success();
    int class_id = here->class_id;
    if (!e->folder) {
        if (e->mode)
            s = TRIB_ERROR(TRIB_BAD_DATA, "%s: is %s, not a file", trib_shorten(path).text, trib_kind_of_file(e->mode));
        if (trib_failed(&s)) {
            s = add_failure(f, path, class_id, s);
            goto done;
        }
        s = trib_outputs_check_entry(f->context->outputs, path, e->inode);
        if (!trib_failed(&s)) s = add_item(f, path, class_id, -1);
        goto done;
    }
    path[strlen(path) - 1] = '\0';
    if (here->depth == 0) TRIB_TRY_GOTO(s, done, add_class(f, e->name, &class_id));
    if (e->link && ++f->linked_folders > MAX_LINKED_FOLDERS) {
        s = TRIB_ERROR(TRIB_BAD_DATA, "%s: more than %d folders are reached through links; remove some", f->root,
                       MAX_LINKED_FOLDERS);
        goto done;
    }
    TRIB_TRY_GOTO(s, done, walk(f, here, path, class_id, &problem));
    if (trib_failed(&problem)) s = add_failure(f, path, class_id, problem);
done:
    trib_free(path);
    return trib_outcome(&s);
}

/* *problem: why this folder could not be read, or not completely; the caller decides what follows. */
static trib_status walk(folder_input *f, const level *above, const char *path, int class_id, trib_status *problem)
{
    level here = { .above = above, .path = path, .depth = above ? above->depth + 1 : 0, .class_id = class_id };
    struct stat info;
    if (trib_fault("stat") ? (errno = EIO, -1) : stat(path, &info)) {
        *problem = TRIB_FILE_ERROR("stat", "read the folder", path, errno);
        return trib_success();
    }
    here.device = info.st_dev;
    here.inode = info.st_ino;
    *problem = check_level(&here);
    if (trib_failed(problem)) return trib_success();
    entries list = { 0 };
    trib_status s = list_folder(f, path, &list, problem);
    if (list.count) qsort(list.items, list.count, sizeof *list.items, by_name);
    for (size_t i = 0; i < list.count && !trib_failed(&s); ++i) s = visit(f, &here, &list.items[i]);
    free_entries(&list);
    return trib_outcome(&s);
}

static trib_status folder_next(trib_input *input, trib_item *item, bool *end)
{
    folder_input *f = (folder_input *)input;
    *end = f->given == f->count;
    if (*end) return trib_success();
    const found *it = &f->items[f->given];
    const char *path = f->text + it->path;
    if (it->failure >= 0)
        TRIB_TRY(trib_item_set_failure(item, path, &f->failures[it->failure]));
    else
        TRIB_TRY(trib_item_set_path(item, path));
    item->label = it->label;
    ++f->given;
    return trib_success();
}

/* The name of an item is its path. */
static trib_status folder_load(const trib_input *input, const char *name, int64_t place, int64_t most_bytes,
                               trib_item *item)
{
    (void)input, (void)place, (void)most_bytes;
    item->path = trib_strdup(name);
    return item->path ? trib_success() : trib_no_memory(name);
}

static void folder_forget(trib_input *input)
{
    folder_input *f = (folder_input *)input;
    trib_free(f->items);
    trib_free(f->text);
    f->items = NULL;
    f->text = NULL;
    f->count = f->given = 0;
}

static int64_t folder_count(const trib_input *input) { return (int64_t)((const folder_input *)input)->count; }

static void folder_close(trib_input *input)
{
    folder_input *f = (folder_input *)input;
    for (size_t i = 0; i < f->class_count; ++i) trib_free(f->classes[i]);
    trib_free(f->classes);
    trib_free(f->used);
    trib_free(f->failures);
    trib_free(f->items);
    trib_free(f->text);
    trib_free(f->root);
    trib_free(f);
}

/* The first failure below the folder is the reason, if there is one. */
static trib_status no_images(const folder_input *f)
{
    char others[150];
    const trib_passed_list *passed = f->context->passed_over;
    trib_passed_over_text(passed->kinds, passed->count, others, sizeof others);
    trib_status s = f->failure_count
                        ? f->failures[0]
                        : TRIB_ERROR(TRIB_NOT_FOUND, "no " TRIB_IMAGE_EXTENSIONS " file in it or below it%s%s",
                                     passed->count ? "; passed over: " : "", others);
    trib_add_context(&s, "%s: a folder without images", trib_shorten(f->root).text);
    return s;
}

trib_status trib_folder_input_open(const trib_input_context *context, const char *path, trib_input **out)
{
    static const trib_input_kind kind = {
        .next = folder_next, .count = folder_count, .load = folder_load, .forget = folder_forget, .close = folder_close
    };
    folder_input *f = trib_alloc_zeroed(1, sizeof *f);
    if (!f) return trib_no_memory(path);
    f->base = (trib_input) { .kind = &kind, .root = strlen(path) };
    f->context = context;
    f->root = trib_strdup(path);
    trib_status s = f->root ? trib_success() : trib_no_memory(path), problem = trib_success();
    if (trib_failed(&s)) goto failed;
    TRIB_TRY_GOTO(s, failed, walk(f, NULL, path, -1, &problem));
    TRIB_TRY_GOTO(s, failed, problem);
    if (f->count == f->failure_count) TRIB_TRY_GOTO(s, failed, no_images(f));
    *out = &f->base;
    return trib_success();
failed:
    folder_close(&f->base);
    return s;
}

const char *trib_folder_path(const trib_input *folder) { return ((const folder_input *)folder)->root; }

const char *const *trib_folder_classes(const trib_input *folder, int *count, const bool **used)
{
    const folder_input *f = (const folder_input *)folder;
    *count = (int)f->class_count;
    *used = f->used;
    return (const char *const *)f->classes;
}

void trib_folder_set_labels(trib_input *folder, const int *map)
{
    folder_input *f = (folder_input *)folder;
    for (size_t i = 0; i < f->count; ++i) {
        if (f->items[i].class_id >= 0) f->items[i].label = map[f->items[i].class_id];
    }
}

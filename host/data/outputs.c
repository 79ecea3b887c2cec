/* SPDX-License-Identifier: Apache-2.0 */
#include "data/outputs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

/* ---- one file under two names ---- */

/* Where a file that does not exist yet will be: its folder, and its name there. */
typedef struct future_file {
    dev_t device;
    ino_t folder;
    char name[256]; /* longer names cannot exist */
} future_file;

/* Writing to a dangling link creates its target. */
static bool follow_link(char path[4096])
{
    char target[4096], *slash = strrchr(path, '/');
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return false;
    target[length] = '\0';
    size_t folder = slash && target[0] != '/' ? (size_t)(slash - path) + 1 : 0;
    if (folder + (size_t)length >= 4096) return false;
    memcpy(path + folder, target, (size_t)length + 1);
    return true;
}

static bool find_future(const char *given, future_file *out)
{
    char path[4096];
    struct stat folder;
    if (snprintf(path, sizeof path, "%s", given) >= (int)sizeof path) return false;
    for (int links = 0; links < 40 && follow_link(path); ++links) continue;
    const char *name = trib_base_name(path);
    if (snprintf(out->name, sizeof out->name, "%s", name) >= (int)sizeof out->name) return false;
    path[name - path] = '\0';
    if (stat(*path ? path : ".", &folder) != 0) return false;
    out->device = folder.st_dev;
    out->folder = folder.st_ino;
    return true;
}

bool trib_same_file(const char *a, const char *b)
{
    struct stat first, second;
    int has_first = stat(a, &first) == 0, has_second = stat(b, &second) == 0;
    if (has_first && has_second)
        return S_ISREG(first.st_mode) && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
    future_file x, y;
    return !has_first && !has_second && find_future(a, &x) && find_future(b, &y) && x.device == y.device &&
           x.folder == y.folder && strcmp(x.name, y.name) == 0;
}

/* ---- the outputs of a source's caller ---- */

trib_status trib_outputs_copy(const char *const *paths, int count, trib_outputs *out)
{
    if (count < 0 || (count && !paths)) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%d outputs without names", count);
    out->items = trib_alloc_zeroed((size_t)count, sizeof *out->items);
    if (!out->items) return trib_no_memory("outputs");
    for (; out->count < count; ++out->count) {
        if (!paths[out->count]) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "output %d is NULL", out->count);
        out->items[out->count].path = trib_strdup(paths[out->count]);
        if (!out->items[out->count].path) return trib_no_memory("outputs");
        struct stat info;
        out->items[out->count].held = stat(paths[out->count], &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0;
    }
    return trib_success();
}

void trib_outputs_free(trib_outputs *outputs)
{
    for (int i = 0; i < outputs->count; ++i) trib_free(outputs->items[i].path);
    trib_free(outputs->items);
    memset(outputs, 0, sizeof *outputs);
}

/* One that does not exist yet is looked up again the next time. Terminals, pipes and /dev/null have no content to lose.
 */
static bool is_known(trib_output_file *output)
{
    struct stat info;
    if (!output->known && stat(output->path, &info) == 0 && S_ISREG(info.st_mode)) {
        output->known = true;
        output->device = info.st_dev;
        output->inode = info.st_ino;
    }
    return output->known;
}

static const char *name_of(const char *path)
{
    if (strcmp(path, "/dev/stdout") == 0) return "standard output";
    return strcmp(path, "/dev/stderr") == 0 ? "standard error" : path;
}

trib_status trib_outputs_check(trib_outputs *outputs, const char *path)
{
    struct stat info;
    bool looked = false;
    for (int i = 0; i < outputs->count; ++i) {
        trib_output_file *output = &outputs->items[i];
        if (!is_known(output)) continue;
        /* What cannot be examined cannot be read either, and reading reports the reason. */
        if (!looked && stat(path, &info) != 0) return trib_success();
        looked = true;
        if (info.st_dev == output->device && info.st_ino == output->inode)
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: is also written, as %s; name another output",
                              trib_shorten(path).text, trib_shorten(name_of(output->path)).text);
    }
    return trib_success();
}

bool trib_outputs_held(const trib_outputs *outputs)
{
    for (int i = 0; i < outputs->count; ++i)
        if (outputs->items[i].held) return true;
    return false;
}

/* On some file systems, folders have other inode numbers: files with an output's name are examined as well. */
trib_status trib_outputs_check_entry(trib_outputs *outputs, const char *path, ino_t inode)
{
    for (int i = 0; i < outputs->count; ++i) {
        trib_output_file *output = &outputs->items[i];
        if (!is_known(output)) continue;
        if (inode == 0 || inode == output->inode || strcmp(trib_base_name(path), trib_base_name(output->path)) == 0)
            return trib_outputs_check(outputs, path);
    }
    return trib_success();
}

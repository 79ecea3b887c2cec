/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/path.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "formats/file.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

trib_status trib_join_path(const char *folder, const char *name, size_t length, const char *end, char **path)
{
    trib_text text = { 0 };
    trib_text_add(&text, folder);
    trib_text_add(&text, "/");
    trib_text_put(&text, name, length);
    trib_text_add(&text, end);
    if (text.failed) {
        trib_text_free(&text);
        return trib_no_memory(folder);
    }
    *path = text.bytes;
    return trib_success();
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

trib_status trib_list_files(const char *path, const char *end, trib_names *names)
{
    const size_t before = names->count;
    trib_status s = trib_success();
    DIR *folder = trib_fault("open") ? (errno = EIO, NULL) : opendir(path);
    if (!folder) return TRIB_FILE_ERROR("opendir", "open the folder", path, errno);
    while (!trib_failed(&s)) {
        errno = 0;
        const struct dirent *entry = trib_fault("read") ? (errno = EIO, NULL) : readdir(folder);
        if (!entry && errno) s = TRIB_FILE_ERROR("readdir", "list the folder", path, errno);
        if (!entry) break;
        if (entry->d_name[0] != '.' && trib_ends_with(entry->d_name, end))
            s = trib_names_add(names, trib_strdup(entry->d_name), "files of a folder");
    }
    closedir(folder);
    if (names->count > before) qsort(names->items + before, names->count - before, sizeof *names->items, by_name);
    return s;
}

trib_status trib_write_text(const char *path, const trib_text *text)
{
    trib_output *output = NULL;
    if (text->failed) return trib_no_memory(path);
    TRIB_TRY(trib_output_open(path, &output));
    trib_status s = trib_output_write(output, text->bytes, text->size);
    if (!trib_failed(&s)) return trib_output_commit(output);
    trib_output_abandon(output);
    return s;
}

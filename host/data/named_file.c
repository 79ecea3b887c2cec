/* SPDX-License-Identifier: Apache-2.0
 * The simplest input: one file, named on the command line or in a list. */
#include <string.h>

#include "data/input.h"
#include "tributary/internal/alloc.h"

typedef struct file_input {
    trib_input base;
    bool given;
    char path[];
} file_input;

static trib_status file_next(trib_input *input, trib_item *item, bool *end)
{
    file_input *file = (file_input *)input;
    *end = file->given;
    file->given = true;
    return *end ? trib_success() : trib_item_set_path(item, file->path);
}

static int64_t file_count(const trib_input *input)
{
    (void)input;
    return 1;
}

static void file_close(trib_input *input) { trib_free(input); }

trib_status trib_file_input_open(const char *path, trib_input **out)
{
    static const trib_input_kind kind = { .next = file_next, .count = file_count, .close = file_close };
    size_t size = strlen(path) + 1;
    file_input *file = trib_alloc_zeroed(1, sizeof *file + size);
    if (!file) return trib_no_memory(path);
    file->base.kind = &kind;
    memcpy(file->path, path, size);
    *out = &file->base;
    return trib_success();
}

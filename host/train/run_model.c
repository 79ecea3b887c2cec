/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run_model.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/file.h"
#include "train/run_private.h"
#include "tributary/internal/alloc.h"

static bool exists(char *file, size_t size, const char *folder, const char *name)
{
    snprintf(file, size, "%s/%s", folder, name);
    return access(file, F_OK) == 0;
}

trib_status trib_run_model_file(const char *path, char **file)
{
    static const char *const names[] = { TRIB_RUN_MODEL, TRIB_RUN_BEST, TRIB_RUN_LAST };
    struct stat info;
    *file = NULL;
    if (stat(path, &info) || !S_ISDIR(info.st_mode)) return trib_success(); /* opening it says what is wrong */
    const size_t size = strlen(path) + 32;
    char *found = trib_alloc(size);
    if (!found) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: no memory to look into it", trib_shorten(path).text);
    const bool is_run = exists(found, size, path, TRIB_RUN_ARGS);
    for (size_t i = 0; is_run && i < sizeof names / sizeof *names; ++i) {
        if (!exists(found, size, path, names[i])) continue;
        *file = found;
        return trib_success();
    }
    trib_free(found);
    return is_run ? TRIB_ERROR(TRIB_NOT_FOUND, "%s: the training run has no checkpoint yet", trib_shorten(path).text)
                  : trib_success();
}

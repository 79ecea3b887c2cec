/* SPDX-License-Identifier: Apache-2.0
 * Which paths are models: for command lines where models and images stand side by side. */
#include <string.h>
#include <sys/stat.h>

#include "formats/weights_file.h"
#include "train/run_model.h"
#include "tributary/internal/alloc.h"
#include "tributary/model.h"

/* PyTorch wrote tar archives once, and shards of images are tar archives as well. */
static bool is_tar_of_images(const unsigned char *head, size_t size)
{
    static const char *const members[] = { "storages", "tensors", "pickle", "sys_info" };
    enum { MARK_AT = 257 };
    if (size < MARK_AT + 5 || memcmp(head + MARK_AT, "ustar", 5)) return false;
    for (size_t i = 0; i < sizeof members / sizeof *members; ++i)
        if (!memcmp(head, members[i], strlen(members[i]) + 1)) return false;
    return true;
}

static trib_status look(const char *path, bool *is_model)
{
    trib_blob blob;
    const unsigned char *head = NULL;
    size_t size = 0;
    trib_status s = trib_blob_open(path, &blob);
    if (trib_failed(&s)) return s;
    s = trib_blob_peek(&blob, &head, &size);
    if (!trib_failed(&s))
        *is_model =
            !trib_image_recognised(head, size) && !is_tar_of_images(head, size) && trib_weights_recognised(head, size);
    trib_blob_close(&blob);
    return trib_outcome(&s);
}

trib_status trib_model_recognise(const char *path, bool *is_model)
{
    struct stat info;
    char *file = NULL;
    bool found = false;
    TRIB_TRY(trib_run_model_file(path, &file));
    if (file) {
        trib_free(file);
        *is_model = true;
        return trib_success();
    }
    if (!stat(path, &info) && S_ISREG(info.st_mode)) {
        trib_status s = look(path, &found);
        if (s.code == TRIB_OUT_OF_MEMORY) return s;
    }
    *is_model = found;
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Items: the results of an input, each an image or the reason why it cannot be read. */
#include <string.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"

trib_status trib_no_memory(const char *what)
{
    return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "%s: out of memory", trib_shorten(what).text);
}

void trib_item_release(trib_item *item)
{
    if (!item) return;
    trib_free(item->name);
    trib_free(item->path);
    trib_free(item->bytes);
    trib_image_release(&item->image);
    memset(item, 0, sizeof *item);
    item->label = TRIB_NO_LABEL;
}

trib_status trib_item_set_path(trib_item *item, const char *path)
{
    item->name = trib_strdup(path);
    item->path = trib_strdup(path);
    if (item->name && item->path) return trib_success();
    trib_item_release(item);
    return trib_no_memory(path);
}

trib_status trib_item_set_failure(trib_item *item, const char *name, const trib_status *reason)
{
    item->name = trib_strdup(name);
    if (!item->name) return trib_no_memory(name);
    item->status = *reason;
    return trib_success();
}

trib_status trib_input_check_size(int64_t most_bytes, const char *name, int64_t bytes)
{
    if (!most_bytes || bytes <= most_bytes) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "%s: its %lld bytes are more than the %lld that the loader may use for an image as it comes, an "
                      "eighth of its memory; raise trib_loader_options.memory_limit",
                      trib_shorten(name).text, (long long)bytes, (long long)most_bytes);
}

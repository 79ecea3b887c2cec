/* SPDX-License-Identifier: Apache-2.0 */
#include "data/load.h"

#include <unistd.h>

#include "data/file.h"
#include "data/input.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"
#include "tributary/memory.h"

enum { EIGHTHS = 8, DECODING_EIGHTHS = 5 };

/* ---- beginning and end ---- */

trib_status trib_loading_init(trib_loading *loading, const trib_decode_options *decode, int64_t memory_limit)
{
    if (memory_limit < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a memory limit of %lld bytes; it must not be negative",
                          (long long)memory_limit);
    int64_t memory = memory_limit ? memory_limit : trib_memory_get().bytes / 2;
    *loading = (trib_loading) { .decode = *decode };
    int64_t eighth = memory / EIGHTHS + 1; /* never 0, which would mean no limit */
    if (!trib_budget_init(&loading->encoded, eighth)) return trib_no_memory("loader");
    if (trib_budget_init(&loading->decoding, eighth * DECODING_EIGHTHS)) return trib_success();
    trib_budget_destroy(&loading->encoded);
    return trib_no_memory("loader");
}

void trib_loading_destroy(trib_loading *loading)
{
    trib_budget_destroy(&loading->encoded);
    trib_budget_destroy(&loading->decoding);
}

void trib_loading_stop(trib_loading *loading)
{
    trib_budget_stop(&loading->encoded);
    trib_budget_stop(&loading->decoding);
}

static trib_status take(trib_budget *budget, int64_t bytes)
{
    return trib_budget_take(budget, bytes) ? trib_success() : TRIB_ERROR(TRIB_CANCELLED, "loading was cancelled");
}

/* ---- encoded images ---- */

/* What a source has already read: a member of a shard, or an image that was never encoded. */
static int64_t bytes_held(const trib_item *item)
{
    const trib_image *image = &item->image;
    int64_t pixels = image->pixels ? (int64_t)image->width * image->height * image->channels : 0;
    return item->bytes ? (int64_t)item->size + pixels : pixels;
}

static void drop_data(trib_item *item)
{
    trib_free(item->bytes);
    item->bytes = NULL;
    item->size = 0;
    trib_image_release(&item->image);
}

static void drop_encoded(trib_loading *loading, trib_item *item)
{
    int64_t bytes = (int64_t)item->size;
    if (!item->bytes) return;
    trib_free(item->bytes);
    item->bytes = NULL;
    item->size = 0;
    trib_budget_give(&loading->encoded, bytes);
}

trib_status trib_load_count(trib_loading *loading, trib_item *item)
{
    int64_t bytes = bytes_held(item);
    if (!bytes) return trib_success();
    trib_status s = trib_load_reserve(loading, item->name, bytes);
    if (trib_failed(&s)) drop_data(item);
    return s;
}

trib_status trib_load_reserve(trib_loading *loading, const char *name, int64_t bytes)
{
    TRIB_TRY(trib_input_check_size(loading->encoded.limit, name, bytes));
    return take(&loading->encoded, bytes);
}

void trib_load_unreserve(trib_loading *loading, int64_t bytes) { trib_budget_give(&loading->encoded, bytes); }

trib_status trib_load_check_reserved(trib_loading *loading, trib_item *item, const char *name, int64_t bytes)
{
    int64_t held = bytes_held(item);
    if (held == bytes) return trib_success();
    drop_data(item);
    trib_load_unreserve(loading, bytes);
    return TRIB_ERROR(TRIB_BAD_DATA, "%s: has %lld bytes, but had %lld when the data were opened",
                      trib_shorten(name).text, (long long)held, (long long)bytes);
}

/* The bytes are counted before they are read. Messages name the file. */
trib_status trib_load_read(trib_loading *loading, trib_item *item)
{
    int fd = -1;
    if (item->image.pixels || item->bytes) return trib_success();
    int64_t size = 0;
    TRIB_TRY(trib_open_image(item->path, &fd, &size));
    trib_status s = trib_input_check_size(loading->encoded.limit, item->path, size);
    if (!trib_failed(&s)) s = take(&loading->encoded, size);
    if (trib_failed(&s)) {
        close(fd);
        return s;
    }
    s = trib_read_image(fd, item->path, size, &item->bytes, &item->size);
    close(fd);
    trib_budget_give(&loading->encoded, size - (int64_t)item->size); /* 0, or all if reading failed */
    return trib_outcome(&s);
}

/* ---- decoding ---- */

/* In either orientation, which is known only later. */
static int64_t use_bytes(const trib_image_use *use, const trib_image_info *info)
{
    int64_t as_is = use->bytes(use->context, info->width, info->height, info->channels);
    int64_t turned = use->bytes(use->context, info->height, info->width, info->channels);
    return as_is > turned ? as_is : turned;
}

/* An image that only might take more than the limit gets the whole limit for itself. */
static trib_status count_decoding(const trib_loading *loading, const trib_image_use *use, const trib_image_info *info,
                                  int64_t *bytes)
{
    int64_t limit = loading->decoding.limit;
    *bytes = info->decode_bytes + use_bytes(use, info);
    if (*bytes <= limit) return trib_success();
    bool in_doubt = *bytes - info->doubtful_bytes <= limit;
    if (in_doubt) *bytes = limit;
    if (in_doubt) return trib_success();
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "decoding its %d x %d pixels takes up to %lld bytes, more than the %lld that the loader may use "
                      "for it, five eighths of its memory; raise trib_loader_options.memory_limit",
                      info->width, info->height, (long long)*bytes, (long long)limit);
}

static trib_status inspect(const trib_loading *loading, const trib_item *item, trib_image_info *info)
{
    const trib_image *image = &item->image;
    if (!image->pixels) return trib_image_inspect(item->bytes, item->size, &loading->decode, info);
    *info = (trib_image_info) { .width = image->width, .height = image->height, .channels = image->channels };
    return trib_success();
}

static trib_status decode(trib_loading *loading, trib_item *item, const trib_image_use *use, const char **note)
{
    if (item->image.pixels) return use->use(use->context, item, &item->image);
    trib_image image = { 0 };
    trib_status s = trib_image_decode(item->bytes, item->size, &loading->decode, &image);
    if (!use->reads_encoded) drop_encoded(loading, item);
    *note = image.note;
    if (!trib_failed(&s)) s = use->use(use->context, item, &image);
    trib_image_release(&image);
    return trib_outcome(&s);
}

static trib_status decode_counted(trib_loading *loading, trib_item *item, const trib_image_use *use, const char **note)
{
    trib_image_info info = { 0 };
    int64_t bytes = 0;
    TRIB_TRY(inspect(loading, item, &info));
    TRIB_TRY(count_decoding(loading, use, &info, &bytes));
    TRIB_TRY(take(&loading->decoding, bytes));
    trib_status s = decode(loading, item, use, note);
    trib_budget_give(&loading->decoding, bytes);
    return trib_outcome(&s);
}

static void drop_image(trib_loading *loading, trib_item *item)
{
    int64_t bytes = bytes_held(item);
    const char *note = item->image.note;
    trib_image_release(&item->image);
    item->image.note = note;
    trib_budget_give(&loading->encoded, bytes);
}

trib_status trib_load_image(trib_loading *loading, trib_item *item, const char *name, const trib_image_use *use,
                            const char **note)
{
    *note = NULL;
    TRIB_TRY(trib_load_read(loading, item));
    trib_status s = decode_counted(loading, item, use, note);
    drop_encoded(loading, item); /* if that has not happened yet */
    drop_image(loading, item);
    return trib_with_name(s, name);
}

trib_status trib_load_single(trib_loading *loading, trib_item *item, const trib_image_use *use)
{
    const char *note;
    TRIB_TRY(trib_load_count(loading, item));
    return trib_load_image(loading, item, item->name, use, &note);
}

/* SPDX-License-Identifier: Apache-2.0
 * Images as rows of a batch: resized, cropped and normalised. */
#include <string.h>

#include "data/load.h"

trib_status trib_rows_check(const trib_preprocess *preprocess, const trib_loader_options *options)
{
    if (options->layout != TRIB_NCHW && options->layout != TRIB_NHWC)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "layout %d; images are loaded as NCHW or NHWC", (int)options->layout);
    if (options->raw && options->layout != TRIB_NHWC)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "raw pixels are loaded as NHWC only");
    return trib_preprocess_check(preprocess);
}

void trib_loading_set_rows(trib_loading *loading, const trib_preprocess *preprocess, const trib_loader_options *options)
{
    loading->preprocess = preprocess;
    loading->layout = options->layout;
    loading->dtype = options->raw ? TRIB_U8 : TRIB_F32;
    loading->row_bytes =
        (size_t)preprocess->crop_height * (size_t)preprocess->crop_width * 3 * trib_dtype_size(loading->dtype);
}

/* A row in the making. */
typedef struct row {
    const trib_loading *loading;
    uint64_t key;
    void *pixels;
} row;

static int64_t row_bytes(void *context, int width, int height, int channels)
{
    const trib_loading *loading = ((const row *)context)->loading;
    const trib_preprocess *p = loading->preprocess;
    return loading->sampling ? trib_sampling_bytes(loading->sampling, p, width, height, channels)
                             : trib_preprocess_bytes(p, width, height, channels);
}

/* Converts to network input, or with raw pixels up to the last step before it. */
static trib_status fill_row(void *context, const trib_item *item, const trib_image *image)
{
    (void)item;
    const row *r = context;
    const trib_loading *loading = r->loading;
    const trib_sampling *sampling = loading->sampling;
    const trib_preprocess *p = loading->preprocess;
    if (loading->dtype == TRIB_F32)
        return sampling ? trib_sampling_image(sampling, p, image, r->key, loading->layout, r->pixels)
                        : trib_preprocess_image(p, image, loading->layout, r->pixels);
    trib_image crop;
    TRIB_TRY(sampling ? trib_sampling_pixels(sampling, p, image, r->key, &crop)
                      : trib_preprocess_pixels(p, image, &crop));
    memcpy(r->pixels, crop.pixels, loading->row_bytes);
    trib_image_release(&crop);
    return trib_success();
}

trib_status trib_load_item(trib_loading *loading, trib_item *item, const char *name, uint64_t key, void *pixels,
                           const char **note)
{
    row r = { loading, key, pixels };
    trib_image_use use = { .bytes = row_bytes, .use = fill_row, .context = &r };
    return trib_load_image(loading, item, name, &use, note);
}

trib_status trib_item_load(trib_item *item, const trib_preprocess *preprocess, const trib_loader_options *options,
                           void *pixels)
{
    trib_loading loading;
    if (!item || !preprocess || !options || !pixels)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "loading an item: no argument may be NULL");
    TRIB_TRY(item->status);
    TRIB_TRY(trib_rows_check(preprocess, options));
    TRIB_TRY(trib_loading_init(&loading, &options->decode, options->memory_limit));
    trib_loading_set_rows(&loading, preprocess, options);
    row r = { &loading, 0, pixels };
    trib_image_use use = { .bytes = row_bytes, .use = fill_row, .context = &r };
    trib_status s = trib_load_single(&loading, item, &use);
    trib_loading_destroy(&loading);
    return s;
}

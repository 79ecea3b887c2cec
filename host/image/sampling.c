/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the pixels of a view. */
#include <math.h>

#include "image/preprocess.h"
#include "image/view.h"

/* ---- distortions ---- */

static uint8_t clip(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/* PIL's blend of two images: rounds towards zero. */
static uint8_t blend(int from, int to, float factor) { return clip((int)((float)from + factor * (float)(to - from))); }

/* PIL's conversion to L. */
static int luma(const uint8_t *rgb) { return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16; }

static size_t pixel_count(const trib_image *image) { return (size_t)image->width * (size_t)image->height; }

static int mean_luma(const trib_image *image)
{
    int64_t sum = 0, count = (int64_t)pixel_count(image);
    for (int64_t i = 0; i < count; ++i) sum += luma(image->pixels + 3 * i);
    return (int)((double)sum / (double)count + 0.5);
}

static void blend_with_value(trib_image *image, int value, float factor)
{
    uint8_t table[256];
    for (int v = 0; v < 256; ++v) table[v] = blend(value, v, factor);
    for (size_t i = 0; i < 3 * pixel_count(image); ++i) image->pixels[i] = table[image->pixels[i]];
}

static void blend_with_gray(trib_image *image, float factor)
{
    for (size_t i = 0; i < pixel_count(image); ++i) {
        uint8_t *p = image->pixels + 3 * i;
        int gray = luma(p);
        for (int c = 0; c < 3; ++c) p[c] = blend(gray, p[c], factor);
    }
}

void trib_distort(trib_image *image, trib_distortion kind, float factor)
{
    switch (kind) {
    case TRIB_CONTRAST: blend_with_value(image, mean_luma(image), factor); break;
    case TRIB_BRIGHTNESS: blend_with_value(image, 0, factor); break;
    case TRIB_COLOUR: blend_with_gray(image, factor); break;
    }
}

static void add_shift(trib_image *image, const double shift[3])
{
    uint8_t table[3][256];
    for (int c = 0; c < 3; ++c)
        for (int v = 0; v < 256; ++v) table[c][v] = clip((int)floor(v + shift[c] + 0.5));
    uint8_t *p = image->pixels;
    for (size_t i = 0; i < pixel_count(image); ++i, p += 3)
        for (int c = 0; c < 3; ++c) p[c] = table[c][p[c]];
}

static void swap_sides(trib_image *image)
{
    for (int y = 0; y < image->height; ++y) {
        uint8_t *left = image->pixels + 3 * (size_t)y * (size_t)image->width;
        uint8_t *right = left + 3 * ((size_t)image->width - 1);
        for (; left < right; left += 3, right -= 3)
            for (int c = 0; c < 3; ++c) {
                uint8_t v = left[c];
                left[c] = right[c];
                right[c] = v;
            }
    }
}

/* ---- views ---- */

static trib_status make_view(const trib_sampling *sampling, const trib_preprocess *preprocess, const trib_image *image,
                             uint64_t key, trib_image *out)
{
    trib_image_view view;
    TRIB_TRY(trib_image_check(image));
    TRIB_TRY(trib_image_view_draw(sampling, preprocess, image->width, image->height, key, &view));
    trib_image crop;
    TRIB_TRY(trib_resample_box(image, view.box, view.x, view.y, view.interpolation, preprocess->resample_order, &crop));
    trib_status s = trib_image_to_rgb(&crop);
    if (trib_failed(&s)) {
        trib_image_release(&crop);
        return s;
    }
    if (view.mirror) swap_sides(&crop);
    for (int i = 0; i < TRIB_DISTORTIONS && sampling->distortion > 0; ++i)
        trib_distort(&crop, view.order[i], view.factor[view.order[i]]);
    if (sampling->lighting > 0) add_shift(&crop, view.shift);
    *out = crop;
    return trib_success();
}

trib_status trib_sampling_pixels(const trib_sampling *sampling, const trib_preprocess *preprocess,
                                 const trib_image *image, uint64_t key, trib_image *out)
{
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_sampling_pixels: out is NULL");
    return make_view(sampling, preprocess, image, key, out);
}

trib_status trib_sampling_image(const trib_sampling *sampling, const trib_preprocess *preprocess,
                                const trib_image *image, uint64_t key, trib_layout layout, float *out)
{
    trib_image crop;
    TRIB_TRY(trib_preprocess_check_output("trib_sampling_image", layout, out));
    TRIB_TRY(make_view(sampling, preprocess, image, key, &crop));
    trib_preprocess_normalise_pixels(preprocess, &crop, layout, out);
    trib_image_release(&crop);
    return trib_success();
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* A crop may be reduced from the whole image, or be enlarged a little. */
static int64_t area_bytes(const trib_preprocess *p, int width, int height, int channels)
{
    trib_axis x = { (int)larger(width, p->crop_width + 1), p->crop_width, 0, p->crop_width };
    trib_axis y = { (int)larger(height, p->crop_height + 1), p->crop_height, 0, p->crop_height };
    return larger(trib_resample_bytes(x, y, channels, TRIB_BICUBIC), trib_resample_bytes(x, y, channels, TRIB_NEAREST));
}

static int64_t window_bytes(const trib_sampling *s, const trib_preprocess *p, int width, int height, int channels)
{
    trib_image_view view;
    trib_status status = trib_image_view_draw(s, p, width, height, 0, &view);
    if (trib_failed(&status)) return 0;
    int64_t bytes = trib_resample_bytes(view.x, view.y, channels, view.interpolation);
    if (!s->any_interpolation) return bytes;
    return larger(trib_resample_bytes(view.x, view.y, channels, TRIB_BICUBIC),
                  trib_resample_bytes(view.x, view.y, channels, TRIB_NEAREST));
}

int64_t trib_sampling_bytes(const trib_sampling *s, const trib_preprocess *p, int width, int height, int channels)
{
    trib_status status = trib_sampling_check(s);
    if (trib_failed(&status) || width < 1 || height < 1) return 0;
    int64_t bytes = s->crop == TRIB_CROP_AREA ? area_bytes(p, width, height, channels)
                                              : window_bytes(s, p, width, height, channels);
    int64_t rgb = channels == 1 ? 3 * (int64_t)p->crop_width * p->crop_height : 0; /* expanded from gray */
    return bytes ? bytes + rgb : 0;
}

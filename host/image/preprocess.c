/* SPDX-License-Identifier: Apache-2.0
 * Tributary: from an image of any size to the network's input. */
#include "image/preprocess.h"

#include <math.h>
#include <stdint.h>

#include "image/decoders.h"
#include "tributary/internal/alloc.h"
#include "tributary/kernels.h"

/* Of resize and crop: far above any network's, and small enough that no product of two overflows. */
enum { MAX_SIDE = 16384 };
/* Of the whole resized image, of which only the crop is computed. */
enum { MAX_RESIZED_SIDE = 1 << 28 };

const char *trib_interpolation_name(trib_interpolation interpolation)
{
    switch (interpolation) {
    case TRIB_BILINEAR: return "bilinear";
    case TRIB_BICUBIC: return "bicubic";
    case TRIB_NEAREST: return "nearest";
    case TRIB_AREA: return "area";
    }
    return "unknown";
}

const char *trib_resize_mode_name(trib_resize_mode mode)
{
    switch (mode) {
    case TRIB_RESIZE_SHORT_SIDE: return "short side";
    case TRIB_RESIZE_SQUASH: return "squash";
    case TRIB_RESIZE_NONE: return "none";
    }
    return "unknown";
}

const char *trib_resample_order_name(trib_resample_order order)
{
    switch (order) {
    case TRIB_HORIZONTAL_FIRST: return "horizontal first";
    case TRIB_CHEAPER_FIRST: return "cheaper first";
    }
    return "unknown";
}

static bool known_order(trib_resample_order order)
{
    return order == TRIB_HORIZONTAL_FIRST || order == TRIB_CHEAPER_FIRST;
}

static bool known_interpolation(trib_interpolation i)
{
    return i == TRIB_BILINEAR || i == TRIB_BICUBIC || i == TRIB_NEAREST || i == TRIB_AREA;
}

trib_preprocess trib_preprocess_torchvision(void)
{
    return (trib_preprocess) { .crop_height = 224,
                               .crop_width = 224,
                               .resize = 256,
                               .scale = 1.0f / 255,
                               .mean = { 0.485f, 0.456f, 0.406f },
                               .std = { 0.229f, 0.224f, 0.225f } };
}

trib_preprocess trib_preprocess_caffe(void)
{
    return (trib_preprocess) { .crop_height = 224,
                               .crop_width = 224,
                               .resize_mode = TRIB_RESIZE_SQUASH,
                               .resize = 256,
                               .bgr = true,
                               .scale = 1,
                               .mean = { 104, 117, 123 },
                               .std = { 1, 1, 1 } };
}

static trib_status check_side(const char *field, int value, int high)
{
    if (value >= 1 && value <= high) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: %s is %d, must be 1 to %d", field, value, high);
}

static trib_status check_sizes(const trib_preprocess *p)
{
    TRIB_TRY(check_side("crop_height", p->crop_height, MAX_SIDE));
    TRIB_TRY(check_side("crop_width", p->crop_width, MAX_SIDE));
    if (p->resize_mode == TRIB_RESIZE_NONE) return trib_success();
    TRIB_TRY(check_side("resize", p->resize, MAX_SIDE));
    int larger = p->crop_height > p->crop_width ? p->crop_height : p->crop_width;
    if (larger <= p->resize) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                      "preprocessing: the crop of %d x %d is larger than resize, %d; enlarge resize or crop less",
                      p->crop_width, p->crop_height, p->resize);
}

/* value = pixel * scale + shift, rounded once. */
trib_normalise trib_preprocess_normalise(const trib_preprocess *preprocess)
{
    trib_normalise n = { .bgr = preprocess->bgr };
    for (int c = 0; c < 3; ++c) {
        n.scale[c] = (float)((double)preprocess->scale / preprocess->std[c]);
        n.shift[c] = (float)(-(double)preprocess->mean[c] / preprocess->std[c]);
    }
    return n;
}

static trib_status check_numbers(const trib_preprocess *p)
{
    if (!(p->scale > 0 && isfinite(p->scale)))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: scale is %g, must be positive", (double)p->scale);
    trib_normalise n = trib_preprocess_normalise(p);
    for (int c = 0; c < 3; ++c) {
        if (!isfinite(p->mean[c]))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: mean[%d] is %g", c, (double)p->mean[c]);
        if (!(p->std[c] > 0 && isfinite(p->std[c])))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: std[%d] is %g, must be positive", c,
                              (double)p->std[c]);
        if (!isfinite(255 * n.scale[c] + n.shift[c]))
            return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: std[%d] is %g: its reciprocal overflows", c,
                              (double)p->std[c]);
    }
    return trib_success();
}

trib_status trib_preprocess_check(const trib_preprocess *preprocess)
{
    if (!preprocess) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: NULL");
    if (preprocess->resize_mode != TRIB_RESIZE_SHORT_SIDE && preprocess->resize_mode != TRIB_RESIZE_SQUASH &&
        preprocess->resize_mode != TRIB_RESIZE_NONE)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: resize_mode is %d, which is unknown",
                          (int)preprocess->resize_mode);
    if (!known_interpolation(preprocess->interpolation))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: interpolation is %d, which is unknown",
                          (int)preprocess->interpolation);
    if (!known_order(preprocess->resample_order))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "preprocessing: resample_order is %d, which is unknown",
                          (int)preprocess->resample_order);
    TRIB_TRY(check_sizes(preprocess));
    return check_numbers(preprocess);
}

trib_status trib_image_check(const trib_image *image)
{
    if (!image || !image->pixels) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the image is empty");
    bool sane = image->width > 0 && image->height > 0 && (image->channels == 1 || image->channels == 3) &&
                (size_t)image->width <= PTRDIFF_MAX / 3 / (size_t)image->height;
    if (sane) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "an image of %d x %d pixels and %d channels cannot be resized",
                      image->width, image->height, image->channels);
}

trib_status trib_image_resize(const trib_image *in, int width, int height, trib_interpolation interpolation,
                              trib_resample_order order, trib_image *out)
{
    TRIB_TRY(trib_image_check(in));
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_image_resize: out is NULL");
    if (width <= 0 || height <= 0 || width > TRIB_MAX_IMAGE_PIXELS / height)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "cannot resize to %d x %d: 1 to %d pixels are possible", width, height,
                          TRIB_MAX_IMAGE_PIXELS);
    if (!known_interpolation(interpolation))
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "interpolation %d is unknown", (int)interpolation);
    if (!known_order(order)) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "order %d is unknown", (int)order);
    return trib_resample(in, (trib_axis) { in->width, width, 0, width }, (trib_axis) { in->height, height, 0, height },
                         interpolation, order, out);
}

int trib_centre_offset(int size, int crop)
{
    int twice = size - crop, half = twice / 2;
    return half + (twice % 2 && half % 2);
}

/* The size after the resize, in 64 bits: the long side of an extreme strip does not fit in an int. */
static void resized_size(const trib_preprocess *p, int w, int h, int64_t *width, int64_t *height)
{
    *width = w;
    *height = h;
    if (p->resize_mode == TRIB_RESIZE_NONE) return;
    bool squash = p->resize_mode == TRIB_RESIZE_SQUASH, upright = w <= h;
    int64_t size = p->resize;
    *width = squash || upright ? size : size * w / h;
    *height = squash || !upright ? size : size * h / w;
}

trib_status trib_preprocess_axes(const trib_preprocess *p, int w, int h, trib_axis *x, trib_axis *y)
{
    TRIB_TRY(trib_preprocess_check(p));
    int64_t width, height;
    resized_size(p, w, h, &width, &height);
    if (width > MAX_RESIZED_SIDE || height > MAX_RESIZED_SIDE)
        return TRIB_ERROR(TRIB_BAD_DATA, "an image of %d x %d pixels is too elongated for a short side of %d", w, h,
                          p->resize);
    if (width < p->crop_width || height < p->crop_height) /* only without a resize */
        return TRIB_ERROR(TRIB_BAD_DATA, "an image of %d x %d pixels is smaller than the crop of %d x %d", w, h,
                          p->crop_width, p->crop_height);
    *x = (trib_axis) { w, (int)width, trib_centre_offset((int)width, p->crop_width), p->crop_width };
    *y = (trib_axis) { h, (int)height, trib_centre_offset((int)height, p->crop_height), p->crop_height };
    return trib_success();
}

/* Keeps gray as one channel. */
static trib_status crop_pixels(const trib_preprocess *p, const trib_image *image, trib_image *out)
{
    trib_axis x, y;
    TRIB_TRY(trib_image_check(image));
    TRIB_TRY(trib_preprocess_axes(p, image->width, image->height, &x, &y));
    return trib_resample(image, x, y, p->interpolation, p->resample_order, out);
}

int64_t trib_preprocess_bytes(const trib_preprocess *p, int width, int height, int channels)
{
    trib_axis x, y;
    if (width < 1 || height < 1) return 0;
    trib_status s = trib_preprocess_axes(p, width, height, &x, &y);
    if (trib_failed(&s)) return 0;
    int64_t rgb = channels == 1 ? 3 * (int64_t)x.count * y.count : 0; /* expanded from gray */
    return trib_resample_bytes(x, y, channels, p->interpolation) + rgb;
}

trib_status trib_preprocess_check_output(const char *call, trib_layout layout, const float *out)
{
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: out is NULL", call);
    if (layout == TRIB_NCHW || layout == TRIB_NHWC) return trib_success();
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "%s: layout is %d, must be NCHW or NHWC", call, (int)layout);
}

void trib_preprocess_normalise_pixels(const trib_preprocess *p, const trib_image *crop, trib_layout layout, float *out)
{
    trib_normalise n = trib_preprocess_normalise(p);
    trib_normalise_geometry g = { .height = crop->height,
                                  .width = crop->width,
                                  .channels = crop->channels,
                                  .row_bytes = (int64_t)crop->width * crop->channels,
                                  .bgr = n.bgr,
                                  .nchw = layout == TRIB_NCHW };
    trib_normalise_u8(&g, crop->pixels, n.scale, n.shift, out);
}

trib_status trib_preprocess_image(const trib_preprocess *preprocess, const trib_image *image, trib_layout layout,
                                  float *out)
{
    trib_image crop;
    TRIB_TRY(trib_preprocess_check_output("trib_preprocess_image", layout, out));
    TRIB_TRY(crop_pixels(preprocess, image, &crop));
    trib_preprocess_normalise_pixels(preprocess, &crop, layout, out);
    trib_image_release(&crop);
    return trib_success();
}

trib_status trib_image_to_rgb(trib_image *image)
{
    if (image->channels == 3) return trib_success();
    trib_image rgb;
    TRIB_TRY(trib_image_create(image->width, image->height, 3, INT64_MAX, &rgb));
    size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < 3 * count; ++i) rgb.pixels[i] = image->pixels[i / 3];
    trib_image_release(image);
    *image = rgb;
    return trib_success();
}

trib_status trib_preprocess_pixels(const trib_preprocess *preprocess, const trib_image *image, trib_image *out)
{
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_preprocess_pixels: out is NULL");
    trib_image crop;
    TRIB_TRY(crop_pixels(preprocess, image, &crop));
    trib_status s = trib_image_to_rgb(&crop);
    if (trib_failed(&s))
        trib_image_release(&crop);
    else
        *out = crop;
    return trib_outcome(&s);
}

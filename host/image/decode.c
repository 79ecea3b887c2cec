/* SPDX-License-Identifier: Apache-2.0
 * Tributary: finds the decoder for an image file. */
#include <limits.h>
#include <string.h>

#include "image/decoders.h"
#include "image/exif.h"
#include "tributary/internal/alloc.h"

typedef trib_status inspector(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info);
typedef trib_status decoder(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                            int *orientation);

/* `decode` is NULL for formats that are only known so that messages can name them. */
typedef struct format {
    const char *name;
    inspector *inspect;
    decoder *decode;
    size_t offset, length; /* of the signature */
    const char *signature;
} format;

static const format formats[] = {
    { "JPEG", trib_inspect_jpeg, trib_decode_jpeg, 0, 3, "\xFF\xD8\xFF" },
    { "PNG", trib_inspect_png, trib_decode_png, 0, 8, "\x89PNG\r\n\x1A\n" },
    { "WebP", trib_inspect_webp, trib_decode_webp, 8, 4, "WEBP" },
    { "GIF", NULL, NULL, 0, 4, "GIF8" },
    { "TIFF", NULL, NULL, 0, 4, "II*\0" },
    { "TIFF", NULL, NULL, 0, 4, "MM\0*" },
    { "HEIF or AVIF", NULL, NULL, 4, 4, "ftyp" },
    { "BMP", NULL, NULL, 0, 2, "BM" },
};

static const format *find_format(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        const format *f = &formats[i];
        if (size < f->offset + f->length || memcmp(bytes + f->offset, f->signature, f->length) != 0) continue;
        if (f->decode == trib_decode_webp && memcmp(bytes, "RIFF", 4) != 0) continue;
        return f;
    }
    return NULL;
}

bool trib_image_recognised(const void *bytes, size_t size)
{
    const format *f = bytes ? find_format(bytes, size) : NULL;
    return f && f->decode;
}

/* Common to decoding and inspecting: the format of bytes that may be an image, and options with defaults filled in. */
static trib_status prepare(const void *bytes, size_t size, const trib_decode_options *options, const format **out,
                           trib_decode_options *out_options)
{
    *out_options = options ? *options : (trib_decode_options) { 0 };
    if (!out_options->max_pixels) out_options->max_pixels = TRIB_MAX_IMAGE_PIXELS;
    if (out_options->max_pixels < 0)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "max_pixels is %lld", (long long)out_options->max_pixels);
    if (!bytes && size) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "bytes is NULL");
    if (!size) return TRIB_ERROR(TRIB_BAD_DATA, "the image is empty (0 bytes)");
    const format *f = find_format(bytes, size);
    if (!f) return TRIB_ERROR(TRIB_BAD_DATA, "not an image: it is neither JPEG, PNG nor WebP");
    if (!f->decode)
        return TRIB_ERROR(TRIB_UNSUPPORTED,
                          "this looks like %s, which is not supported; convert it to JPEG, PNG or WebP", f->name);
    *out = f;
    return trib_success();
}

trib_status trib_image_decode(const void *bytes, size_t size, const trib_decode_options *options, trib_image *out)
{
    const format *f = NULL;
    trib_decode_options o;
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_image_decode: out is NULL");
    TRIB_TRY(prepare(bytes, size, options, &f, &o));
    int orientation = 1;
    trib_image image = { 0 };
    trib_status s = f->decode(bytes, size, &o, &image, &orientation);
    if (!trib_failed(&s)) s = trib_image_turn_upright(&image, orientation);
    if (trib_failed(&s))
        trib_image_release(&image);
    else
        *out = image;
    trib_add_context(&s, "%s image", f->name);
    return trib_outcome(&s);
}

trib_status trib_image_inspect(const void *bytes, size_t size, const trib_decode_options *options, trib_image_info *out)
{
    const format *f = NULL;
    trib_decode_options o;
    trib_image_info info = { 0 };
    if (!out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "trib_image_inspect: out is NULL");
    TRIB_TRY(prepare(bytes, size, options, &f, &o));
    trib_status s = f->inspect(bytes, size, o.max_pixels, &info);
    trib_add_context(&s, "%s image", f->name);
    if (trib_failed(&s)) return s;
    if (o.apply_orientation) { /* a turned copy; the decoders read EXIF data */
        int64_t pixels = (int64_t)info.width * info.height * info.channels;
        info.decode_bytes += pixels + (int64_t)size;
    }
    *out = info;
    return trib_outcome(&s);
}

trib_status trib_image_check_size(int64_t width, int64_t height, int64_t max_pixels)
{
    if (width <= 0 || height <= 0)
        return TRIB_ERROR(TRIB_BAD_DATA, "its size is %lld x %lld: it has no pixels", (long long)width,
                          (long long)height);
    if (width > INT_MAX || height > INT_MAX)
        return TRIB_ERROR(TRIB_BAD_DATA, "its size is %lld x %lld: a side of more than %d pixels is not read",
                          (long long)width, (long long)height, INT_MAX);
    if (width <= max_pixels / height && (uint64_t)width <= PTRDIFF_MAX / 3 / (uint64_t)height) return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA,
                      "its size is %lld x %lld: more than the limit of %lld pixels; if you trust the image, raise "
                      "trib_decode_options.max_pixels",
                      (long long)width, (long long)height, (long long)max_pixels);
}

trib_status trib_image_create(int64_t width, int64_t height, int channels, int64_t max_pixels, trib_image *out)
{
    TRIB_TRY(trib_image_check_size(width, height, max_pixels));
    trib_image image = { .width = (int)width, .height = (int)height, .channels = channels };
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    image.pixels = trib_alloc(bytes);
    if (!image.pixels)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its %zu bytes of pixels (%d x %d)", bytes, image.width,
                          image.height);
    *out = image;
    return trib_success();
}

void trib_image_release(trib_image *image)
{
    if (!image) return;
    trib_free(image->pixels);
    *image = (trib_image) { 0 };
}

trib_status trib_decoder_missing(const char *format, const char *library, const char *package)
{
    return TRIB_ERROR(TRIB_UNSUPPORTED,
                      "this build cannot read %s: it was made without %s; install it (Debian: %s) and rebuild", format,
                      library, package);
}

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: PNG by libspng. Alpha and transparency are dropped; of 16 bits the high byte is kept, as PIL does for
 * colour (its clipping of 16-bit gray to 255 is not imitated). Checksums and the end chunk must be right. */
#include "image/decoders.h"

#if TRIB_HAVE_SPNG

#include <spng.h>

#include "tributary/internal/alloc.h"

/* libspng reads and inflates profiles and texts though nobody asks for them: a limit against bombs. */
enum { MAX_CHUNK_BYTES = 64 << 20 };

static trib_status png_error(int code)
{
    if (code == SPNG_EMEM) return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, code, "libspng", "libspng is out of memory");
    if (code == SPNG_IO_EOF || code == SPNG_EOF || code == SPNG_EIDAT_TOO_SHORT)
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libspng", "truncated: the file ends before the image does");
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libspng", "libspng says: %s", spng_strerror(code));
}

/* Keeps the first byte (of a gray sample: the high one) of every `stride`. */
static void take_every(const uint8_t *from, size_t stride, size_t count, uint8_t *to)
{
    for (size_t i = 0; i < count; ++i) to[i] = from[i * stride];
}

/* Gray that libspng does not give as 8 bits without alpha: its samples as stored, thinned out. */
static trib_status decode_wide_gray(spng_ctx *png, size_t stride, trib_image *image)
{
    size_t count = (size_t)image->width * (size_t)image->height;
    uint8_t *raw = trib_alloc(count * stride);
    if (!raw) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for its %zu bytes of samples", count * stride);
    int code = spng_decode_image(png, raw, count * stride, SPNG_FMT_RAW, 0);
    if (!code) take_every(raw, stride, count, image->pixels);
    trib_free(raw);
    return code ? png_error(code) : trib_success();
}

static trib_status decode_pixels(spng_ctx *png, const struct spng_ihdr *header, trib_image *image)
{
    bool alpha = header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    size_t sample = header->bit_depth == 16 ? 2 : 1, stride = alpha ? 2 * sample : sample;
    if (image->channels == 1 && stride > 1) return decode_wide_gray(png, stride, image);
    size_t bytes = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    int code = spng_decode_image(png, image->pixels, bytes, image->channels == 1 ? SPNG_FMT_G8 : SPNG_FMT_RGB8, 0);
    return code ? png_error(code) : trib_success();
}

static trib_status open_png(spng_ctx *png, const uint8_t *bytes, size_t size, struct spng_ihdr *header)
{
    int code = spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_ERROR);
    if (!code) code = spng_set_chunk_limits(png, MAX_CHUNK_BYTES, MAX_CHUNK_BYTES);
    if (!code) code = spng_set_png_buffer(png, bytes, size);
    if (!code) code = spng_get_ihdr(png, header);
    return code ? png_error(code) : trib_success();
}

trib_status trib_decode_png(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image *out)
{
    trib_status s;
    trib_image image = { 0 };
    struct spng_ihdr header;
    spng_ctx *png = spng_ctx_new(0);
    if (!png) return png_error(SPNG_EMEM);
    TRIB_TRY_GOTO(s, done, open_png(png, bytes, size, &header));
    bool gray = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    TRIB_TRY_GOTO(s, done, trib_image_create(header.width, header.height, gray ? 1 : 3, max_pixels, &image));
    TRIB_TRY_GOTO(s, done, decode_pixels(png, &header, &image));
    int code = spng_decode_chunks(png); /* the last pixels' checksum, and whether the file is complete */
    if (code) s = png_error(code);
done:
    spng_ctx_free(png);
    if (trib_failed(&s))
        trib_image_release(&image);
    else
        *out = image;
    return s;
}

#else

trib_status trib_decode_png(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image *out)
{
    (void)bytes, (void)size, (void)max_pixels, (void)out;
    return trib_decoder_missing("PNG", "libspng", "libspng-dev");
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: PNG by libspng, accepting and refusing what PIL does. Alpha and transparency are dropped; of 16 bits the
 * high byte is kept, as PIL does for colour (its clipping of 16-bit gray to 255 is not imitated).
 *
 * libspng is stricter than PIL, and reads profiles and texts that are not needed. So it gets another file, in pieces:
 * header, palette and pixels of the real one, and an end. png_chunks.c checks the rest of the real file. */
#include "image/decoders.h"

#if TRIB_HAVE_SPNG

#include <string.h>

#include <spng.h>

#include "image/exif.h"
#include "image/png_chunks.h"
#include "tributary/internal/alloc.h"

enum { HEAD = 8, CHECKSUM = 4, PALETTE_COLOUR = 3, MOST_PALETTE = 256 * 3 };
enum { START_BYTES = TRIB_PNG_SIGNATURE_BYTES + 2 * (HEAD + CHECKSUM) + TRIB_PNG_HEADER_BYTES + MOST_PALETTE };

/* The file that libspng sees: start, pixels, end. */
typedef struct source {
    struct {
        const uint8_t *bytes;
        size_t size;
    } pieces[3];
    int at;
    uint8_t start[START_BYTES];
    uint8_t *repaired; /* owned; NULL: the pixels as they are in the file */
} source;

static void put_u32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; ++i) to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The chunk's data are already at to + HEAD. Returns the end of the chunk. */
static uint8_t *finish_chunk(uint8_t *to, const char *name, size_t length)
{
    put_u32(to, (uint32_t)length);
    memcpy(to + 4, name, 4);
    put_u32(to + HEAD + length, trib_png_checksum(to + 4, 4 + length));
    return to + HEAD + length + CHECKSUM;
}

static uint8_t *put_chunk(uint8_t *to, const char *name, const uint8_t *data, size_t length)
{
    memcpy(to + HEAD, data, length);
    return finish_chunk(to, name, length);
}

/* A palette may be longer than the bit depth can address: PIL accepts that, libspng does not. */
static trib_status put_palette(const trib_png_chunks *png, uint8_t **to)
{
    int depth = png->header[8], colour = png->header[9];
    if (colour != PALETTE_COLOUR) return trib_success();
    size_t size = png->palette_size - png->palette_size % 3, addressed = depth < 8 ? (size_t)3 << depth : MOST_PALETTE;
    if (size == 0) return TRIB_ERROR(TRIB_BAD_DATA, "damaged: its pixels need a palette, and it has none");
    if (size > MOST_PALETTE) return TRIB_ERROR(TRIB_BAD_DATA, "damaged: its palette has %zu colours", size / 3);
    *to = put_chunk(*to, "PLTE", png->palette, size < addressed ? size : addressed);
    return trib_success();
}

static trib_status make_source(source *s, const uint8_t *bytes, const trib_png_chunks *png)
{
    static const uint8_t end[] = "\0\0\0\0IEND\xAE\x42\x60\x82";
    uint8_t *to = s->start;
    memcpy(to, bytes, TRIB_PNG_SIGNATURE_BYTES);
    to = put_chunk(to + TRIB_PNG_SIGNATURE_BYTES, "IHDR", png->header, TRIB_PNG_HEADER_BYTES);
    TRIB_TRY(put_palette(png, &to));
    s->pieces[0].bytes = s->start;
    s->pieces[0].size = (size_t)(to - s->start);
    s->pieces[1].bytes = png->pixels;
    s->pieces[1].size = (size_t)(png->end - png->pixels);
    s->pieces[2].bytes = end;
    s->pieces[2].size = sizeof end - 1;
    return trib_success();
}

/* The pixels as one chunk with a correct checksum: PIL does not check theirs, and accepts a last chunk that is cut off
 * by the end of the file. (If libspng is told not to check, it ignores zlib's checksum too; PIL does not.) */
static trib_status repair_pixels(source *s, const trib_png_chunks *png)
{
    size_t most = (size_t)(png->end - png->pixels), length = 0;
    s->repaired = trib_alloc(HEAD + most + CHECKSUM);
    if (!s->repaired) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a copy of its %zu bytes of pixels", most);
    for (const uint8_t *at = png->pixels, *data; at < png->end;) {
        size_t part = trib_png_chunk_data(at, png->end, &data);
        memcpy(s->repaired + HEAD + length, data, part);
        length += part;
        at = (size_t)(png->end - data) < part + CHECKSUM ? png->end : data + part + CHECKSUM;
    }
    if (length > INT32_MAX)
        return TRIB_ERROR(TRIB_UNSUPPORTED, "its %zu bytes of pixels do not fit in a chunk", length);
    s->pieces[1].bytes = s->repaired;
    s->pieces[1].size = (size_t)(finish_chunk(s->repaired, "IDAT", length) - s->repaired);
    return trib_success();
}

static int read_source(spng_ctx *png, void *user, void *to, size_t size)
{
    (void)png;
    source *s = user;
    uint8_t *next = to;
    while (size > 0) {
        if (s->at == 3) return SPNG_IO_EOF;
        const uint8_t **bytes = &s->pieces[s->at].bytes;
        size_t *left = &s->pieces[s->at].size, part = size < *left ? size : *left;
        memcpy(next, *bytes, part);
        next += part, *bytes += part;
        size -= part, *left -= part;
        s->at += *left == 0;
    }
    return 0;
}

static trib_status png_error(int code)
{
    if (code == SPNG_EMEM) return TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, code, "libspng", "libspng is out of memory");
    if (code == SPNG_IO_EOF || code == SPNG_EOF || code == SPNG_EIDAT_TOO_SHORT)
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libspng", "truncated: not all of its pixels are there");
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libspng", "libspng says: %s", spng_strerror(code));
}

/* Keeps the first byte (for a gray sample, the high one) of every `stride`. */
static void take_every(const uint8_t *from, size_t stride, size_t count, uint8_t *to)
{
    for (size_t i = 0; i < count; ++i) to[i] = from[i * stride];
}

/* Gray that libspng cannot give as 8 bits without alpha: decodes samples as stored and thins them out. */
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

static trib_status open_png(spng_ctx *png, source *s, struct spng_ihdr *header)
{
    int code = spng_set_png_stream(png, read_source, s);
    if (!code) code = spng_get_ihdr(png, header);
    return code ? png_error(code) : trib_success();
}

static trib_status decode_source(source from, int64_t max_pixels, trib_image *out)
{
    trib_status s;
    trib_image image = { 0 };
    struct spng_ihdr header;
    spng_ctx *png = spng_ctx_new(0);
    if (!png) return png_error(SPNG_EMEM);
    TRIB_TRY_GOTO(s, done, open_png(png, &from, &header));
    bool gray = header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
    TRIB_TRY_GOTO(s, done, trib_image_create(header.width, header.height, gray ? 1 : 3, max_pixels, &image));
    s = decode_pixels(png, &header, &image);
done:
    spng_ctx_free(png);
    if (trib_failed(&s))
        trib_image_release(&image);
    else
        *out = image;
    return trib_outcome(&s);
}

static trib_status decode_chunks(const uint8_t *bytes, const trib_png_chunks *png, int64_t max_pixels, trib_image *out)
{
    source from = { .at = 0 };
    TRIB_TRY(make_source(&from, bytes, png));
    trib_status s = trib_success();
    if (!png->cut) s = decode_source(from, max_pixels, out);
    if (png->cut || s.vendor_code == SPNG_ECHUNK_CRC) {
        s = repair_pixels(&from, png);
        if (!trib_failed(&s)) s = decode_source(from, max_pixels, out);
        trib_free(from.repaired);
    }
    return trib_outcome(&s);
}

trib_status trib_decode_png(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                            int *orientation)
{
    trib_png_chunks png;
    TRIB_TRY(trib_png_find_chunks(bytes, size, &png));
    TRIB_TRY(decode_chunks(bytes, &png, options->max_pixels, out));
    if (png.animated) out->note = TRIB_NOTE_ANIMATION;
    if (png.exif && options->apply_orientation) *orientation = trib_exif_orientation(png.exif, png.exif_size);
    return trib_success();
}

#else

trib_status trib_decode_png(const uint8_t *bytes, size_t size, const trib_decode_options *options, trib_image *out,
                            int *orientation)
{
    (void)bytes, (void)size, (void)options, (void)out, (void)orientation;
    return trib_decoder_missing("PNG", "libspng", "libspng-dev");
}

#endif

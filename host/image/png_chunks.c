/* SPDX-License-Identifier: Apache-2.0
 * Tributary: walks a PNG file's chunks (length, name, data, checksum) by the rules of PIL's PngImagePlugin. */
#include "image/png_chunks.h"

#include <string.h>

enum { LENGTH_BYTES = 4, NAME_BYTES = 4, CHECKSUM_BYTES = 4 };

typedef struct walk {
    const uint8_t *at, *end;
} walk;

typedef struct chunk {
    const uint8_t *start, *data;
    size_t length;
} chunk;

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Four bits at a time. */
uint32_t trib_png_checksum(const uint8_t *bytes, size_t size)
{
    static const uint32_t table[16] = { 0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                        0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                        0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C };
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; ++i) {
        crc = crc >> 4 ^ table[(crc ^ bytes[i]) & 15];
        crc = crc >> 4 ^ table[(crc ^ (uint32_t)bytes[i] >> 4) & 15];
    }
    return ~crc;
}

static bool is_named(const chunk *c, const char *name) { return !memcmp(c->start + LENGTH_BYTES, name, NAME_BYTES); }

/* PIL's definition, in every locale. */
static bool is_name_byte(uint8_t b)
{
    return (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || b == '_';
}

/* False at the end of the file, and where no chunk begins. */
static bool begin_chunk(const walk *w, chunk *c)
{
    if (w->end - w->at < LENGTH_BYTES + NAME_BYTES) return false;
    *c = (chunk) { w->at, w->at + LENGTH_BYTES + NAME_BYTES, read_u32(w->at) };
    for (int i = 0; i < NAME_BYTES; ++i)
        if (!is_name_byte(w->at[LENGTH_BYTES + i])) return false;
    return true;
}

static bool is_whole(const walk *w, const chunk *c, size_t behind)
{
    return (size_t)(w->end - c->data) >= c->length + behind;
}

static trib_status truncated(const char *where)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "truncated: the file ends %s", where);
}

static trib_status check_chunk(const walk *w, const chunk *c)
{
    if (!is_whole(w, c, CHECKSUM_BYTES)) return truncated("before its pixels");
    if (trib_png_checksum(c->start + LENGTH_BYTES, NAME_BYTES + c->length) == read_u32(c->data + c->length))
        return trib_success();
    return TRIB_ERROR(TRIB_BAD_DATA, "damaged: the checksum of its %.4s chunk is wrong",
                      (const char *)c->start + LENGTH_BYTES);
}

static trib_status note_chunk(const chunk *c, trib_png_chunks *png)
{
    if (is_named(c, "IHDR")) {
        if (c->length < TRIB_PNG_HEADER_BYTES)
            return TRIB_ERROR(TRIB_BAD_DATA, "damaged: its header has only %zu bytes", c->length);
        png->header = c->data;
    } else if (is_named(c, "PLTE")) {
        png->palette = c->data;
        png->palette_size = c->length;
    } else if (is_named(c, "acTL") && c->length >= 4) {
        png->frames = png->frames ? 0 : read_u32(c->data); /* a second one is ignored */
    } else if (is_named(c, "fcTL")) {
        png->first_is_still = false;
    }
    return trib_success();
}

static void note_exif(const chunk *c, trib_png_chunks *png)
{
    if (!is_named(c, "eXIf")) return;
    png->exif = c->data;
    png->exif_size = c->length;
}

static trib_status walk_to_pixels(walk *w, trib_png_chunks *png)
{
    for (;;) {
        chunk c;
        if (!begin_chunk(w, &c))
            return w->end - w->at < LENGTH_BYTES + NAME_BYTES
                       ? truncated("before its pixels")
                       : TRIB_ERROR(TRIB_BAD_DATA, "damaged: no chunk where one must begin");
        if (is_named(&c, "IDAT")) break;
        TRIB_TRY(check_chunk(w, &c));
        if (is_named(&c, "IEND")) return TRIB_ERROR(TRIB_BAD_DATA, "it has no pixels: there is no IDAT chunk");
        TRIB_TRY(note_chunk(&c, png));
        note_exif(&c, png);
        w->at = c.data + c.length + CHECKSUM_BYTES;
    }
    png->pixels = w->at;
    png->animated = (int64_t)png->frames + (png->frames && png->first_is_still) > 1;
    return png->header ? trib_success() : TRIB_ERROR(TRIB_BAD_DATA, "damaged: it has no header (IHDR)");
}

static void walk_pixels(walk *w, trib_png_chunks *png)
{
    for (chunk c; !png->cut && begin_chunk(w, &c) && is_named(&c, "IDAT");) {
        png->cut = !is_whole(w, &c, CHECKSUM_BYTES);
        w->at = png->cut ? w->end : c.data + c.length + CHECKSUM_BYTES;
    }
    png->end = w->at;
}

static trib_status walk_to_end(walk *w, trib_png_chunks *png)
{
    for (chunk c; begin_chunk(w, &c) && !is_named(&c, "IEND");) {
        if (png->animated && is_named(&c, "fcTL")) break; /* the second frame */
        if (!is_whole(w, &c, 0)) return truncated("in a chunk after its pixels");
        note_exif(&c, png);
        w->at = is_whole(w, &c, CHECKSUM_BYTES) ? c.data + c.length + CHECKSUM_BYTES : w->end;
    }
    return trib_success();
}

size_t trib_png_chunk_data(const uint8_t *at, const uint8_t *end, const uint8_t **data)
{
    *data = at + LENGTH_BYTES + NAME_BYTES;
    size_t length = read_u32(at), there = (size_t)(end - *data);
    return length < there ? length : there;
}

trib_status trib_png_find_chunks(const uint8_t *bytes, size_t size, trib_png_chunks *out)
{
    walk w = { bytes + TRIB_PNG_SIGNATURE_BYTES, bytes + size };
    trib_png_chunks png = { .first_is_still = true };
    TRIB_TRY(walk_to_pixels(&w, &png));
    walk_pixels(&w, &png);
    TRIB_TRY(walk_to_end(&w, &png));
    *out = png;
    return trib_success();
}

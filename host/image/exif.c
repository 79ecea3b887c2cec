/* SPDX-License-Identifier: Apache-2.0
 * Tributary: EXIF's orientation: finding it, and turning an image by it.
 *
 * EXIF data is a TIFF file's directory: "II*\\0" or "MM\\0*" gives the byte order, followed by the offset of a table of
 * 12-byte entries (tag, type, count, value). Malformed data means no orientation, as in PIL. */
#include "image/exif.h"

#include <string.h>

#include "image/decoders.h"

enum { UPRIGHT = 1, ORIENTATIONS = 8, TAG_ORIENTATION = 0x0112, ENTRY_BYTES = 12 };

typedef struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
} tiff;

/* A number of `count` bytes at `at`; 0 beyond the end. */
static uint32_t number(const tiff *t, size_t at, int count)
{
    uint32_t value = 0;
    if (at > t->size || (size_t)count > t->size - at) return 0;
    for (int i = 0; i < count; ++i) value = value << 8 | t->bytes[at + (size_t)(t->big_endian ? i : count - 1 - i)];
    return value;
}

static int entry_orientation(const tiff *t, size_t at)
{
    enum { BYTE = 1, SHORT = 3, LONG = 4 };
    uint32_t type = number(t, at + 2, 2);
    int bytes = type == BYTE ? 1 : type == SHORT ? 2 : type == LONG ? 4 : 0;
    uint32_t value = bytes && number(t, at + 4, 4) == 1 ? number(t, at + 8, bytes) : 0;
    return value >= UPRIGHT && value <= ORIENTATIONS ? (int)value : UPRIGHT;
}

int trib_exif_orientation(const uint8_t *bytes, size_t size)
{
    if (size >= 6 && !memcmp(bytes, "Exif\0\0", 6)) bytes += 6, size -= 6;
    if (size < 8 || (memcmp(bytes, "II*\0", 4) != 0 && memcmp(bytes, "MM\0*", 4) != 0)) return UPRIGHT;
    tiff t = { bytes, size, bytes[0] == 'M' };
    size_t table = number(&t, 4, 4);
    uint32_t entries = number(&t, table, 2);
    for (uint32_t i = 0; i < entries; ++i) {
        size_t at = table + 2 + (size_t)i * ENTRY_BYTES;
        if (number(&t, at, 2) == TAG_ORIENTATION) return entry_orientation(&t, at);
    }
    return UPRIGHT;
}

/* EXIF says where row 0 and column 0 of the upright image lie in the stored one. */
trib_status trib_image_turn_upright(trib_image *image, int orientation)
{
    if (orientation <= UPRIGHT || orientation > ORIENTATIONS) return trib_success();
    bool transposed = orientation >= 5;
    bool from_right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    bool from_bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    trib_image turned;
    TRIB_TRY(trib_image_create(transposed ? image->height : image->width, transposed ? image->width : image->height,
                               image->channels, INT64_MAX, &turned));
    ptrdiff_t pixel = image->channels, row = (ptrdiff_t)image->width * pixel;
    const uint8_t *from = image->pixels;
    if (from_right) from += row - pixel, pixel = -pixel;
    if (from_bottom) from += (ptrdiff_t)(image->height - 1) * row, row = -row;
    ptrdiff_t right = transposed ? row : pixel, down = transposed ? pixel : row;
    uint8_t *to = turned.pixels;
    for (int y = 0; y < turned.height; ++y)
        for (int x = 0; x < turned.width; ++x, to += image->channels)
            memcpy(to, from + y * down + x * right, (size_t)image->channels);
    turned.note = image->note;
    trib_image_release(image);
    *image = turned;
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the memory for decoding a PNG, from its header chunk. */
#include "image/decoders.h"

#if TRIB_HAVE_SPNG

#include "image/png_chunks.h"

enum { GRAY = 0, GRAY_ALPHA = 4 };
/* The decompressor with its window, and libspng's own objects. */
enum { OBJECTS = 160 << 10 };

static int64_t big_endian(const uint8_t *bytes)
{
    return (int64_t)bytes[0] << 24 | (int64_t)bytes[1] << 16 | (int64_t)bytes[2] << 8 | bytes[3];
}

/* Bytes per sample of gray that is first decoded as stored, then thinned out. */
static int64_t stored_bytes(int depth, int colour)
{
    int64_t sample = depth == 16 ? 2 : 1, stride = colour == GRAY_ALPHA ? 2 * sample : sample;
    return (colour == GRAY || colour == GRAY_ALPHA) && stride > 1 ? stride : 0;
}

trib_status trib_inspect_png(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info)
{
    trib_png_chunks png;
    TRIB_TRY(trib_png_find_chunks(bytes, size, &png));
    int64_t width = big_endian(png.header), height = big_endian(png.header + 4);
    int depth = png.header[8], colour = png.header[9];
    bool gray = colour == GRAY || colour == GRAY_ALPHA;
    TRIB_TRY(trib_image_check_size(width, height, max_pixels));
    /* The current row, the previous one, and for an interlaced image a row of one pass: at most 8 bytes per pixel. */
    int64_t rows = 3 * (width * 8 + 64), samples = (gray ? 1 : 3) + stored_bytes(depth, colour);
    int64_t repaired = png.end - png.pixels; /* a copy, if checksums are wrong or the file was truncated */
    *info = (trib_image_info) { .width = (int)width, .height = (int)height, .channels = gray ? 1 : 3 };
    info->decode_bytes = OBJECTS + rows + repaired + width * height * samples;
    return trib_success();
}

#else

trib_status trib_inspect_png(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info)
{
    (void)bytes, (void)size, (void)max_pixels, (void)info;
    return trib_decoder_missing("PNG", "libspng", "libspng-dev");
}

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the memory for decoding a WebP, from its headers and the way libwebp works.
 *
 * libwebp decodes a lossy image in rows of blocks of 16 x 16 pixels. It collects a lossless image, or lossless alpha,
 * as a whole, with 32 bits per pixel, beside smaller images that say how each tile of at least 4 x 4 pixels is coded.
 * Only the data tell the number of sets of code tables: at most one per tile, and each takes at least 20 bits of the
 * file. */
#include <string.h>

#include "image/decoders.h"

#if TRIB_HAVE_WEBP

#include <webp/decode.h>

enum { OBJECTS = 256 << 10, CHUNK_HEAD = 8, CONTAINER_HEAD = 12 };
/* Per set: five tables of at most 5,004 entries of 4 bytes together, and the pointers to them. */
enum { MOST_SETS = 1 << 16, SET_BYTES = 5004 * 4 + 640, SET_BITS = 20 };

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t tiles(int64_t width, int64_t height) { return ((width + 3) / 4) * ((height + 3) / 4); }

static int64_t sets_bytes(int64_t width, int64_t height, size_t size)
{
    int64_t coded = (int64_t)size * 8 / SET_BITS + 1;
    return least(MOST_SETS, least(tiles(width, height), coded)) * SET_BYTES;
}

/* All pixels and 17 more rows, and three images with a pixel per tile. */
static int64_t lossless_bytes(int64_t width, int64_t height)
{
    return (width * height + 17 * width + 3 * tiles(width, height)) * 4;
}

/* A row of blocks: samples, coefficients, and what filters and the conversion to RGB need of earlier rows. */
static int64_t lossy_bytes(int64_t width)
{
    enum { BLOCK_COLUMN = 3072 };
    return ((width + 15) / 16 + 1) * BLOCK_COLUMN;
}

/* The container's reader keeps a record per chunk; some chunks hold frames. */
static int64_t container_bytes(const uint8_t *bytes, size_t size)
{
    enum { NOTE = 256 };
    int64_t chunks = 0;
    for (size_t at = CONTAINER_HEAD; size - at >= CHUNK_HEAD && at < size; ++chunks) {
        const uint8_t *length = bytes + at + 4;
        size_t data = (size_t)length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
        size_t left = size - at - CHUNK_HEAD;
        if (data + data % 2 > left) break;
        at += CHUNK_HEAD + data + data % 2;
    }
    return (chunks + 1) * NOTE;
}

static trib_status read_features(const uint8_t *bytes, size_t size, WebPBitstreamFeatures *features)
{
    VP8StatusCode code = WebPGetFeatures(bytes, size, features);
    if (code == VP8_STATUS_OK) return trib_success();
    if (code == VP8_STATUS_NOT_ENOUGH_DATA)
        return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libwebp", "truncated: the file ends before the image does");
    return TRIB_VENDOR_ERROR(TRIB_BAD_DATA, code, "libwebp", "its header is damaged (libwebp status %d)", (int)code);
}

trib_status trib_inspect_webp(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info)
{
    enum { LOSSY = 1 }; /* of features.format; 2 is lossless, 0 an animation of either */
    WebPBitstreamFeatures features;
    TRIB_TRY(read_features(bytes, size, &features));
    int64_t width = features.width, height = features.height, pixels = width * height;
    TRIB_TRY(trib_image_check_size(width, height, max_pixels));
    *info = (trib_image_info) { .width = features.width, .height = features.height, .channels = 3 };
    info->decode_bytes = OBJECTS + container_bytes(bytes, size) + 3 * pixels;
    if (features.format != LOSSY || features.has_alpha) {
        info->doubtful_bytes = sets_bytes(width, height, size);
        info->decode_bytes += lossless_bytes(width, height) + info->doubtful_bytes;
    }
    if (features.format != 2) info->decode_bytes += lossy_bytes(width) + (features.has_alpha ? 2 * pixels : 0);
    return trib_success();
}

#else

trib_status trib_inspect_webp(const uint8_t *bytes, size_t size, int64_t max_pixels, trib_image_info *info)
{
    (void)bytes, (void)size, (void)max_pixels, (void)info;
    return trib_decoder_missing("WebP", "libwebp", "libwebp-dev");
}

#endif

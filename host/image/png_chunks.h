/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the parts of a PNG file that make its picture. */
#ifndef TRIBUTARY_IMAGE_PNG_CHUNKS_H
#define TRIBUTARY_IMAGE_PNG_CHUNKS_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_PNG_SIGNATURE_BYTES = 8, TRIB_PNG_HEADER_BYTES = 13 };

/* All of it points into the file. */
typedef struct trib_png_chunks {
    const uint8_t *header;  /* IHDR's data, TRIB_PNG_HEADER_BYTES */
    const uint8_t *palette; /* PLTE's data; NULL without one */
    size_t palette_size;    /* in bytes */
    const uint8_t *pixels;  /* the first IDAT chunk */
    const uint8_t *end;     /* behind the last of those that follow it at once */
    bool cut;               /* the last ends with the file, not with its checksum */
    const uint8_t *exif;    /* eXIf's data; NULL without one */
    size_t exif_size;
    uint32_t frames;     /* of an animation */
    bool first_is_still; /* what IDAT holds is shown where animations are not, and not one of the frames */
    bool animated;       /* there is more than IDAT's picture */
} trib_png_chunks;

/* Fails with TRIB_BAD_DATA where PIL would: checksums must be right up to the pixels and are not looked at from there
 * on, and a file may end after any whole chunk, or anywhere in its pixels (whether they are all there, the decoder will
 * see). `bytes` begin with the signature. */
trib_status trib_png_find_chunks(const uint8_t *bytes, size_t size, trib_png_chunks *out);

/* The data of the chunk at `at`, and how much there is of them before `end`. */
size_t trib_png_chunk_data(const uint8_t *at, const uint8_t *end, const uint8_t **data);

/* CRC-32: of a chunk's name and data. */
uint32_t trib_png_checksum(const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the parts of a PNG file that make up its picture. */
#ifndef TRIBUTARY_IMAGE_PNG_CHUNKS_H
#define TRIBUTARY_IMAGE_PNG_CHUNKS_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_PNG_SIGNATURE_BYTES = 8, TRIB_PNG_HEADER_BYTES = 13 };

/* All pointers lead into the file. */
typedef struct trib_png_chunks {
    const uint8_t *header;  /* IHDR's data, TRIB_PNG_HEADER_BYTES */
    const uint8_t *palette; /* PLTE's data; NULL without one */
    size_t palette_size;    /* in bytes */
    const uint8_t *pixels;  /* the first IDAT chunk */
    const uint8_t *end;     /* end of the last of the consecutive IDAT chunks */
    bool cut;               /* the last one ends with the file, without a checksum */
    const uint8_t *exif;    /* eXIf's data; NULL without one */
    size_t exif_size;
    uint32_t frames;     /* of an animation */
    bool first_is_still; /* IDAT holds a picture for programs without animation, not a frame */
    bool animated;       /* there are pictures besides that of IDAT */
} trib_png_chunks;

/* Fails with TRIB_BAD_DATA where PIL does: checksums must be right up to the pixels and are ignored after that; a file
 * may end after any whole chunk, or within its pixels (the decoder finds out whether all are there). `bytes` begin with
 * the signature. */
trib_status trib_png_find_chunks(const uint8_t *bytes, size_t size, trib_png_chunks *out);

/* The data of the chunk at `at`, and their size before `end`. */
size_t trib_png_chunk_data(const uint8_t *at, const uint8_t *end, const uint8_t **data);

/* CRC-32 of a chunk's name and data. */
uint32_t trib_png_checksum(const uint8_t *bytes, size_t size);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0
 * Decoded images that are kept for the next time they are asked for, within a limit of memory. Threads share it. */
#ifndef TRIB_DATA_IMAGE_CACHE_H
#define TRIB_DATA_IMAGE_CACHE_H

#include "tributary/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trib_image_cache trib_image_cache;

/* Of images with the numbers 0 .. images - 1. `most_bytes` of pixels are kept: those of images asked for lately. */
trib_status trib_image_cache_create(int64_t images, int64_t most_bytes, trib_image_cache **out);
void trib_image_cache_destroy(trib_image_cache *cache); /* NULL is fine */

/* The image, which stays until it is let go; NULL: it is not kept. */
const trib_image *trib_image_cache_hold(trib_image_cache *cache, int64_t number);
void trib_image_cache_let_go(trib_image_cache *cache, int64_t number);
/* Keeps a copy, if there is room for one or other images can make it. Without memory it keeps none. */
void trib_image_cache_keep(trib_image_cache *cache, int64_t number, const trib_image *image);

int64_t trib_image_cache_bytes(trib_image_cache *cache); /* kept now */

#ifdef __cplusplus
}
#endif
#endif

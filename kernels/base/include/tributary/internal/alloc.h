/* SPDX-License-Identifier: Apache-2.0
 * Host memory for every layer. All of Tributary allocates through these, so that tests can make any allocation fail. */
#ifndef TRIBUTARY_INTERNAL_ALLOC_H
#define TRIBUTARY_INTERNAL_ALLOC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All return NULL on failure, including a size that overflows. Free with trib_free (NULL is fine). Zero bytes give a
 * valid pointer. */
void *trib_alloc(size_t bytes);
void *trib_alloc_zeroed(size_t count, size_t size);
/* Grows or shrinks; on failure the old block stays valid. */
void *trib_realloc_array(void *block, size_t count, size_t size);
/* `alignment` is a power of two, at least sizeof(void *). */
void *trib_alloc_aligned(size_t bytes, size_t alignment);
char *trib_strdup(const char *text);
void trib_free(void *block);

/* Doubles `*capacity` until it holds `needed` elements. Returns 0, or -1 without changes when out of memory. */
int trib_grow(void **block, size_t *capacity, size_t needed, size_t size);

#ifdef __cplusplus
}
#endif
#endif

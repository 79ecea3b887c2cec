/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/internal/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tributary/internal/fault.h"

void *trib_alloc(size_t bytes) { return trib_fault("alloc") ? NULL : malloc(bytes ? bytes : 1); }

void *trib_alloc_zeroed(size_t count, size_t size)
{
    if (trib_fault("alloc")) return NULL;
    return calloc(count ? count : 1, size ? size : 1);
}

void *trib_realloc_array(void *block, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) return NULL;
    if (trib_fault("alloc")) return NULL;
    size_t bytes = count * size;
    return realloc(block, bytes ? bytes : 1);
}

void *trib_alloc_aligned(size_t bytes, size_t alignment)
{
    if (bytes > SIZE_MAX - alignment || trib_fault("alloc")) return NULL;
    size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    return aligned_alloc(alignment, rounded ? rounded : alignment);
}

char *trib_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = trib_alloc(size);
    return copy ? memcpy(copy, text, size) : NULL;
}

void trib_free(void *block) { free(block); }

int trib_grow(void **block, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity) return 0;
    size_t wanted = *capacity ? *capacity : 8;
    while (wanted < needed) {
        if (wanted > SIZE_MAX / 2) return -1;
        wanted *= 2;
    }
    void *larger = trib_realloc_array(*block, wanted, size);
    if (!larger) return -1;
    *block = larger;
    *capacity = wanted;
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/blocks.h"

#include <stdalign.h>
#include <stdint.h>

#include "tributary/internal/alloc.h"

typedef struct block {
    struct block *next;
    alignas(max_align_t) char bytes[];
} block;

void *trib_blocks_add(void **blocks, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX - sizeof(block)) / size) return NULL;
    block *b = trib_alloc_zeroed(1, sizeof *b + count * size);
    if (!b) return NULL;
    b->next = *blocks;
    *blocks = b;
    return b->bytes;
}

void trib_blocks_release(void **blocks)
{
    block *b = *blocks;
    *blocks = NULL;
    while (b) {
        block *next = b->next;
        trib_free(b);
        b = next;
    }
}

trib_status trib_blocks_no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory left for a profile"); }

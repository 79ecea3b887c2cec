/* SPDX-License-Identifier: Apache-2.0
 * Memory that is released together: a list of blocks. */
#ifndef TRIBUTARY_HOST_PROFILE_BLOCKS_H
#define TRIBUTARY_HOST_PROFILE_BLOCKS_H

#include <stddef.h>

#include "tributary/status.h"

/* Zeroed; `*blocks` is the list, NULL at first. NULL on failure, including a size that overflows. */
void *trib_blocks_add(void **blocks, size_t count, size_t size);
void trib_blocks_release(void **blocks);
/* What a failed call reports. */
trib_status trib_blocks_no_memory(void);

#endif

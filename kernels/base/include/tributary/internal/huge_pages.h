/* SPDX-License-Identifier: Apache-2.0
 * A hint to the system about large blocks of memory. */
#ifndef TRIBUTARY_INTERNAL_HUGE_PAGES_H
#define TRIBUTARY_INTERNAL_HUGE_PAGES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Asks for pages of 2 MiB, where the block has room for two: fewer page faults while it is first written (of a read of
 * 27 MB, they are a third of the time), and fewer misses of the TLB later. Nothing happens where there are none. */
void trib_advise_huge_pages(void *block, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#include "tributary/internal/huge_pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20 };

void trib_advise_huge_pages(void *block, size_t bytes)
{
    if (bytes < 2 * (size_t)HUGE_PAGE) return;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)block + page - 1) / page * page;
    uintptr_t end = ((uintptr_t)block + bytes) / page * page;
    madvise((void *)first, end - first, MADV_HUGEPAGE);
}

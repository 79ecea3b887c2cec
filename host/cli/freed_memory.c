/* SPDX-License-Identifier: Apache-2.0 */
#include "freed_memory.h"

#include <malloc.h>

#include "cli.h"

/* glibc keeps up to 64 MB of freed memory per thread. If that is much of the available memory, large blocks are
 * returned to the system at once. That costs time (a fifth, for photos of two megapixels), so it is done only then. */
void cli_keep_little_freed_memory(int64_t loader_memory, int workers)
{
#ifdef __GLIBC__
    enum { KEPT = 64 << 20, LARGE = 1 << 20 };
    if (!loader_memory) loader_memory = trib_memory_get().bytes / 2;
    if (workers <= 0) workers = trib_cpus_get().count;
    if (loader_memory / workers < 4 * (int64_t)KEPT) mallopt(M_MMAP_THRESHOLD, LARGE);
#else
    (void)loader_memory, (void)workers;
#endif
}

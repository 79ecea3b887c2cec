/* SPDX-License-Identifier: Apache-2.0
 * Tributary: how much memory this process may use, and what limits it. The lowest of these counts:
 *
 *   1. The machine's memory.
 *   2. Limits of control groups, version 1 and 2, from the group that /proc/self/cgroup names up to the root of the
 *      mount: memory.max and memory.high, or memory.limit_in_bytes (`docker run --memory`, Kubernetes' limits).
 *   3. The process's own limits of address space and data (`ulimit -v`, `ulimit -d`).
 *
 * Memory in use by other processes is not subtracted. */
#ifndef TRIBUTARY_MEMORY_H
#define TRIBUTARY_MEMORY_H

#include <stdint.h>

#include "tributary/declare.h"

TRIB_BEGIN_DECLS

typedef struct trib_memory {
    int64_t bytes;    /* 1 or more */
    char source[256]; /* "the machine's memory", "cgroup v2 /docker/abc memory.max 536870912", "ulimit -v 4000000" */
} trib_memory;

/* Reads all limits anew. Cannot fail: a limit that cannot be read is ignored. */
trib_memory trib_memory_get(void);

TRIB_END_DECLS
#endif

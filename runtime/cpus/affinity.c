/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* sched_getaffinity */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "cpus/evidence.h"
#include "tributary/internal/alloc.h"

/* Linux can be built for 8,192 CPUs; this is far more. */
enum { LARGEST_MASK = 1 << 20 };

int trib_cpus_read_mask(size_t bytes, void *mask) { return sched_getaffinity(0, bytes, mask); }

/* CPUs in a mask of `bits`; 0 if the mask is larger (EINVAL), -1 if it cannot be read. */
static int count_in_mask(trib_cpus_mask_reader read_mask, int bits)
{
    size_t bytes = CPU_ALLOC_SIZE(bits);
    cpu_set_t *mask = trib_alloc_zeroed(1, bytes);
    if (!mask) return -1;
    int count = read_mask(bytes, mask) == 0 ? CPU_COUNT_S(bytes, mask) : errno == EINVAL ? 0 : -1;
    trib_free(mask);
    return count;
}

int trib_cpus_affinity(trib_cpus_mask_reader read_mask)
{
    int count = 0;
    for (int bits = 1024; count == 0 && bits <= LARGEST_MASK; bits *= 2) count = count_in_mask(read_mask, bits);
    if (count > 0) return count;
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

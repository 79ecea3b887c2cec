/* SPDX-License-Identifier: Apache-2.0
 * Tributary: how many CPUs this process may use, and what limits it.
 *
 * The cpu device takes the number of its cores from here, the loader that of its workers. What counts, in this order:
 *
 *   1. The affinity mask of the calling thread (taskset, Slurm, `docker run --cpuset-cpus`).
 *   2. Limits of control groups, version 1 and 2, from the group that /proc/self/cgroup names up to the root of the
 *      mount that /proc/self/mountinfo names; the lowest counts. Quotas: cpu.max, or cpu.cfs_quota_us over
 *      cpu.cfs_period_us (`docker run --cpus`, Kubernetes' limits). Sets: cpuset.cpus.effective, or
 *      cpuset.effective_cpus. A quota is rounded up, 1.5 CPUs to 2 and 0.2 to 1, since a waiting thread
 *      costs nothing, and unused quota is lost. Weights and shares (cpu.weight, cpu.shares) are no limits.
 *   3. OMP_NUM_THREADS, if lower. Of a list ("4,2", a number per level of nesting) the first number counts. A value
 *      that is not a positive number is ignored, and `omp` says so.
 *   4. A number that the program asks for replaces OMP_NUM_THREADS: trib_device_options.threads up to `limit`,
 *      trib_loader_options.workers without a limit.
 *
 * A program that loads images and computes on the CPU has `count` threads for each. They seldom need CPUs at the same
 * time: workers sleep while the prefetched batches are full, and the device sleeps while there is none. On few CPUs
 * they take turns. */
#ifndef TRIBUTARY_CPUS_H
#define TRIBUTARY_CPUS_H

#include <stdbool.h>
#include <stddef.h>

#include "tributary/declare.h"

TRIB_BEGIN_DECLS

enum { TRIB_CPUS_TEXT_SIZE = 384 };

typedef struct trib_cpus {
    int count;           /* threads to use by default; 1 or more */
    int limit;           /* what 1. and 2. allow; `count` or more */
    int affinity;        /* CPUs in the mask, or online where the mask cannot be read; 1 or more */
    double cgroup_cpus;  /* the lowest limit of control groups, in CPUs; 0: none */
    char cgroup[256];    /* "cgroup v2 /docker/abc cpu.max 200000/100000", "no cgroup limit" */
    int omp_num_threads; /* 0: not set, or ignored */
    bool omp_ignored;
    char omp[96]; /* "OMP_NUM_THREADS 4", "OMP_NUM_THREADS not set", "OMP_NUM_THREADS=many is ignored: ..." */
} trib_cpus;

/* Reads all limits anew. Cannot fail: a limit that cannot be read is ignored. */
trib_cpus trib_cpus_get(void);

/* "2 CPUs: affinity 8, cgroup v2 /docker/abc cpu.max 200000/100000, OMP_NUM_THREADS not set". Group names and
 * the value of OMP_NUM_THREADS are copied unchanged, control characters included. `text` holds TRIB_CPUS_TEXT_SIZE. */
void trib_cpus_describe(const trib_cpus *cpus, char *text);

TRIB_END_DECLS
#endif

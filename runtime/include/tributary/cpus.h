/* SPDX-License-Identifier: Apache-2.0
 * Tributary: how many CPUs this process may use, and who says so.
 *
 * Whatever starts as many threads as there are CPUs asks here: the cpu device for the cores it computes on, the loader
 * for its workers. What counts, in this order:
 *
 *   1. The affinity mask of the calling thread (taskset, Slurm, `docker run --cpuset-cpus`).
 *   2. Limits of control groups, version 1 and 2, from the group that /proc/self/cgroup names up to the root of the
 *      mount that /proc/self/mountinfo names; the least one counts. Quotas: cpu.max, or cpu.cfs_quota_us over
 *      cpu.cfs_period_us (`docker run --cpus`, Kubernetes' limits). Sets: cpuset.cpus.effective, or
 *      cpuset.effective_cpus. A quota of 1.5 CPUs counts as 2, and one of 0.2 as 1: it is rounded up, since threads
 *      that wait cost nothing, and time not asked for is lost. Weights and shares (cpu.weight, cpu.shares) are no
 *      limits.
 *   3. OMP_NUM_THREADS, when it is less than these. Of a list ("4,2", a number per level of nesting) the first number
 *      counts. One that is no number from 1 is ignored, and `omp` says so.
 *   4. What the program asks for takes the place of OMP_NUM_THREADS: trib_device_options.threads counts up to `limit`,
 *      trib_loader_options.workers as it is.
 *
 * A program that loads images and computes on the CPU has `count` threads for each. They seldom ask for CPUs at the
 * same time: workers sleep while the batches ahead are full, and the device while there is none. On few CPUs they take
 * turns. */
#ifndef TRIBUTARY_CPUS_H
#define TRIBUTARY_CPUS_H

#include <stdbool.h>
#include <stddef.h>

#include "tributary/declare.h"

TRIB_BEGIN_DECLS

enum { TRIB_CPUS_TEXT_SIZE = 384 };

typedef struct trib_cpus {
    int count;           /* what to use when nobody asks for another number; 1 or more */
    int limit;           /* what 1. and 2. allow; `count` or more */
    int affinity;        /* CPUs in the mask, or online where the mask cannot be read; 1 or more */
    double cgroup_cpus;  /* the least limit of control groups, in CPUs; 0: there is none */
    char cgroup[256];    /* "cgroup v2 /docker/abc cpu.max 200000/100000", "no cgroup limit" */
    int omp_num_threads; /* 0: not set, or ignored */
    bool omp_ignored;
    char omp[96]; /* "OMP_NUM_THREADS 4", "OMP_NUM_THREADS not set", "OMP_NUM_THREADS=many is ignored: ..." */
} trib_cpus;

/* Reads all of it anew; cannot fail: what cannot be read is no limit. */
trib_cpus trib_cpus_get(void);

/* "2 CPUs: affinity 8, cgroup v2 /docker/abc cpu.max 200000/100000, OMP_NUM_THREADS not set". Names of groups and the
 * value of OMP_NUM_THREADS stand in it as they are, control characters included. `text` holds TRIB_CPUS_TEXT_SIZE. */
void trib_cpus_describe(const trib_cpus *cpus, char *text);

TRIB_END_DECLS
#endif

/* SPDX-License-Identifier: Apache-2.0
 * The sources of tributary/cpus.h, one by one, so that tests can replace each. */
#ifndef TRIBUTARY_RUNTIME_CPUS_EVIDENCE_H
#define TRIBUTARY_RUNTIME_CPUS_EVIDENCE_H

#include "tributary/cpus.h"

/* Like sched_getaffinity for the calling thread: 0, or -1 and errno. */
typedef int (*trib_cpus_mask_reader)(size_t bytes, void *mask);
/* CPUs in a mask of any size; those online if it cannot be read. */
int trib_cpus_affinity(trib_cpus_mask_reader read_mask);
int trib_cpus_read_mask(size_t bytes, void *mask);

/* Fills in cgroup_cpus and cgroup, reading ROOT/proc/self/cgroup, ROOT/proc/self/mountinfo and the files of the groups
 * below ROOT. Sets count only if they have fewer CPUs than cpus->affinity. */
void trib_cpus_read_cgroups(const char *root, trib_cpus *cpus);

/* Fills in omp_num_threads, omp_ignored and omp; `value` may be NULL. */
void trib_cpus_read_omp(const char *value, trib_cpus *cpus);

/* Fills in limit and count from the rest. */
void trib_cpus_conclude(trib_cpus *cpus);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The sources of tributary/memory.h, so that tests can replace them. */
#ifndef TRIBUTARY_RUNTIME_MEMORY_EVIDENCE_H
#define TRIBUTARY_RUNTIME_MEMORY_EVIDENCE_H

#include "tributary/memory.h"

/* Applies the limits of control groups, reading ROOT/proc/self/cgroup, ROOT/proc/self/mountinfo and the files of
 * the groups below ROOT. */
void trib_memory_read_cgroups(const char *root, trib_memory *memory);

#endif

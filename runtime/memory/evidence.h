/* SPDX-License-Identifier: Apache-2.0
 * What tributary/memory.h is worked out from, so that tests can make it up. */
#ifndef TRIBUTARY_RUNTIME_MEMORY_EVIDENCE_H
#define TRIBUTARY_RUNTIME_MEMORY_EVIDENCE_H

#include "tributary/memory.h"

/* Lowers the limit by what control groups say, reading ROOT/proc/self/cgroup, ROOT/proc/self/mountinfo and the files of
 * the groups below ROOT. */
void trib_memory_read_cgroups(const char *root, trib_memory *memory);

#endif

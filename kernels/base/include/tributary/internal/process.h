/* SPDX-License-Identifier: Apache-2.0
 * Identifies the process. After fork() the child has copies of all objects, but none of their threads, no CUDA context,
 * and locks in any state. So objects remember the process that made them, and calls in any other process fail. */
#ifndef TRIBUTARY_INTERNAL_PROCESS_H
#define TRIBUTARY_INTERNAL_PROCESS_H

#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A number, never 0, that differs from those of all ancestors, whether by fork, _Fork or clone. A child of vfork shares
 * its parent's memory, and so its number. Costs a load from memory. */
uint64_t trib_process(void);

/* Fails if `process` is not this one. `what` was made there: "session". */
trib_status trib_made_here(uint64_t process, const char *what);

#ifdef __cplusplus
}
#endif
#endif

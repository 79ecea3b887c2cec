/* SPDX-License-Identifier: Apache-2.0
 * Which process this is. After fork() the child has copies of all objects but none of the threads behind them, no CUDA
 * context, and locks in whatever state they were: objects remember the process that made them, and are refused in any
 * other. */
#ifndef TRIBUTARY_INTERNAL_PROCESS_H
#define TRIBUTARY_INTERNAL_PROCESS_H

#include <stdint.h>

#include "tributary/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A number, never 0, that differs from that of every process this one was forked from: by fork, _Fork or clone. A
 * child of vfork shares its parent's memory, and its number. Costs a load of memory. */
uint64_t trib_process(void);

/* Fails when `process` is not this one. `what` was made in it: "session". */
trib_status trib_made_here(uint64_t process, const char *what);

#ifdef __cplusplus
}
#endif
#endif

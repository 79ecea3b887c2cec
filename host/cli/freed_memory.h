/* SPDX-License-Identifier: Apache-2.0
 * How much freed memory the process keeps. */
#ifndef TRIBUTARY_CLI_FREED_MEMORY_H
#define TRIBUTARY_CLI_FREED_MEMORY_H

#include <stdint.h>

/* Before a loader of so much memory (0: its default) and so many threads (0: one per CPU) is created. */
void cli_keep_little_freed_memory(int64_t loader_memory, int workers);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * Cancels a loader when the process is interrupted, even while the loader waits for a line of standard input. */
#ifndef TRIBUTARY_CLI_WATCH_H
#define TRIBUTARY_CLI_WATCH_H

#include "cli.h"

typedef struct cli_watch cli_watch;
/* Calls `cancel`, of a loader of any kind, from another thread. Call after cli_catch_signals. */
trib_status cli_watch_start(void (*cancel)(void *loader), void *loader, cli_watch **out);
void cli_watch_stop(cli_watch *watch); /* NULL is fine */

#endif

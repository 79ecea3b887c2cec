/* SPDX-License-Identifier: Apache-2.0
 * A progress line on the terminal; nothing if standard error is not a terminal. */
#ifndef TRIBUTARY_CLI_PROGRESS_H
#define TRIBUTARY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_progress {
    bool enabled, shown;
    int64_t total;  /* -1: unknown */
    int64_t before; /* done before the start, by an earlier run */
    double start, last;
} cli_progress;

/* `before` of `total` are already done and do not count in the rate. `rows_on_terminal`: results scroll by and show the
 * progress themselves. */
cli_progress cli_progress_begin(int64_t total, int64_t before, bool rows_on_terminal);
/* `done` includes those done before. */
void cli_progress_update(cli_progress *progress, int64_t done, int64_t skipped);
/* Called before anything else is written to the terminal, and at the end. */
void cli_progress_clear(cli_progress *progress);

#endif

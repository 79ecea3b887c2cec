/* SPDX-License-Identifier: Apache-2.0
 * One line on a terminal that says how far we are. Nothing at all where standard error is no terminal. */
#ifndef TRIBUTARY_CLI_PROGRESS_H
#define TRIBUTARY_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct cli_progress {
    bool enabled, shown;
    int64_t total;  /* -1 when not known */
    int64_t before; /* done before the start, by an earlier run */
    double start, last;
} cli_progress;

/* `before` of `total` are done already, and count for no rate. `rows_on_terminal`: results scroll by there, and show
 * the progress themselves. */
cli_progress cli_progress_begin(int64_t total, int64_t before, bool rows_on_terminal);
/* `done` includes what was done before. */
void cli_progress_update(cli_progress *progress, int64_t done, int64_t skipped);
/* Before anything else is written to the terminal, and at the end. */
void cli_progress_clear(cli_progress *progress);

#endif

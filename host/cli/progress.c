/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli.h"

static const double REFRESH_SECONDS = 0.1;

cli_progress cli_progress_begin(int64_t total, int64_t before, bool rows_on_terminal)
{
    double now = cli_now();
    return (cli_progress) { .enabled = isatty(STDERR_FILENO) && !rows_on_terminal,
                            .total = total,
                            .before = before,
                            .start = now,
                            .last = now };
}

void cli_progress_update(cli_progress *progress, int64_t done, int64_t skipped)
{
    double now = cli_now(), elapsed = now - progress->start;
    if (!progress->enabled || now - progress->last < REFRESH_SECONDS) return;
    progress->last = now;
    progress->shown = true;
    double rate = elapsed > 0 ? (double)(done - progress->before) / elapsed : 0;
    fprintf(stderr, "\r\033[K%" PRId64, done);
    if (progress->total >= 0) fprintf(stderr, "/%" PRId64, progress->total);
    fprintf(stderr, " images, %.1f/s", rate);
    if (progress->total > done && rate > 0) {
        int64_t left = (int64_t)((double)(progress->total - done) / rate);
        fprintf(stderr, ", %" PRId64 ":%02d:%02d left", left / 3600, (int)(left / 60 % 60), (int)(left % 60));
    }
    if (skipped) fprintf(stderr, ", %" PRId64 " skipped", skipped);
    fflush(stderr);
}

void cli_progress_clear(cli_progress *progress)
{
    if (progress->shown) fputs("\r\033[K", stderr);
    progress->shown = false;
}

/* SPDX-License-Identifier: Apache-2.0
 * Statistics of run times, and memory of this process. */
#ifndef TRIBUTARY_CLI_BENCH_STATS_H
#define TRIBUTARY_CLI_BENCH_STATS_H

#include <stddef.h>

#include "tributary.h"

typedef struct cli_bench_times {
    double *seconds;
    size_t count, capacity;
} cli_bench_times;

trib_status cli_bench_add(cli_bench_times *times, double seconds);
void cli_bench_release(cli_bench_times *times);

typedef struct cli_bench_summary {
    double per_second;                       /* runs */
    double min, mean, median, p90, p95, p99; /* milliseconds */
} cli_bench_summary;

/* Sorts the times. Quantiles are interpolated linearly between the nearest two. */
cli_bench_summary cli_bench_summarise(cli_bench_times *times);

/* Peak resident memory since the last reset, or since the start if the system cannot reset it. */
int64_t cli_peak_rss(void);
void cli_reset_peak_rss(void);
/* Resident memory now. */
int64_t cli_rss(void);

#endif

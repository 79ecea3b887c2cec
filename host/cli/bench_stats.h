/* SPDX-License-Identifier: Apache-2.0
 * Times of runs and what they say, and memory of this process. */
#ifndef TRIBUTARY_CLI_BENCH_STATS_H
#define TRIBUTARY_CLI_BENCH_STATS_H

#include <stddef.h>

#include "tributary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A timed run. */
typedef struct cli_sample {
    int round, what;       /* what was timed: the caller's numbers */
    double start, seconds; /* `start`: on the clock of cli_now */
} cli_sample;

/* In the order in which they were measured. */
typedef struct cli_samples {
    cli_sample *items;
    size_t count, capacity;
} cli_samples;

trib_status cli_samples_add(cli_samples *samples, cli_sample sample);
void cli_samples_release(cli_samples *samples);
size_t cli_samples_count(const cli_samples *samples, int what);
/* Runs per second of one round; 0: there were none. */
double cli_samples_per_second(const cli_samples *samples, int what, int round);

/* Those that are shown, "p50" first; NULL past the last. `needs`: the fewest runs of which it says anything: so many
 * that at least one lies beyond it. */
enum { CLI_PERCENTILES = 4 };
const char *cli_percentile_name(int i, size_t *needs);

typedef struct cli_bench_summary {
    size_t count;
    double min, mean, percentile[CLI_PERCENTILES]; /* milliseconds; a percentile that `count` does not support is NaN */
} cli_bench_summary;

/* Of all rounds. Percentiles are interpolated linearly between the nearest two. `count` 0: there are none. */
trib_status cli_samples_summarise(const cli_samples *samples, int what, cli_bench_summary *out);

/* The middle and the ends of values, such as rates of rounds; all 0 without values. */
typedef struct cli_spread {
    double median, min, max;
    int count;
} cli_spread;
/* Sorts `values`. */
cli_spread cli_spread_of(double *values, int count);
/* Of a[i] / b[i], for the rounds that have both (above 0). Overwrites `a`. */
cli_spread cli_ratio_of(double *a, const double *b, int count);

/* Peak resident memory since the last reset, or since the start if the system cannot reset it. */
int64_t cli_peak_rss(void);
void cli_reset_peak_rss(void);
/* Resident memory now. */
int64_t cli_rss(void);

#ifdef __cplusplus
}
#endif
#endif

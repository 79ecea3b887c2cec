/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_stats.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tributary/internal/alloc.h"

/* ---- samples ---- */

trib_status cli_samples_add(cli_samples *samples, cli_sample sample)
{
    if (trib_grow((void **)&samples->items, &samples->capacity, samples->count + 1, sizeof *samples->items) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the times of %zu runs", samples->count + 1);
    samples->items[samples->count++] = sample;
    return trib_success();
}

void cli_samples_release(cli_samples *samples)
{
    trib_free(samples->items);
    *samples = (cli_samples) { 0 };
}

size_t cli_samples_count(const cli_samples *samples, int what)
{
    size_t count = 0;
    for (size_t i = 0; i < samples->count; ++i) count += samples->items[i].what == what;
    return count;
}

double cli_samples_per_second(const cli_samples *samples, int what, int round)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < samples->count; ++i) {
        const cli_sample *s = &samples->items[i];
        if (s->what != what || s->round != round) continue;
        sum += s->seconds;
        ++count;
    }
    return sum > 0 ? (double)count / sum : 0;
}

/* ---- percentiles ---- */

static const struct {
    const char *name;
    double share;
    size_t needs;
} percentiles[CLI_PERCENTILES] = { { "p50", 0.5, 1 }, { "p90", 0.9, 10 }, { "p95", 0.95, 20 }, { "p99", 0.99, 100 } };

const char *cli_percentile_name(int i, size_t *needs)
{
    if (i >= CLI_PERCENTILES) return NULL;
    *needs = percentiles[i].needs;
    return percentiles[i].name;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double q)
{
    double at = q * (double)(count - 1);
    size_t low = (size_t)at, high = low + 1 < count ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

static cli_bench_summary summarise(double *seconds, size_t count)
{
    double sum = 0;
    qsort(seconds, count, sizeof *seconds, by_size);
    for (size_t i = 0; i < count; ++i) sum += seconds[i];
    cli_bench_summary s = { .count = count, .min = 1e3 * seconds[0], .mean = 1e3 * sum / (double)count };
    for (int i = 0; i < CLI_PERCENTILES; ++i)
        s.percentile[i] = count < percentiles[i].needs ? NAN : 1e3 * quantile(seconds, count, percentiles[i].share);
    return s;
}

trib_status cli_samples_summarise(const cli_samples *samples, int what, cli_bench_summary *out)
{
    size_t count = cli_samples_count(samples, what), n = 0;
    *out = (cli_bench_summary) { 0 };
    if (!count) return trib_success();
    double *seconds = trib_realloc_array(NULL, count, sizeof *seconds);
    if (!seconds) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to sort the times of %zu runs", count);
    for (size_t i = 0; i < samples->count; ++i)
        if (samples->items[i].what == what) seconds[n++] = samples->items[i].seconds;
    *out = summarise(seconds, count);
    trib_free(seconds);
    return trib_success();
}

/* ---- rounds ---- */

cli_spread cli_spread_of(double *values, int count)
{
    if (count == 0) return (cli_spread) { 0 };
    qsort(values, (size_t)count, sizeof *values, by_size);
    return (cli_spread) { quantile(values, (size_t)count, 0.5), values[0], values[count - 1], count };
}

cli_spread cli_ratio_of(double *a, const double *b, int count)
{
    int n = 0;
    for (int i = 0; i < count; ++i)
        if (a[i] > 0 && b[i] > 0) a[n++] = a[i] / b[i];
    return cli_spread_of(a, n);
}

/* ---- memory ---- */

/* A line of /proc/self/status; -1: there is none. */
static long long status_kilobytes(const char *format)
{
    long long kilobytes = -1;
    char line[256];
    FILE *file = fopen("/proc/self/status", "r");
    while (file && kilobytes < 0 && fgets(line, sizeof line, file)) sscanf(line, format, &kilobytes);
    if (file) fclose(file);
    return kilobytes;
}

int64_t cli_rss(void)
{
    long long kilobytes = status_kilobytes("VmRSS: %lld");
    return kilobytes < 0 ? 0 : kilobytes * 1024;
}

int64_t cli_peak_rss(void)
{
    long long kilobytes = status_kilobytes("VmHWM: %lld");
    struct rusage usage;
    if (kilobytes < 0 && getrusage(RUSAGE_SELF, &usage) == 0) kilobytes = usage.ru_maxrss;
    return kilobytes * 1024;
}

void cli_reset_peak_rss(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file) return;
    fputs("5", file); /* proc(5): resets the peak of resident memory */
    fclose(file);
}

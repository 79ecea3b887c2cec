/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "tributary/internal/alloc.h"

trib_status cli_bench_add(cli_bench_times *times, double seconds)
{
    if (trib_grow((void **)&times->seconds, &times->capacity, times->count + 1, sizeof *times->seconds) != 0)
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the times of %zu runs", times->count + 1);
    times->seconds[times->count++] = seconds;
    return trib_success();
}

void cli_bench_release(cli_bench_times *times)
{
    trib_free(times->seconds);
    *times = (cli_bench_times) { 0 };
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const cli_bench_times *sorted, double q)
{
    double at = q * (double)(sorted->count - 1);
    size_t low = (size_t)at, high = low + 1 < sorted->count ? low + 1 : low;
    return 1e3 * (sorted->seconds[low] + (at - (double)low) * (sorted->seconds[high] - sorted->seconds[low]));
}

cli_bench_summary cli_bench_summarise(cli_bench_times *times)
{
    double sum = 0;
    qsort(times->seconds, times->count, sizeof *times->seconds, by_size);
    for (size_t i = 0; i < times->count; ++i) sum += times->seconds[i];
    return (cli_bench_summary) { .per_second = (double)times->count / sum,
                                 .min = 1e3 * times->seconds[0],
                                 .mean = 1e3 * sum / (double)times->count,
                                 .median = quantile(times, 0.5),
                                 .p90 = quantile(times, 0.9),
                                 .p95 = quantile(times, 0.95),
                                 .p99 = quantile(times, 0.99) };
}

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

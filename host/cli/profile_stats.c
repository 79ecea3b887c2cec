/* SPDX-License-Identifier: Apache-2.0 */
#include "profile_stats.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Above so many, the probability of no head at all is too small a number; the normal distribution is as good then. */
enum { MOST_THROWS = 1000 };

/* How many values may be left off at each end: as many as keep the probability that the median lies outside, twice that
 * of at most k heads in `count` throws of a coin, below 5 %. -1: not even none. */
static int trimmed(int count)
{
    if (count > MOST_THROWS) return (int)(0.5 * count - 0.98 * sqrt(count)) - 1;
    double term = pow(0.5, count), outside = 0;
    int k = 0;
    for (; k < count; ++k) {
        outside += 2 * term;
        if (!(outside <= 0.05)) break;
        term *= (double)(count - k) / (k + 1);
    }
    return k - 1;
}

cli_interval cli_interval_of(double *values, int count)
{
    cli_interval r = { NAN, NAN, NAN, count };
    for (int i = 0; i < count; ++i)
        if (isnan(values[i])) return r;
    if (count < 1) return r;
    qsort(values, (size_t)count, sizeof *values, by_size);
    r.median = values[(count - 1) / 2];
    int off = trimmed(count);
    if (off < 0) return r;
    r.low = values[off];
    r.high = values[count - 1 - off];
    return r;
}

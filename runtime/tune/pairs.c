/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/pairs.h"

#include <math.h>
#include <stdlib.h>

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest k so that fewer than k of n are below the median with a chance of at most 2.5 %: the k-th from either end
 * bounds it. 0: there is none. */
static int rank_of(int n)
{
    double term = pow(0.5, n), below = term;
    int k = 0;
    while (k < n && below <= 0.025) {
        ++k;
        term = term * (n - k + 1) / k;
        below += term;
    }
    return k;
}

trib_ratio trib_ratio_of(double *ratios, int count)
{
    trib_ratio r = { .ratio = NAN, .low = 0, .high = INFINITY, .pairs = count };
    for (int i = 0; i < count; ++i)
        if (!(ratios[i] > 0 && ratios[i] < INFINITY)) return r;
    if (!count) return r;
    qsort(ratios, (size_t)count, sizeof *ratios, by_size);
    r.ratio = 0.5 * (ratios[(count - 1) / 2] + ratios[count / 2]);
    const int k = rank_of(count);
    if (!k) return r;
    r.low = ratios[k - 1];
    r.high = ratios[count - k];
    return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "plot/ticks.h"

#include <math.h>
#include <stdio.h>

/* The smallest 1, 2 or 5 times a power of ten that is not below `value`. */
static double round_step(double value)
{
    const double power = pow(10, floor(log10(value)));
    const double digit = value / power;
    return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

trib_ticks trib_ticks_for(double low, double high, int wanted, bool whole)
{
    const double largest = fmax(fabs(low), fabs(high));
    if (high - low <= 1e-9 * largest || high == low) { /* a constant stands in the middle */
        const double margin = largest == 0 || (whole && largest < 1e9) ? 1 : 0.1 * largest;
        low -= margin;
        high += margin;
    }
    double step = round_step((high - low) / wanted);
    if (whole && step < 1) step = 1;
    trib_ticks t = { .step = step, .low = floor(low / step + 1e-9) * step, .high = ceil(high / step - 1e-9) * step };
    if (t.high <= t.low) t.high = t.low + step;
    t.count = (int)((t.high - t.low) / step + 1.5);
    return t;
}

double trib_tick_value(const trib_ticks *ticks, int i)
{
    const double value = (floor(ticks->low / ticks->step + 0.5) + i) * ticks->step;
    return fabs(value) < 0.5 * ticks->step ? 0 : value; /* no "-0" */
}

const char *trib_tick_text(const trib_ticks *ticks, int i, char *text)
{
    const double largest = fmax(fabs(ticks->low), fabs(ticks->high));
    const int decimals = (int)fmax(0, -floor(log10(ticks->step) + 1e-9));
    if (largest >= 1e6 || decimals > 4)
        snprintf(text, TRIB_TICK_TEXT, "%.4g", trib_tick_value(ticks, i));
    else
        snprintf(text, TRIB_TICK_TEXT, "%.*f", decimals, trib_tick_value(ticks, i));
    return text;
}

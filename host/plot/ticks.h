/* SPDX-License-Identifier: Apache-2.0
 * The scale of an axis: round numbers around all values. */
#ifndef TRIBUTARY_PLOT_TICKS_H
#define TRIBUTARY_PLOT_TICKS_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TRIB_TICK_TEXT = 32 };

typedef struct trib_ticks {
    double low, high; /* of the axis, multiples of the step */
    double step;      /* 1, 2 or 5 times a power of ten */
    int count;        /* of ticks: low, low + step, ..., high */
} trib_ticks;

/* For values low .. high, of magnitude up to 1e30, which may be equal; about `wanted` ticks, at least 2. `whole`: no
 * fractions, as for epochs. */
trib_ticks trib_ticks_for(double low, double high, int wanted, bool whole);
double trib_tick_value(const trib_ticks *ticks, int i);
/* With as many decimals as the step has. Returns `text`, which has TRIB_TICK_TEXT bytes. */
const char *trib_tick_text(const trib_ticks *ticks, int i, char *text);

#ifdef __cplusplus
}
#endif
#endif

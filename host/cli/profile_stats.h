/* SPDX-License-Identifier: Apache-2.0
 * Medians with intervals that assume nothing about how times are distributed. */
#ifndef TRIBUTARY_CLI_PROFILE_STATS_H
#define TRIBUTARY_CLI_PROFILE_STATS_H

/* Of an even number of values the lower of the two in the middle, as in profile.h. low and high: of the values in
 * order, those that the median of all possible runs lies between with a probability of 95 % or more. count < 6: there
 * are none, and both are NaN. */
typedef struct cli_interval {
    double median, low, high;
    int count;
} cli_interval;

/* Sorts the values. count 0 or a value that is NaN: all NaN. */
cli_interval cli_interval_of(double *values, int count);

#endif

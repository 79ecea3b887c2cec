/* SPDX-License-Identifier: Apache-2.0
 * From the times of all iterations to numbers: durations alone, an analysis of each run, medians, gains in pairs. */
#ifndef TRIBUTARY_CLI_PROFILE_NUMBERS_H
#define TRIBUTARY_CLI_PROFILE_NUMBERS_H

#include "profile_measure.h"

/* The schedules of `results` have run `warmup` iterations, whose times are gone, and `iterations` more. */
trib_status cli_profile_numbers(const trib_device *device, int warmup, int iterations, cli_profile_results *results);

#endif

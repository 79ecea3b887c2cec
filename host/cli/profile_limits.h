/* SPDX-License-Identifier: Apache-2.0
 * What the device can do at best, measured once: copies, products, and how long an op that is ready waits for its
 * stream. */
#ifndef TRIBUTARY_CLI_PROFILE_LIMITS_H
#define TRIBUTARY_CLI_PROFILE_LIMITS_H

#include "settings.h"

typedef struct cli_limits {
    double copy_rate;          /* bytes per second, reads plus writes, all cores together; 0: unknown */
    double math_rate;          /* FLOP/s of products at the precision; 0: unknown */
    char source[256];          /* where the rates come from */
    bool of_table;             /* they are those of a known card; otherwise measured: */
    size_t copied;             /* bytes of a copy */
    int channels;              /* of the products that were the fastest */
    int64_t start_latency_ns;  /* from ready to started: 95th percentile of an op of next to nothing, in the quietest
                                  of five groups */
    int start_latency_samples; /* 0: not measured */
} cli_limits;

/* Rates of a known card are those of its table; otherwise they are measured, in memory of the device alone: on a CPU in
 * less than a second, on a GPU in a few. */
trib_status cli_limits_measure(const cli_settings *settings, trib_device *device, cli_limits *out);
/* Measures rates once more, and keeps the higher ones: other programs may have slowed down the first time. */
trib_status cli_limits_again(const cli_settings *settings, trib_device *device, cli_limits *out);

#endif

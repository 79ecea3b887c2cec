/* SPDX-License-Identifier: Apache-2.0
 * bench --train: the speed and memory of training steps on random images. */
#ifndef TRIBUTARY_CLI_BENCH_TRAIN_H
#define TRIBUTARY_CLI_BENCH_TRAIN_H

#include "bench_stats.h"
#include "settings.h"

typedef struct cli_train_request {
    const cli_settings *settings;
    trib_device *device;
    trib_model *model;
    int batch, iterations, warmup;
    double seconds, aux_weight;
    bool last; /* the model's parameters are released */
} cli_train_request;

typedef struct cli_train_rates {
    double images_per_second, cpu_seconds_per_image; /* on a CPU; 0: a GPU */
    double at_best;                                  /* images per second at the roofline; 0: unknown */
    int any_order_ops;                               /* with --fast: that may sum in any order */
    cli_bench_summary step;                          /* milliseconds */
    size_t steps;
    int64_t rss_before; /* with the model and the input, before anything is prepared */
    int64_t peak_rss;
    int64_t plan_bytes;   /* gradients, state and arena: what the plan says that is needed beyond the model */
    double first_seconds; /* preparation and the first step */
} cli_train_rates;

trib_status cli_train_measure(const cli_train_request *request, cli_train_rates *out);

#endif

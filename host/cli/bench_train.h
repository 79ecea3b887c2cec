/* SPDX-License-Identifier: Apache-2.0
 * bench --train: the speed and memory of training steps on random images. */
#ifndef TRIBUTARY_CLI_BENCH_TRAIN_H
#define TRIBUTARY_CLI_BENCH_TRAIN_H

#include "bench_rates.h"

typedef struct cli_train_request {
    const cli_settings *settings;
    trib_device *device;
    trib_model *model;
    int batch;
    double aux_weight;
    bool last;          /* the model's parameters are released */
    cli_layers *layers; /* takes the times of the ops of all steps but those that warm up; NULL: none are taken */
} cli_train_request;

/* The `what` of samples. */
enum { CLI_STEP };

typedef struct cli_train_rates {
    cli_samples samples;
    double cpu_seconds; /* of all threads, in all these steps */
    double at_best;     /* images per second at the roofline; 0: unknown */
    int any_order_ops;  /* with --fast: that may sum in any order */
    int64_t rss_before; /* with the model and the input, before anything is prepared */
    int64_t peak_rss;
    int64_t plan_bytes;   /* gradients, state and arena: what the plan says that is needed beyond the model */
    double first_seconds; /* preparation and the first step */
} cli_train_rates;

/* Makes a trainer, takes steps, and frees it. turn->iterations 0: three steps at least. `out`, zeroed before the first
 * turn, collects; the memory is that of the turn in which it grew most. */
trib_status cli_train_turn(const cli_train_request *request, const cli_turn *turn, cli_train_rates *out);
void cli_train_release(cli_train_rates *rates);

#endif

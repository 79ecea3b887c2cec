/* SPDX-License-Identifier: Apache-2.0
 * How fast a network is at one batch size: on the device alone, with copies, and from ordinary memory; and which of
 * these limits which. Measured in turns, between which others may measure. */
#ifndef TRIBUTARY_CLI_BENCH_RATES_H
#define TRIBUTARY_CLI_BENCH_RATES_H

#include "bench_layers.h"
#include "bench_stats.h"
#include "settings.h"

typedef enum cli_rate {
    CLI_RATE_DEVICE = 0, /* input and results stay on the device */
    CLI_RATE_COPIES,     /* input from and results to memory of trib_host_alloc */
    CLI_RATE_END_TO_END, /* input from and results to ordinary memory */
    CLI_RATE_COUNT
} cli_rate;
const char *cli_rate_name(cli_rate rate); /* "device", "with copies", "end to end" */
/* What a sample may be of besides these rates: batches submitted one at a time, where several are in flight otherwise.
 */
enum { CLI_ONE_AT_A_TIME = CLI_RATE_COUNT, CLI_NOTHING };

typedef struct cli_rates_request {
    const cli_settings *settings;
    trib_device *device;
    trib_model *model;
    const trib_preprocess *preprocess;
    int batch;
    int in_flight;     /* batches submitted before the first is waited for */
    trib_dtype pixels; /* type of the input pixels */
    bool wanted[CLI_RATE_COUNT];
    bool last;          /* no other session will need the model's parameters */
    cli_layers *layers; /* has a timeline, for cli_runner_layers; NULL: nothing is timed op by op */
} cli_rates_request;

typedef struct cli_rates {
    cli_samples samples;                      /* `what` is a cli_rate or CLI_ONE_AT_A_TIME; of whole batches */
    int latency;                              /* the `what` of latencies with copies; CLI_NOTHING: not measured */
    double images_per_second[CLI_RATE_COUNT]; /* median of the rounds; 0: not measured */
    double bytes_in, bytes_out;               /* copied per image */
    double copy_alone;                        /* bytes per second of copies to the device alone; 0: nothing is copied */
    double first_seconds;                     /* session and first run */
    int64_t session_bytes;                    /* device memory that the session takes */
    int64_t peak_rss;
    int lanes, threads;
} cli_rates;

/* What one turn measures. */
typedef struct cli_turn {
    int round;
    double seconds; /* for all rates together */
    int iterations; /* batches per rate instead of `seconds`; 0: by time */
    int warmup;     /* batches before each rate */
} cli_turn;

/* A session, ready for turns. `request` must live as long; `rates`, zeroed before the first call, collects what is
 * measured, and may outlive several runners. */
typedef struct cli_runner cli_runner;
trib_status cli_runner_open(const cli_rates_request *request, cli_rates *rates, cli_runner **out);
trib_status cli_runner_turn(cli_runner *runner, const cli_turn *turn);
/* Runs batches with copies, one at a time, after one that warms up, and takes the times of their ops: `most`, or as
 * many as begin within `seconds`, but three. */
trib_status cli_runner_layers(cli_runner *runner, int most, double seconds);
void cli_runner_close(cli_runner *runner);

/* Rates of all rounds, from the samples. */
trib_status cli_rates_finish(cli_rates *rates, int batch, int rounds);
void cli_rates_release(cli_rates *rates);

/* The rate that stands for all: with copies if measured. */
cli_rate cli_rates_main(const cli_rates *rates);

/* What bounds the rate with copies ("computing", "copies", "submission"), and a sentence that explains it with numbers,
 * and the rate end to end if that is lower. "" if the necessary rates were not measured. */
const char *cli_rates_bound(const cli_rates *rates, char *sentence, size_t size);

#endif

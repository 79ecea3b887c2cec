/* SPDX-License-Identifier: Apache-2.0
 * The parts of bench: cells are measured in turns, then reported as text and JSON, exported and plotted. */
#ifndef TRIBUTARY_CLI_BENCH_H
#define TRIBUTARY_CLI_BENCH_H

#include "bench_cells.h"
#include "bench_rates.h"
#include "bench_train.h"
#include "files.h"
#include "output.h"

/* The words of --pixels; of --rate, "all", then the rates in the order of cli_rate. */
enum { BENCH_PIXELS_U8, BENCH_PIXELS_F32 };
enum { BENCH_ALL_RATES, BENCH_ONE_RATE };
enum { BENCH_MOST_ROUNDS = 100 };

typedef struct bench_options {
    cli_cell_lists lists;
    double seconds, total_seconds; /* 0: not given */
    int iterations, warmup, workers, rounds, pixels, rate;
    const char *json, *times, *layers, *plot;
    const char *end_to_end;
    bool overwrite, train;
    double aux_weight;
} bench_options;

/* Everything that classify does with the images of an INPUT, in one pass or several. */
typedef struct bench_passes {
    cli_samples samples; /* one for a pass: the seconds of an image */
    int64_t good, skipped, peak_rss;
    double decode_seconds, wait_seconds, seconds;
} bench_passes;

typedef struct bench_cell {
    cli_cell is;
    cli_settings settings; /* the command's, with the schedule, launch and precision of this cell */
    trib_status status;    /* a failure: what this cell asks for cannot be measured here */
    cli_rates_request request;
    cli_runner *runner; /* NULL: closed */
    cli_rates rates;    /* of these three one is filled */
    cli_train_rates train;
    bench_passes passes;
} bench_cell;

typedef struct bench {
    const bench_options *options;
    const cli_settings *settings;
    cli_files files;
    trib_device *device;
    trib_model *model;
    trib_preprocess preprocess;
    double load_seconds; /* device and model */
    double begin;        /* of measuring, on the clock of cli_now */
    double took;         /* measuring, in seconds */
    cli_cells grid;
    bench_cell *cells; /* grid.count of them, in its order */
    int rounds;
    int rounds_done;    /* less after an interruption */
    double seconds;     /* for one cell, all rounds together */
    int64_t kept_bytes; /* sessions stay open between turns while they take no more than this together */
    bool reopened;      /* they did not all stay open */
    int untimed;        /* cells whose ops could not be timed */
    bool text;
} bench;

/* ---- what is asked for ---- */

bool bench_on_host(const bench *b);
bool bench_wants(const bench *b, cli_rate rate);
/* The input of the device: 8-bit pixels if it takes them, as in classify. */
trib_dtype bench_pixels(const bench *b);
int bench_in_flight(const bench *b, const bench_cell *cell);
const char *bench_precision(const bench_cell *cell);
const char *bench_launch(const bench_cell *cell);
/* What each rate includes. */
const char *bench_includes(const bench *b, cli_rate rate);

/* ---- measuring ---- */

/* All rounds. A cell that the device does not support, or that memory is short for, keeps the failure in its status and
 * the others go on; if none was measured, that is the result. After any other failure, and when interrupted, cells that
 * had no turn have a status, too, and the others have what was measured. */
trib_status bench_measure(bench *b);
trib_status bench_pass(bench *b, bench_cell *cell, int round, bool last);
/* Of a cell's session; `wanted` is what it will measure. */
cli_rates_request bench_request(const bench *b, const bench_cell *cell);
cli_train_request bench_train_request(const bench *b, const bench_cell *cell);
/* A failure that concerns one cell and not the others. */
bool bench_concerns_cell(const trib_status *status);

/* Images per second of the rate that stands for all; 0: there was no such turn. */
double bench_rate(const bench *b, const bench_cell *cell, int round);
/* Of all rounds. */
cli_spread bench_spread(const bench *b, const bench_cell *cell);
/* To the first configuration at the same batch size, within each round; count 0: there is none, or it is this. */
cli_spread bench_ratio(const bench *b, const bench_cell *cell);
int bench_failures(const bench *b);

/* ---- reporting ---- */

void bench_print_heading(const bench *b);
trib_status bench_print(const bench *b);
/* Of several configurations. */
trib_status bench_print_table(const bench *b);
trib_status bench_write_json(const bench *b, cli_output *file);
/* Whether a file's name ends in .json. */
bool bench_is_json(const char *name);
/* Every timed run, as CSV, or as JSON if the file's name ends in .json. */
trib_status bench_export_times(const bench *b, cli_output *file);
/* Runs each cell again, apart from what was measured before, and writes how long its ops took: in the formats of
 * bench_export_times. A cell whose ops cannot be timed is named on standard error and counted in *failures. */
trib_status bench_export_layers(const bench *b, cli_output *file, int *failures);
/* Throughput and latency by batch size: a curve for each configuration. */
trib_status bench_plot(const bench *b, cli_output *file);
enum { BENCH_MOST_PLOTTED = 12 };

#endif

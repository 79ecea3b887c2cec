/* SPDX-License-Identifier: Apache-2.0
 * One schedule of a network, ready to run and timed: a session, or with --train a trainer, on random input. */
#ifndef TRIBUTARY_CLI_PROFILE_CELL_H
#define TRIBUTARY_CLI_PROFILE_CELL_H

#include "training.h"

typedef struct cli_cell_options {
    const cli_settings *settings; /* its schedule is this cell's */
    trib_device *device;
    trib_model *model;
    int batch;
    bool train;
    double aux_weight;
    int timed_runs;  /* calls of cli_cell_run that the timeline has room for; 0: no timeline */
    bool one_stream; /* the same ops, one after another */
    int in_flight;   /* batches of a session; 0: 1 */
} cli_cell_options;

typedef struct cli_cell {
    cli_cell_options options;
    int chunks; /* runs of the plan per call of cli_cell_run */
    int lanes;
    trib_timeline *timeline;
    trib_session *session; /* one of the two */
    trib_trainer *trainer;
    float *pixels;
    int32_t *labels;
    void **outputs; /* of the plan, for the whole batch */
    uint64_t step;
} cli_cell;

/* Close it also after a failure. */
trib_status cli_cell_open(const cli_cell_options *options, cli_cell *cell);
void cli_cell_close(cli_cell *cell);
const trib_plan *cli_cell_plan(const cli_cell *cell);
/* A batch, or a step. *seconds (may be NULL): on a cpu processor time, of which other programs take none; else from
 * submission to the last result. Fails when interrupted. */
trib_status cli_cell_run(cli_cell *cell, double *seconds);
/* Batches of a session whose input and results stay on the device (trib_session_submit_resident). Two are in flight, if
 * its options allow it, so that it always has the next. *seconds: from the first submission to the last end. */
trib_status cli_run_in_a_row(trib_session *session, int batch, int runs, double *seconds);

#endif

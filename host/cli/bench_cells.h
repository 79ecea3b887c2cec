/* SPDX-License-Identifier: Apache-2.0
 * The cells of a sweep: every combination of what was listed, and in which order they take turns.
 *
 * In a round every cell has one turn, and rounds go forwards and backwards in turn: a machine that becomes slower, or
 * faster, evenly does so for all cells alike. Cells of one batch size come one after another, so that those which are
 * compared are also measured close together. */
#ifndef TRIBUTARY_CLI_BENCH_CELLS_H
#define TRIBUTARY_CLI_BENCH_CELLS_H

#include "options.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a sweep goes through. An empty list stands for one value: batch sizes 1 and 32, in_flight 0, and the first word
 * of the others. */
typedef struct cli_cell_lists {
    cli_ints batches, precisions, launches, in_flights;
    cli_schedule_list schedules;
} cli_cell_lists;

typedef struct cli_cell {
    int batch;
    int precision, launch; /* a trib_precision, a trib_launch */
    int in_flight;         /* 0: the device's usual */
    int schedule;          /* index in `schedules` of the lists */
    int configuration;     /* the same for cells that differ in the batch size alone: 0 .. configurations - 1 */
} cli_cell;

typedef struct cli_cells {
    cli_cell *items;
    int count, configurations;
} cli_cells;

/* By batch size in the order given, then by configuration. Release with cli_cells_release, also after a failure. */
trib_status cli_cells_make(const cli_cell_lists *lists, cli_cells *out);
void cli_cells_release(cli_cells *cells);

/* The cell that has turn `i` (0 .. count - 1) of a round. */
int cli_cells_turn(int count, int round, int i);
/* Its part of `total` runs, which rounds divide evenly, the first ones taking what remains. */
int cli_cells_share(int total, int rounds, int round);

/* What tells a cell from those of other configurations: "branches, graph"; with a single configuration its schedule.
 * Cut to fit. Returns `text`. */
enum { CLI_CELL_TEXT = 96 };
const char *cli_cell_name(const cli_cell_lists *lists, const cli_cell *cell, char text[CLI_CELL_TEXT]);

/* The lists' part of `options`, for the bench and whoever else sweeps: their schedule, NULL for the default. */
const cli_schedules *cli_cell_schedules(const cli_cell_lists *lists, const cli_cell *cell);

#ifdef __cplusplus
}
#endif
#endif

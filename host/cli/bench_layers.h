/* SPDX-License-Identifier: Apache-2.0
 * bench --export-layers: how long each op of a plan takes, from the runs of a timeline. */
#ifndef TRIBUTARY_CLI_BENCH_LAYERS_H
#define TRIBUTARY_CLI_BENCH_LAYERS_H

#include "tributary.h"
#include "tributary/timeline.h"

#ifdef __cplusplus
extern "C" {
#endif

/* An op, in words that outlive its plan. Longer ones are cut. */
typedef struct cli_layer {
    char name[96], op[32], implementation[64]; /* no implementation: nothing runs here */
    char module[64];                           /* a fork; "": none */
    int branch, stream;                        /* branch: of its module; -1: of none, or of several */
} cli_layer;

/* Zero-initialise; `timeline` is that of the session or trainer, and released by cli_layers_release. */
typedef struct cli_layers {
    trib_timeline *timeline;
    int op_count, images; /* of a run */
    cli_layer *ops;
    int64_t *times; /* of each run the starts of its ops, after its first op's, then their durations; nanoseconds */
    size_t runs, capacity;
} cli_layers;

/* `room`: runs between two calls of cli_layers_take. */
trib_status cli_layers_begin(cli_layers *layers, int room);
/* Adds the finished runs of the timeline, and clears it. Fails if the device could not tell the times of a run, or if
 * they contradict the plan. */
trib_status cli_layers_take(cli_layers *layers, const trib_plan *plan);
/* Forgets the finished runs of the timeline: those that warm up. */
void cli_layers_pass(cli_layers *layers);
void cli_layers_release(cli_layers *layers);

/* In milliseconds, of all runs. */
typedef struct cli_layer_times {
    double start, median, min, max; /* `start`: median, since the first op of the run began */
} cli_layer_times;
/* Of op `i`. Fails when out of memory. */
trib_status cli_layers_times(const cli_layers *layers, int i, cli_layer_times *out);

#ifdef __cplusplus
}
#endif
#endif

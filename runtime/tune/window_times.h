/* SPDX-License-Identifier: Apache-2.0
 * From the times of ops to those of windows and their stages. */
#ifndef TRIBUTARY_RUNTIME_TUNE_WINDOW_TIMES_H
#define TRIBUTARY_RUNTIME_TUNE_WINDOW_TIMES_H

#include "tributary/timeline.h"
#include "tune/search.h"

/* The window and the stage of each op; -1: in none. */
typedef struct trib_op_places {
    int *window, *stage;
} trib_op_places;

/* Release also after a failure. */
trib_status trib_op_places_of(const trib_graph *graph, const trib_plan *plan, const trib_tune_window *windows,
                              int count, trib_op_places *out);
void trib_op_places_release(trib_op_places *places);

/* Adds a run's to `times`, in seconds: a window begins when the last op before it ends, or with its first op if others
 * still run then (an auxiliary classifier beside the module behind it); a stage, when all before it have ended. NAN
 * where nothing was timed. */
void trib_add_window_times(const trib_plan *plan, const trib_op_places *places, const trib_timeline_run *run, int count,
                           trib_tune_times *times);

#endif

/* SPDX-License-Identifier: Apache-2.0
 * The search of stages: what each costs, measured in whole runs, and the best path of each window. */
#ifndef TRIBUTARY_RUNTIME_TUNE_STAGES_H
#define TRIBUTARY_RUNTIME_TUNE_STAGES_H

#include "tune/trial.h"

enum { TRIB_STAGE_SAMPLES = 9 };

/* What is known of a window. */
typedef struct trib_window_costs {
    double *cost;                          /* of each stage: the median of its samples; INFINITY: none yet */
    double (*samples)[TRIB_STAGE_SAMPLES]; /* the latest */
    int *count;                            /* of samples so far */
    trib_path best, trying;
    double best_cost;
} trib_window_costs;

/* One per window. Release also after a failure. */
trib_status trib_costs_create(const trib_search *search, trib_window_costs **out);
void trib_costs_release(const trib_search *search, trib_window_costs *costs);

/* Measures until the best paths stay or `share` of the time is up. Gives up, and sets *needed to about how many seconds
 * it would take, if the first ways to run show that the time is too short for every stage; otherwise *needed is 0. */
trib_status trib_measure_stages(trib_trial *trial, const trib_way *like, double share, trib_window_costs *costs,
                                double *needed);

/* The way with these paths, in the windows that `taken` names (NULL: all), with barriers where `barriers` says so
 * (NULL: everywhere). Other windows run as the base's schedule has them. */
trib_status trib_way_of_paths(const trib_search *search, const trib_way *base, const trib_path *const *paths,
                              const bool *taken, const bool *barriers, trib_way *out);

#endif

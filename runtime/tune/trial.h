/* SPDX-License-Identifier: Apache-2.0
 * What the phases of a search share: its clock, its runs, its comparisons. */
#ifndef TRIBUTARY_RUNTIME_TUNE_TRIAL_H
#define TRIBUTARY_RUNTIME_TUNE_TRIAL_H

#include "tune/pairs.h"
#include "tune/search.h"

enum { TRIB_QUICK_PAIRS = 2, TRIB_MODULE_PAIRS = 12, TRIB_WHOLE_PAIRS = 20, TRIB_WHOLE_ROUNDS = 3 };

typedef struct trib_trial {
    const trib_search *search;
    double begin, seconds; /* by the measurer's clock */
    trib_tuned *out;
    size_t verdict_capacity;
    trib_tune_times times[2]; /* of the two that are compared */
    double *ratios;           /* (1 + windows) x pairs, the network's first */
} trib_trial;

trib_status trib_trial_begin(const trib_search *search, trib_tuned *out, trib_trial *trial);
void trib_trial_end(trib_trial *trial);

/* Whether a share of the time is up, or the search was stopped. */
bool trib_trial_over(const trib_trial *trial, double share);
double trib_trial_elapsed(const trib_trial *trial); /* seconds */
void trib_trial_say(const trib_trial *trial, const char *doing);

trib_status trib_trial_open(trib_trial *trial, const trib_way *way, bool timed, void **runner);
trib_status trib_trial_run(trib_trial *trial, void *runner, trib_tune_times *times);

/* Pairs of `b` over `a`, as many as there is time for until `share` of it is up. *network is their ratio; with
 * `windows` (one each, or NULL) runs are timed, and each window's goes there. */
trib_status trib_trial_compare(trib_trial *trial, const trib_way *a, const trib_way *b, int pairs, double share,
                               trib_ratio *network, trib_ratio *windows);

/* `fork` -1: the network. */
trib_status trib_trial_decide(trib_trial *trial, int window, const char *what, const char *than, trib_ratio ratio,
                              bool taken);

#endif

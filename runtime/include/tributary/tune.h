/* SPDX-License-Identifier: Apache-2.0
 * Tributary: the fastest schedule, found by measuring.
 *
 *     trib_tuned *tuned;
 *     trib_tune_session(device, graph, parameters, &options, &(trib_tune_options) { .seconds = 60 }, &tuned);
 *     trib_tuned_apply(tuned, &options.plan);     // the schedule; tuned must outlive the use of these options
 *     options.lanes = tuned->lanes, options.plan.batch = tuned->chunk, options.plan.threads = tuned->threads;
 *     trib_tuned_save(tuned, "schedules.txt");
 *
 * Of each fork on the trunk, any cut of its layers into stages is considered (see trib_fork_schedule), forward and, in
 * training, backward; of the whole network `serial`, `branches` and `fused`; and for a session on a cpu, numbers of
 * lanes, threads and images per chunk. Stages are measured in whole runs of the network, all modules at once, each
 * schedule with barriers between its stages: twice each, then again those on paths within 5 % of the best, until the
 * choice stays. The best paths are tried with and without barriers.
 *
 * Nothing is chosen for being fastest once. A way to run replaces another only if in pairs of runs, A B B A, the median
 * ratio of their times is below 0.99 with all of its 95 % interval: module by module, then the whole network, that one
 * three times, with new pairs. Otherwise the simpler stays, at last `serial` with the session's own defaults. A machine
 * under load widens the intervals, and so keeps what is there. That is as sure as the interval, and true for the load
 * at that time. */
#ifndef TRIBUTARY_TUNE_H
#define TRIBUTARY_TUNE_H

#include "tributary/declare.h"
#include "tributary/session.h"
#include "tributary/trainer.h"

TRIB_BEGIN_DECLS

/* Median of the ratios of paired times, what is compared over what it is compared with, and its 95 % interval. */
typedef struct trib_ratio {
    double ratio, low, high;
    int pairs;
} trib_ratio;

enum { TRIB_TUNE_NAME = 96, TRIB_TUNE_SCHEDULE = 160 };

/* One decision: of a module ("inception_3a"), or the whole network (""). */
typedef struct trib_tune_verdict {
    char fork[TRIB_TUNE_NAME];
    char what[TRIB_TUNE_SCHEDULE]; /* what was tried: "1110-0112", "branches", "1 lane of 2 threads" */
    char than[TRIB_TUNE_NAME];     /* compared with: "serial" */
    trib_ratio ratio;
    bool taken;
} trib_tune_verdict;

/* What was chosen. */
typedef struct trib_tuned {
    trib_schedule schedule; /* of all forks except these */
    int fork_count;
    trib_fork_schedule *forks;
    int lanes, chunk, threads; /* of a session on a cpu, as resolved; 0: automatic */
    int verdict_count;
    trib_tune_verdict *verdicts; /* in the order they were made */
    double seconds;              /* the search took */
    int runs, ways;              /* of the network, in so many ways to run it */
    bool complete;  /* false: time was up, or it was stopped, and what had been accepted until then stays */
    char note[256]; /* why no stages were taken, or "" */
    char key[256], library[256], device[256]; /* what this holds for: network, batch, precision ...; versions; device */
    void *storage;
} trib_tuned;

typedef struct trib_tune_options {
    double seconds;                 /* about how long it may take; 0: 60. What is in progress is finished */
    bool (*stopped)(void *context); /* (optional) */
    void (*progress)(void *context, const char *doing, double seconds, double of_seconds); /* (optional) */
    void *context;
} trib_tune_options;

/* As trib_session_create and trib_trainer_create; the schedule in `options` is not used. Runs the network on
 * made-up images (pixels, even with `regions`), and trains copies of the parameters. Being stopped is no failure. */
trib_status trib_tune_session(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                              const trib_session_options *options, const trib_tune_options *how, trib_tuned **out);
trib_status trib_tune_trainer(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                              const trib_trainer_options *options, const trib_tune_options *how, trib_tuned **out);
void trib_tuned_destroy(trib_tuned *tuned); /* NULL is fine */

/* The schedule, into the options of a plan, which then refer to `tuned`. */
void trib_tuned_apply(const trib_tuned *tuned, trib_plan_options *plan);

/* A file that holds one choice per network, batch, precision, launch, purpose and number of cores, with checksums. It
 * belongs to one device and one version of libraries and program: one of others, or a damaged one, is as good as none,
 * and replaced. A file of another kind never is. Saving replaces the file as a whole: others see the old one or the new
 * one. */
/* Fails, before anything is searched, where saving would: something else is there, or nothing can be created there. */
trib_status trib_tuned_check(const char *path);
trib_status trib_tuned_save(const trib_tuned *tuned, const char *path);
/* *out is NULL if the file has none for these options, or is missing or useless, or what it has does not fit the graph
 * or the device; `note` (TRIB_MESSAGE_SIZE bytes) then
 * has the reason. `options`: batch and training decide; for a session, plan.batch is its max_batch. */
trib_status trib_tuned_load(const char *path, trib_device *device, const trib_graph *graph,
                            const trib_plan_options *options, trib_launch launch, char *note, trib_tuned **out);

TRIB_END_DECLS
#endif

/* SPDX-License-Identifier: Apache-2.0
 * Tributary: what changes from step to step of a training run: the learning rate, the momentum, and the decay of
 * averaged weights.
 *
 * All of it is a pure function of the number of the step, so a run that resumes restores nothing for it. A step is one
 * update of the weights, however many batches were accumulated for it; the first is step 0.
 *
 *     trib_lr_options lr = { .schedule = trib_lr_schedule_find("poly"), .lr = 0.01, .momentum = 0.9,
 *                            .steps_per_epoch = 40036, .steps = 2400000 };
 *     trib_status s = trib_lr_resolve(&lr, &lr);
 *     ... trib_lr_at(&lr, step).rate ...
 *
 * Schedules and options are called as in timm where their meaning is equal. Rates change with every step; in timm they
 * do so only with --sched-on-updates. */
#ifndef TRIBUTARY_TRAIN_SCHEDULE_H
#define TRIBUTARY_TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "tributary/declare.h"
#include "tributary/status.h"

TRIB_BEGIN_DECLS

/* ---- the learning rate ---- */

/* One schedule; static. "constant", "paper", "step", "poly", "cosine", "onecycle". */
typedef struct trib_lr_schedule trib_lr_schedule;
/* NULL past the last. */
const trib_lr_schedule *trib_lr_schedule_at(int index);
const trib_lr_schedule *trib_lr_schedule_find(const char *name); /* NULL when there is none */
const char *trib_lr_schedule_name(const trib_lr_schedule *schedule);
/* A line about it: its formula, and the options it takes with their defaults. */
const char *trib_lr_schedule_summary(const trib_lr_schedule *schedule);

/* Zeros mean defaults. An option that the schedule does not take must be zero. */
typedef struct trib_lr_options {
    const trib_lr_schedule *schedule; /* NULL: constant */
    double lr;                        /* before any decay; the peak of onecycle; must be set */
    double momentum;                  /* of every step, except with onecycle; 0 is none */

    int64_t steps_per_epoch; /* needed by step, paper and a warm-up */
    int64_t steps;           /* of the whole run, warm-up included; needed by poly, cosine and onecycle */

    /* Before the schedule begins, the rate rises linearly from warmup_lr to the schedule's first. The schedule starts
     * after the warm-up, as with timm's --warmup-prefix, but the run does not get longer. Rounded to whole steps. */
    double warmup_epochs; /* 0: none */
    double warmup_lr;     /* 0: 1e-5, or lr if that is less */

    double min_lr;       /* poly, cosine: the rate at the end of the run */
    double decay_epochs; /* step: 90, paper: 8 */
    double decay_rate;   /* step: 0.1, paper: 0.96, each decay_epochs; poly: the power, 0.5 */

    /* onecycle: the rate rises along a cosine from lr / div_factor to lr in the first pct_start of the run, then falls
     * along a cosine to lr / div_factor / final_div_factor, while the momentum falls from max_momentum to
     * base_momentum and rises again: PyTorch's OneCycleLR. */
    double pct_start;        /* 0: 0.3 */
    double div_factor;       /* 0: 25 */
    double final_div_factor; /* 0: 1e4 */
    double base_momentum;    /* 0: 0.85 */
    double max_momentum;     /* 0: 0.95 */
    bool fixed_momentum;     /* onecycle, too, has `momentum` (PyTorch's cycle_momentum=False) */
} trib_lr_options;

/* Replaces zeros by defaults; `out` may be `options`. Resolving twice changes nothing. Fails with TRIB_INVALID_ARGUMENT
 * on an impossible value, on an option that the schedule does not take, and when a number of steps that it needs is
 * missing. */
trib_status trib_lr_resolve(const trib_lr_options *options, trib_lr_options *out);

/* What a step uses. */
typedef struct trib_lr_step {
    double rate, momentum;
} trib_lr_step;

/* `options` as trib_lr_resolve made them, step >= 0. Schedules that end stay at their last step's values. */
trib_lr_step trib_lr_at(const trib_lr_options *options, int64_t step);

/* ---- averaged weights ---- */

typedef enum trib_average_kind {
    TRIB_AVERAGE_NONE = 0,
    TRIB_AVERAGE_EMA, /* exponential moving average */
    TRIB_AVERAGE_MEAN /* Polyak's: the plain mean */
} trib_average_kind;

typedef struct trib_average {
    trib_average_kind kind;
    double decay;  /* EMA: 0: 0.9998 */
    int64_t start; /* updates before the average begins; until then it equals the weights */
} trib_average;

/* As trib_lr_resolve. */
trib_status trib_average_resolve(const trib_average *average, trib_average *out);

/* The decay at an update before which `updates` were made:
 *
 *     average = decay * average + (1 - decay) * weights
 *
 * EMA: min(decay, (1 + n) / (10 + n)) as in TensorFlow, so that the first values are soon forgotten; mean: n / (n + 1);
 * n = updates - start. 0 before the start, and without averaging: the average is the weights. */
double trib_average_decay(const trib_average *average, int64_t updates);

TRIB_END_DECLS
#endif

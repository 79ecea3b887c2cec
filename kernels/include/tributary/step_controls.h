/* SPDX-License-Identifier: Apache-2.0
 * Tributary: what ops of training read at each step. */
#ifndef TRIBUTARY_STEP_CONTROLS_H
#define TRIBUTARY_STEP_CONTROLS_H

#include <stdint.h>

#include "tributary/declare.h"

TRIB_BEGIN_DECLS

/* Numbers that change from step to step. They are an input of a plan for training, so that a captured step never
 * changes. 64 bytes; a view of them is u8, n = h = w = 1, c = 64. */
typedef struct trib_step_controls {
    uint64_t seed, step; /* of dropout's random numbers */
    float lr, momentum, weight_decay;
    float average_decay; /* a moving average keeps this much of itself */
    float loss_scale;    /* gradients are those of loss_scale times the loss */
    float clip_norm;     /* gradients together are at most this long; 0: any length */
    /* Of a step that is cut into several runs (trib_training.accumulate): all but the first add their gradients to the
     * sum; in all but the last, parameters, momentum and averages stay as they are. */
    uint32_t add_to_sum, no_update; /* 0 or 1; no_update becomes TRIB_GRADIENTS_NOT_FINITE inside a run */
    uint32_t reserved[4];           /* 0 */
} trib_step_controls;

/* What no_update becomes where the loss scale adapts and a gradient is infinite or no number. */
enum { TRIB_GRADIENTS_NOT_FINITE = 2 };

/* A loss scale that adapts to what float16 can hold, as PyTorch's GradScaler does: what stays of it from step to step.
 * It is halved after a step whose gradients are not finite, and that step changes nothing but the running statistics of
 * batch norms; it doubles after a number of good steps. Counts are exact below 2^24. */
typedef struct trib_loss_scale {
    float scale;         /* multiplies the controls' */
    float good_steps;    /* since it last changed */
    float skipped_steps; /* in all */
    float reserved;      /* 0 */
} trib_loss_scale;

TRIB_END_DECLS
#endif

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
    float average_decay;  /* a moving average keeps this much of itself */
    float loss_scale;     /* gradients are those of loss_scale times the loss */
    uint32_t reserved[7]; /* 0 */
} trib_step_controls;

TRIB_END_DECLS
#endif

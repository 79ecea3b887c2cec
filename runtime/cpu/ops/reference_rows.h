/* SPDX-License-Identifier: Apache-2.0
 * How the reference backend runs each kind of op: a row per kind. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_REFERENCE_ROWS_H
#define TRIBUTARY_RUNTIME_CPU_OPS_REFERENCE_ROWS_H

#include "tributary/op.h"

/* An op's memory. Weights are O,I,R,S whatever their view says, packed parameters or inputs. */
typedef struct trib_reference_memory {
    const void *const *inputs;
    void *const *outputs;
    const float *weight, *bias;
    float *dweight;
} trib_reference_memory;

typedef void (*trib_reference_run)(const trib_op_desc *desc, const trib_reference_memory *m);

typedef struct trib_reference_row {
    trib_reference_run run; /* NULL: there is no reference */
    bool any_layout;        /* else all but weights lie as nhwc */
    bool reads_weight;      /* as input 1, if the op has more than one input */
    bool writes_weight;     /* as output 0: a gradient */
} trib_reference_row;

/* Of the kinds of training; all else is NULL or false. */
trib_reference_row trib_reference_training_row(trib_kind kind);

#endif

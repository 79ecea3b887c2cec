/* SPDX-License-Identifier: Apache-2.0
 * The pass `backward` while it runs, for the files it consists of: backward.c walks the forward ops, backward_ops.c
 * adds what one op needs, merged_backward.c what several 1x1 convolutions have in common. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_BACKWARD_H
#define TRIBUTARY_RUNTIME_LOWERING_BACKWARD_H

#include "lowering/training.h"

/* What is known of an activation's gradient. */
typedef struct trib_gradient {
    trib_view view; /* of all channels; buffer -1: it has no memory yet */
    bool needed;    /* a parameter that is trained contributes to the activation */
    bool written;   /* by the backward op of at least one reader */
} trib_gradient;

/* The gradients of a merged set, side by side. */
typedef struct trib_merged_gradient {
    trib_view view; /* buffer -1: not yet */
    int done;       /* members whose gradient is complete */
} trib_merged_gradient;

typedef struct trib_backward {
    trib_lowering *l;
    trib_gradient *gradients;     /* by buffer of the forward ops */
    trib_merged_gradient *merged; /* by set */
    int *waits;                   /* by forward op: 1 + the set that its backward comes after; 0: none */
    int added;                    /* ops */
} trib_backward;

/* Whether the parameter in this role has a gradient, and where. */
bool trib_is_trained(const trib_backward *b, const trib_plan_op *op, trib_role role);
trib_view trib_gradient_of_parameter(const trib_backward *b, const trib_plan_op *op, trib_role role);

/* From one pixel of a gradient of this form to the next, in elements: in 16 bits a multiple of the device's, because
 * gradients of weights cannot be computed from others. */
int trib_gradient_pitch(const trib_backward *b, const trib_view *of);
/* Where the gradient of this activation lies; memory is added when it is first asked for. */
trib_status trib_gradient_view(trib_backward *b, const trib_view *of, trib_view *out);

/* A backward op of a forward op, called "OP/what", on the same branch. */
trib_status trib_new_backward_op(trib_backward *b, const trib_plan_op *of, trib_kind kind, const char *what,
                                 trib_plan_op *op);
/* max(0, y) at the end of an op, and the gradient of its bias in the same pass: dz from dy. */
trib_status trib_add_backward_relu(trib_backward *b, const trib_plan_op *of, const trib_view *dy, const trib_view *dz);
trib_status trib_add_backward_bias(trib_backward *b, const trib_plan_op *of, const trib_view *dy);
trib_status trib_add_backward_weight(trib_backward *b, const trib_plan_op *of, const trib_view *dy);
/* The gradient of the first input; of a batch norm's parameters, too. */
trib_status trib_add_backward_data(trib_backward *b, const trib_plan_op *of, const trib_view *dy);

/* Which of the lowering's merged sets the op belongs to; -1: none. */
int trib_merged_set_of(const trib_backward *b, const trib_plan_op *op);
/* Gradients that no ReLU separates from the convolution are written where the set has them; of others, merged_slice is
 * the member's place. */
trib_status trib_place_merged_slices(trib_backward *b, int forward);
trib_status trib_merged_slice(trib_backward *b, int set, const trib_plan_op *op, trib_view *out);
/* The backward ops of all members, of which `of` is one. */
trib_status trib_add_merged_backward(trib_backward *b, int set, const trib_plan_op *of);

#endif

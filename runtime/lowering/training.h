/* SPDX-License-Identifier: Apache-2.0
 * Lowering for training. Parameters are not packed: they, their gradients and the optimiser's state are memory that
 * stays from step to step, and ops read weights as inputs. */
#ifndef TRIBUTARY_RUNTIME_LOWERING_TRAINING_H
#define TRIBUTARY_RUNTIME_LOWERING_TRAINING_H

#include "lowering/lowering.h"

/* Whether the parameter keeps its value. */
bool trib_is_frozen(const trib_training *training, const char *parameter);

/* Finds the convolutions whose backward ops are merged. */
trib_status trib_find_merged(trib_lowering *lowering);
/* The set that the layer belongs to; NULL: none. */
const trib_merged *trib_merged_of(const trib_lowering *lowering, int layer);

/* Places all tensors that stay, and adds the inputs "labels" and "controls"; plan->inputs has room for them. */
trib_status trib_place_training(trib_lowering *lowering);

/* With a precision of 16 bits: the ops that round all weights, which ops read as copies. */
trib_status trib_add_weight_copies(trib_lowering *lowering);

/* If the loss scale adapts: the op that gives all others their controls, the one that looks at gradients, and the one
 * that adjusts the scale by what that has found. */
trib_status trib_add_scaled_controls(trib_lowering *lowering);
trib_status trib_add_gradient_check(trib_lowering *lowering, const trib_view *gradient);
trib_status trib_add_loss_scale_adjustment(trib_lowering *lowering);

/* The ops of a layer: batch norm has two, a max pool keeps its indices, weights are inputs. */
trib_status trib_add_training_ops(trib_lowering *lowering, int layer);

/* All weights of a merged set as ops read them, or their gradients, as one: the same memory. */
trib_status trib_merged_view(trib_lowering *lowering, const trib_merged *merged, bool gradients, trib_view *out);
/* A parameter as ops read it. */
trib_view trib_view_read(const trib_trained *parameter);

/* A buffer for all channels of the view, which gets it. `name` NULL: out of memory. */
trib_status trib_new_activation(trib_lowering *lowering, const char *name, trib_view *view);

/* An op that belongs to no layer, with all other fields empty; `name` as for trib_lowering_new_op. */
trib_status trib_new_training_op(const char *name, trib_kind kind, trib_plan_op *out);
void trib_add_input_view(trib_plan_op *op, trib_view view);
void trib_add_output_view(trib_plan_op *op, trib_view view);

#endif

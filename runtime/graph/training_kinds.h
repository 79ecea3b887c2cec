/* SPDX-License-Identifier: Apache-2.0
 * Checks for the rows in kinds.c of kinds for training: which views fit each other (op.h lists them). */
#ifndef TRIBUTARY_RUNTIME_GRAPH_TRAINING_KINDS_H
#define TRIBUTARY_RUNTIME_GRAPH_TRAINING_KINDS_H

#include "graph/kinds.h"

trib_status
trib_weights_check_op(const trib_op_desc *desc); /* a convolution or linear layer that is given its weight */
trib_status trib_backward_data_check_op(const trib_op_desc *desc);
trib_status trib_backward_weight_check_op(const trib_op_desc *desc);
trib_status trib_bias_backward_check_op(const trib_op_desc *desc);
trib_status trib_relu_backward_check_op(const trib_op_desc *desc);
trib_status trib_batch_statistics_check(const trib_attributes *a);
trib_status trib_batch_statistics_check_op(const trib_op_desc *desc);
trib_status trib_batch_norm_apply_check_op(const trib_op_desc *desc);
trib_status trib_batch_norm_backward_check_op(const trib_op_desc *desc);
trib_status trib_max_pool2d_indexed_check_op(const trib_op_desc *desc);
trib_status trib_pool_backward_check_op(const trib_op_desc *desc);
trib_status trib_lrn_backward_check_op(const trib_op_desc *desc);
trib_status trib_dropout_training_check_op(const trib_op_desc *desc);
trib_status trib_cross_entropy_check(const trib_attributes *a);
trib_status trib_cross_entropy_check_op(const trib_op_desc *desc);
trib_status trib_sum_gradients_check_op(const trib_op_desc *desc);
trib_status trib_scale_controls_check_op(const trib_op_desc *desc);
trib_status trib_check_gradients_check_op(const trib_op_desc *desc);
trib_status trib_adjust_loss_scale_check(const trib_attributes *a);
trib_status trib_adjust_loss_scale_check_op(const trib_op_desc *desc);
trib_status trib_clip_gradients_check_op(const trib_op_desc *desc);
trib_status trib_sgd_check(const trib_attributes *a);
trib_status trib_sgd_check_op(const trib_op_desc *desc);
trib_status trib_moving_average_check_op(const trib_op_desc *desc);

void trib_batch_statistics_describe(const trib_attributes *a, const trib_fields *fields);
void trib_dropout_describe(const trib_attributes *a, const trib_fields *fields);
void trib_cross_entropy_describe(const trib_attributes *a, const trib_fields *fields);
void trib_adjust_loss_scale_describe(const trib_attributes *a, const trib_fields *fields);
void trib_sgd_describe(const trib_attributes *a, const trib_fields *fields);

#endif

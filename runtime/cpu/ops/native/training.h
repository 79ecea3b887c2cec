/* SPDX-License-Identifier: Apache-2.0
 * Rows of training. What each op reads and writes: the table in op.h. */
#ifndef TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_TRAINING_H
#define TRIBUTARY_RUNTIME_CPU_OPS_NATIVE_TRAINING_H

#include "cpu/ops/native/native.h"

/* ---- batch_norm_training.c ---- */
trib_status trib_native_batch_statistics(const trib_native_call *call);
trib_status trib_native_batch_norm_apply(const trib_native_call *call);
trib_status trib_native_batch_norm_backward(const trib_native_call *call);
int64_t trib_native_batch_norm_backward_bytes(const trib_op_desc *desc);

/* ---- relu_backward.c ---- */
trib_status trib_native_relu_backward(const trib_native_call *call);
trib_status trib_native_bias_backward(const trib_native_call *call);

/* ---- pool_training.c ---- */
trib_status trib_native_max_pool_indexed(const trib_native_call *call);
trib_status trib_native_max_pool_backward(const trib_native_call *call);
/* fixed and adaptive windows */
trib_status trib_native_avg_pool_backward(const trib_native_call *call);

/* ---- lrn_backward.c ---- */
trib_status trib_native_lrn_backward(const trib_native_call *call);
int64_t trib_native_lrn_backward_bytes(const trib_op_desc *desc);

/* ---- dropout.c, loss.c, loss_scale.c, updates.c ---- */
trib_status trib_native_dropout(const trib_native_call *call);
trib_status trib_native_cross_entropy(const trib_native_call *call);
trib_status trib_native_scale_controls(const trib_native_call *call);
trib_status trib_native_check_gradients(const trib_native_call *call);
trib_status trib_native_adjust_loss_scale(const trib_native_call *call);
trib_status trib_native_sum_gradients(const trib_native_call *call);
trib_status trib_native_clip_gradients(const trib_native_call *call);
int64_t trib_native_clip_gradients_bytes(const trib_op_desc *desc);
trib_status trib_native_sgd(const trib_native_call *call);
trib_status trib_native_moving_average(const trib_native_call *call);

#endif

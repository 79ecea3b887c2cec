/* SPDX-License-Identifier: Apache-2.0
 * Training through the C references of training_kernels.h. What each op reads and writes: the table in op.h. */
#include <string.h>

#include "cpu/ops/reference_rows.h"
#include "device/window.h"
#include "tributary/training_kernels.h"

static trib_step_controls controls_of(const void *memory)
{
    trib_step_controls controls;
    memcpy(&controls, memory, sizeof controls); /* its view is of bytes */
    return controls;
}

static trib_gradient_geometry gradients_of(const trib_op_desc *desc)
{
    const trib_view *dy = &desc->inputs[0], *x = &desc->inputs[1], *dx = &desc->outputs[0];
    return (trib_gradient_geometry) { .rows = (int64_t)dy->n * dy->h * dy->w,
                                      .c = dy->c,
                                      .dy_pitch = dy->c_total,
                                      .x_pitch = x->c_total,
                                      .dx_pitch = dx->c_total };
}

/* What is updated may be an input and an output in separate memory. */
static float *updated(const void *from, void *to, int count)
{
    if (from != to) memcpy(to, from, (size_t)count * sizeof(float));
    return to;
}

/* ---- convolutions and linear layers ---- */

static void conv2d_backward_data(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_conv2d_backward_data(&g, m->inputs[0], m->weight, m->outputs[0], desc->accumulate);
}

static void conv2d_backward_weight(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_conv2d_backward_weight(&g, m->inputs[0], m->inputs[1], m->dweight);
}

static void linear_backward_data(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_linear_geometry g = trib_op_linear(desc);
    trib_ref_linear_backward_data(&g, m->inputs[0], m->weight, m->outputs[0], desc->accumulate);
}

static void linear_backward_weight(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_linear_geometry g = trib_op_linear(desc);
    trib_ref_linear_backward_weight(&g, m->inputs[0], m->inputs[1], m->dweight);
}

/* ---- pixels ---- */

static void bias_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_gradient_geometry g = gradients_of(desc);
    trib_ref_bias_backward(&g, m->inputs[0], m->outputs[0]);
}

static void relu_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_gradient_geometry g = gradients_of(desc);
    float *db = desc->output_count > 1 ? m->outputs[1] : NULL;
    trib_ref_relu_backward(&g, m->inputs[0], m->inputs[1], m->outputs[0], db);
}

static void lrn_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_gradient_geometry g = gradients_of(desc);
    const trib_lrn *a = &desc->attributes.lrn;
    trib_ref_lrn_backward(&g, a->size, a->alpha, a->beta, a->k, m->inputs[0], m->inputs[1], m->outputs[0]);
}

static void dropout(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_view *x = &desc->inputs[0];
    const trib_step_controls controls = controls_of(m->inputs[1]);
    const trib_dropout_geometry g = { .n = x->n,
                                      .c = x->c,
                                      .pixels = (int64_t)x->h * x->w,
                                      .x_pitch = x->c_total,
                                      .y_pitch = desc->outputs[0].c_total,
                                      .p = desc->attributes.dropout.p,
                                      .seed = controls.seed,
                                      .step = controls.step,
                                      .salt = desc->attributes.dropout.salt };
    trib_ref_dropout(&g, m->inputs[0], m->outputs[0]);
}

/* ---- batch norm ---- */

static void batch_statistics(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_batch_statistics *a = &desc->attributes.batch_statistics;
    const trib_pixel_geometry g = trib_pixels_between(&desc->inputs[0], &desc->inputs[0], false);
    const trib_batch_norm_parameters p = { m->inputs[1], m->inputs[2], a->eps, a->momentum };
    float *mean = updated(m->inputs[3], m->outputs[1], g.c), *var = updated(m->inputs[4], m->outputs[2], g.c);
    trib_ref_batch_statistics(&g, m->inputs[0], &p, m->outputs[0], mean, var);
}

static void batch_norm_apply(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_pixel_geometry g = trib_pixels_between(&desc->inputs[0], &desc->outputs[0], desc->relu);
    trib_ref_batch_norm_apply(&g, m->inputs[0], m->inputs[1], m->outputs[0]);
}

static void batch_norm_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_gradient_geometry g = gradients_of(desc);
    trib_ref_batch_norm_backward(&g, desc->relu, m->inputs[0], m->inputs[1], m->inputs[2], m->outputs[0], m->outputs[1],
                                 m->outputs[2]);
}

/* ---- pools ---- */

static void max_pool2d_indexed(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_max_pool2d_indexed(&g, m->inputs[0], m->outputs[0], m->outputs[1], desc->outputs[1].c_total);
}

static void max_pool2d_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_max_pool2d_backward(&g, m->inputs[0], m->inputs[1], desc->inputs[1].c_total, m->outputs[0],
                                 desc->accumulate);
}

static void avg_pool2d_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_avg_pool2d_backward(&g, m->inputs[0], m->outputs[0], desc->accumulate);
}

static void adaptive_avg_pool2d_backward(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_window_geometry g = trib_op_window(desc);
    trib_ref_adaptive_avg_pool2d_backward(&g, m->inputs[0], m->outputs[0], desc->accumulate);
}

/* ---- loss and updates ---- */

static void cross_entropy(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_cross_entropy *a = &desc->attributes.cross_entropy;
    const trib_step_controls controls = controls_of(m->inputs[2]);
    const trib_cross_entropy_geometry g = { .n = desc->inputs[0].n,
                                            .classes = desc->inputs[0].c,
                                            .x_pitch = desc->inputs[0].c_total,
                                            .dx_pitch = desc->outputs[0].c_total,
                                            .smoothing = a->smoothing,
                                            .scale = a->weight * controls.loss_scale };
    trib_ref_cross_entropy(&g, m->inputs[0], m->inputs[1], m->outputs[0], m->outputs[1]);
}

static void sgd(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const int count = desc->inputs[0].c;
    const trib_sgd *a = &desc->attributes.sgd;
    const trib_step_controls controls = controls_of(m->inputs[3]);
    const trib_sgd_step step = { .lr = controls.lr * a->rate,
                                 .momentum = controls.momentum,
                                 .weight_decay = controls.weight_decay * a->decay,
                                 .loss_scale = controls.loss_scale,
                                 .nesterov = a->nesterov };
    float *w = updated(m->inputs[0], m->outputs[0], count), *v = updated(m->inputs[2], m->outputs[1], count);
    if (!controls.no_update) trib_ref_sgd(count, &step, m->inputs[1], w, v);
}

static void sum_gradients(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const int count = desc->inputs[0].c;
    const trib_step_controls controls = controls_of(m->inputs[2]);
    trib_ref_sum_gradients(count, controls.add_to_sum, m->inputs[1], updated(m->inputs[0], m->outputs[0], count));
}

static void clip_gradients(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_step_controls controls = controls_of(m->inputs[desc->output_count]);
    double squares = 0;
    for (int k = 0; k < desc->output_count; ++k) squares += trib_ref_squares(desc->inputs[k].c, m->inputs[k]);
    const float factor = trib_ref_clip_factor(squares, controls.clip_norm, controls.loss_scale);
    for (int k = 0; k < desc->output_count; ++k) {
        float *g = updated(m->inputs[k], m->outputs[k], desc->inputs[k].c);
        for (int i = 0; i < desc->inputs[k].c && !controls.no_update; ++i) g[i] *= factor;
    }
}

static void moving_average(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const int count = desc->inputs[0].c;
    const trib_step_controls controls = controls_of(m->inputs[2]);
    float *average = updated(m->inputs[0], m->outputs[0], count);
    if (!controls.no_update) trib_ref_moving_average(count, controls.average_decay, m->inputs[1], average);
}

/* ---- a loss scale that adapts ---- */

static void scale_controls(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_step_controls controls = controls_of(m->inputs[0]);
    (void)desc;
    trib_ref_scale_controls(&controls, m->inputs[1], m->outputs[0]);
}

static void check_gradients(const trib_op_desc *desc, const trib_reference_memory *m)
{
    trib_step_controls controls = controls_of(m->inputs[1]);
    trib_ref_check_gradients(desc->inputs[0].c, m->inputs[0], &controls);
    memcpy(m->outputs[0], &controls, sizeof controls);
}

static void adjust_loss_scale(const trib_op_desc *desc, const trib_reference_memory *m)
{
    const trib_step_controls controls = controls_of(m->inputs[0]);
    float *scale = updated(m->inputs[1], m->outputs[0], desc->inputs[1].c);
    trib_ref_adjust_loss_scale(desc->attributes.adjust_loss_scale.growth_interval, &controls, (trib_loss_scale *)scale);
}

trib_reference_row trib_reference_training_row(trib_kind kind)
{
    static const trib_reference_row rows[TRIB_KIND_COUNT] = {
        [TRIB_CONV2D_BACKWARD_DATA] = { .run = conv2d_backward_data, .reads_weight = true },
        [TRIB_CONV2D_BACKWARD_WEIGHT] = { .run = conv2d_backward_weight, .writes_weight = true },
        [TRIB_LINEAR_BACKWARD_DATA] = { .run = linear_backward_data, .reads_weight = true },
        [TRIB_LINEAR_BACKWARD_WEIGHT] = { .run = linear_backward_weight, .writes_weight = true },
        [TRIB_BIAS_BACKWARD] = { .run = bias_backward },
        [TRIB_RELU_BACKWARD] = { .run = relu_backward },
        [TRIB_BATCH_STATISTICS] = { .run = batch_statistics },
        [TRIB_BATCH_NORM_APPLY] = { .run = batch_norm_apply },
        [TRIB_BATCH_NORM_BACKWARD] = { .run = batch_norm_backward },
        [TRIB_MAX_POOL2D_INDEXED] = { .run = max_pool2d_indexed },
        [TRIB_MAX_POOL2D_BACKWARD] = { .run = max_pool2d_backward },
        [TRIB_AVG_POOL2D_BACKWARD] = { .run = avg_pool2d_backward },
        [TRIB_ADAPTIVE_AVG_POOL2D_BACKWARD] = { .run = adaptive_avg_pool2d_backward },
        [TRIB_LRN_BACKWARD] = { .run = lrn_backward },
        [TRIB_DROPOUT_TRAINING] = { .run = dropout },
        [TRIB_CROSS_ENTROPY] = { .run = cross_entropy },
        [TRIB_SCALE_CONTROLS] = { .run = scale_controls },
        [TRIB_CHECK_GRADIENTS] = { .run = check_gradients },
        [TRIB_ADJUST_LOSS_SCALE] = { .run = adjust_loss_scale },
        [TRIB_SUM_GRADIENTS] = { .run = sum_gradients },
        [TRIB_CLIP_GRADIENTS] = { .run = clip_gradients },
        [TRIB_SGD] = { .run = sgd },
        [TRIB_MOVING_AVERAGE] = { .run = moving_average },
    };
    return rows[kind];
}

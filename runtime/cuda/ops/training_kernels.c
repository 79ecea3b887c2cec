/* SPDX-License-Identifier: Apache-2.0
 * Our kernels of training as ops. What each reads and writes: the table in op.h. */
#include "cuda/ops/geometry.h"
#include "cuda/ops/kernel_ops.h"
#include "device/window.h"

static trib_dtype type_of(const trib_op_desc *d) { return d->inputs[0].dtype; }

static int64_t row_sums_workspace(const trib_op_desc *d)
{
    const trib_view *x = &d->inputs[0];
    return trib_cuda_row_sums_workspace((int64_t)x->n * x->h * x->w, x->c);
}

/* ---- gradients of pixels ---- */

static trib_status bias_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_gradient_geometry g = trib_gradients_of(d);
    return trib_cuda_bias_backward(&g, type_of(d), c->inputs[0], c->outputs[0], c->workspace, c->stream);
}

static int64_t relu_workspace(const trib_op_desc *d) { return d->output_count > 1 ? row_sums_workspace(d) : 0; }

static trib_status relu_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_gradient_geometry g = trib_gradients_of(d);
    float *db = d->output_count > 1 ? c->outputs[1] : NULL;
    return trib_cuda_relu_backward(&g, type_of(d), c->inputs[0], c->inputs[1], c->outputs[0], db, c->workspace,
                                   c->stream);
}

static bool small_lrn(const trib_op_desc *d, char *reason)
{
    return trib_kernel_is_plain_without_relu(d, reason) && trib_kernel_has_small_lrn(&d->attributes.lrn, reason);
}

static trib_status lrn_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_gradient_geometry g = trib_gradients_of(d);
    trib_lrn_coefficients lrn = trib_coefficients_of(&d->attributes.lrn);
    return trib_cuda_lrn_backward(&g, &lrn, type_of(d), c->inputs[0], c->inputs[1], c->outputs[0], c->stream);
}

static trib_status dropout(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_dropout_geometry g = trib_dropout_of(d);
    return trib_cuda_dropout(&g, type_of(d), c->inputs[0], c->inputs[1], c->outputs[0], c->stream);
}

/* ---- batch norm ---- */

static trib_status batch_statistics(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_batch_statistics *a = &d->attributes.batch_statistics;
    const trib_pixel_geometry g = trib_pixels_between(&d->inputs[0], &d->inputs[0], false);
    const trib_batch_norm_parameters p = { c->inputs[1], c->inputs[2], a->eps, a->momentum };
    return trib_cuda_batch_statistics(&g, type_of(d), c->inputs[0], &p, c->outputs[0], c->outputs[1], c->outputs[2],
                                      c->workspace, c->stream);
}

/* The rows of `saved`: scale, shift. */
static trib_status batch_norm_apply(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_pixel_geometry g = trib_pixels_between(&d->inputs[0], &d->outputs[0], d->relu);
    const float *scale = c->inputs[1];
    return trib_cuda_scale_shift(&g, type_of(d), c->inputs[0], scale, scale + g.c, c->outputs[0], c->stream);
}

/* Its last kernel reads them 16 bytes at a time. */
static bool aligned_sums(const trib_op_desc *d, char *reason)
{
    if (!trib_begins_aligned(&d->outputs[1]) || !trib_begins_aligned(&d->outputs[2]))
        return trib_kernel_refuses(reason, "gradients of parameters that begin at 16 bytes only");
    return trib_kernel_is_plain(d, reason);
}

static trib_status batch_norm_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_gradient_geometry g = trib_gradients_of(d);
    return trib_cuda_batch_norm_backward(&g, d->relu, type_of(d), c->inputs[0], c->inputs[1], c->inputs[2],
                                         c->outputs[0], c->outputs[1], c->outputs[2], c->workspace, c->stream);
}

/* ---- pools ---- */

static trib_status max_pool2d_indexed(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_op_window(d);
    return trib_cuda_max_pool2d_indexed(&g, type_of(d), c->inputs[0], c->outputs[0], c->outputs[1],
                                        d->outputs[1].c_total, c->stream);
}

static trib_status max_pool2d_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_op_window(d);
    return trib_cuda_max_pool2d_backward(&g, type_of(d), c->inputs[0], c->inputs[1], d->inputs[1].c_total,
                                         c->outputs[0], d->accumulate, c->stream);
}

static trib_status avg_pool2d_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_op_window(d);
    return trib_cuda_avg_pool2d_backward(&g, type_of(d), c->inputs[0], c->outputs[0], d->accumulate, c->stream);
}

static trib_status adaptive_avg_pool2d_backward(const trib_op_desc *d, const trib_kernel_call *c)
{
    trib_window_geometry g = trib_op_window(d);
    return trib_cuda_adaptive_avg_pool2d_backward(&g, type_of(d), c->inputs[0], c->outputs[0], d->accumulate,
                                                  c->stream);
}

/* ---- loss and updates ---- */

static bool fitting_types(const trib_op_desc *d, char *reason)
{
    if (d->outputs[0].dtype != d->inputs[0].dtype && d->inputs[0].dtype != TRIB_F32)
        return trib_kernel_refuses(reason, "dlogits of the logits' type, or of any type from logits in float32, only");
    return trib_kernel_is_plain_without_relu(d, reason);
}

static trib_status cross_entropy(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_cross_entropy_geometry g = trib_cross_entropy_of(d);
    return trib_cuda_cross_entropy(&g, type_of(d), d->outputs[0].dtype, c->inputs[0], c->inputs[1], c->inputs[2],
                                   c->outputs[0], c->outputs[1], c->stream);
}

static trib_status sgd(const trib_op_desc *d, const trib_kernel_call *c)
{
    const trib_cuda_sgd_rates rates = trib_sgd_rates_of(&d->attributes.sgd);
    return trib_cuda_sgd(d->inputs[0].c, &rates, c->inputs[1], c->inputs[3], c->outputs[0], c->outputs[1], c->stream);
}

static trib_status sum_gradients(const trib_op_desc *d, const trib_kernel_call *c)
{
    return trib_cuda_sum_gradients(d->inputs[0].c, c->inputs[1], c->inputs[2], c->outputs[0], c->stream);
}

static void count_gradients(const trib_op_desc *d, int64_t *counts)
{
    for (int i = 0; i < d->output_count; ++i) counts[i] = d->outputs[i].c;
}

static int64_t clip_workspace(const trib_op_desc *d)
{
    int64_t counts[TRIB_MAX_OUTPUTS];
    count_gradients(d, counts);
    return trib_cuda_clip_gradients_workspace(d->output_count, counts);
}

static trib_status clip_gradients(const trib_op_desc *d, const trib_kernel_call *c)
{
    int64_t counts[TRIB_MAX_OUTPUTS];
    float *gradients[TRIB_MAX_OUTPUTS];
    count_gradients(d, counts);
    for (int i = 0; i < d->output_count; ++i) gradients[i] = c->outputs[i];
    return trib_cuda_clip_gradients(d->output_count, counts, gradients, c->inputs[d->output_count], c->workspace,
                                    c->stream);
}

static trib_status moving_average(const trib_op_desc *d, const trib_kernel_call *c)
{
    return trib_cuda_moving_average(d->inputs[0].c, c->inputs[1], c->inputs[2], c->outputs[0], c->stream);
}

/* ---- a loss scale that adapts ---- */

static trib_status scale_controls(const trib_op_desc *d, const trib_kernel_call *c)
{
    (void)d;
    return trib_cuda_scale_controls(c->inputs[0], c->inputs[1], c->outputs[0], c->stream);
}

static trib_status check_gradients(const trib_op_desc *d, const trib_kernel_call *c)
{
    return trib_cuda_check_gradients(d->inputs[0].c, c->inputs[0], c->outputs[0], c->stream);
}

static trib_status adjust_loss_scale(const trib_op_desc *d, const trib_kernel_call *c)
{
    return trib_cuda_adjust_loss_scale(d->attributes.adjust_loss_scale.growth_interval, c->inputs[0], c->outputs[0],
                                       c->stream);
}

/* ---- the rows ---- */

#define ROW(KIND, FUNCTION, ...) \
    [TRIB_##KIND] = { .kind = TRIB_##KIND, .name = "tributary:" #FUNCTION, .run = FUNCTION, __VA_ARGS__ }
#define PLAIN .supports = trib_kernel_is_plain_without_relu
#define WITH_RELU .supports = trib_kernel_is_plain

const trib_kernel_op *trib_training_kernel(trib_kind kind)
{
    static const trib_kernel_op rows[TRIB_KIND_COUNT] = {
        ROW(BIAS_BACKWARD, bias_backward, PLAIN, .workspace = row_sums_workspace),
        ROW(RELU_BACKWARD, relu_backward, PLAIN, .workspace = relu_workspace),
        ROW(BATCH_STATISTICS, batch_statistics, PLAIN, .workspace = row_sums_workspace),
        ROW(BATCH_NORM_APPLY, batch_norm_apply, WITH_RELU),
        ROW(BATCH_NORM_BACKWARD, batch_norm_backward, .supports = aligned_sums, .workspace = row_sums_workspace),
        ROW(MAX_POOL2D_INDEXED, max_pool2d_indexed, PLAIN),
        ROW(MAX_POOL2D_BACKWARD, max_pool2d_backward, PLAIN),
        ROW(AVG_POOL2D_BACKWARD, avg_pool2d_backward, PLAIN),
        ROW(ADAPTIVE_AVG_POOL2D_BACKWARD, adaptive_avg_pool2d_backward, PLAIN),
        ROW(LRN_BACKWARD, lrn_backward, .supports = small_lrn),
        ROW(DROPOUT_TRAINING, dropout, PLAIN),
        ROW(CROSS_ENTROPY, cross_entropy, .supports = fitting_types),
        ROW(SCALE_CONTROLS, scale_controls, PLAIN),
        ROW(CHECK_GRADIENTS, check_gradients, PLAIN),
        ROW(ADJUST_LOSS_SCALE, adjust_loss_scale, PLAIN),
        ROW(SUM_GRADIENTS, sum_gradients, PLAIN),
        ROW(CLIP_GRADIENTS, clip_gradients, PLAIN, .workspace = clip_workspace),
        ROW(SGD, sgd, PLAIN),
        ROW(MOVING_AVERAGE, moving_average, PLAIN),
    };
    return rows[kind].run ? &rows[kind] : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/geometry.h"

trib_reorder_geometry trib_reorder_of(const trib_view *x, const trib_view *y, bool relu)
{
    return (trib_reorder_geometry) { .n = x->n,
                                     .c = x->c,
                                     .h = x->h,
                                     .w = x->w,
                                     .y_c = y->c,
                                     .x_nchw = x->layout == TRIB_NCHW,
                                     .y_nchw = y->layout == TRIB_NCHW,
                                     .x_pitch = x->c_total,
                                     .y_pitch = y->c_total,
                                     .relu = relu };
}

trib_lrn_coefficients trib_coefficients_of(const trib_lrn *lrn)
{
    return (trib_lrn_coefficients) { .size = lrn->size, .alpha = lrn->alpha, .beta = lrn->beta, .k = lrn->k };
}

trib_conv1x1_geometry trib_conv1x1_of(const trib_op_desc *desc)
{
    const trib_view *x = &desc->inputs[0];
    trib_conv1x1_geometry g = { .n = x->n,
                                .h = x->h,
                                .w = x->w,
                                .c = x->c,
                                .x_pitch = x->c_total,
                                .outputs = desc->output_count,
                                .relu = desc->relu,
                                .tf32 = desc->precision == TRIB_PRECISION_TF32 };
    for (int i = 0; i < desc->output_count; ++i) {
        g.k[i] = desc->outputs[i].c;
        g.y_pitch[i] = desc->outputs[i].c_total;
    }
    return g;
}

trib_gradient_geometry trib_gradients_of(const trib_op_desc *d)
{
    const trib_view *dy = &d->inputs[0], *x = &d->inputs[d->input_count > 1 ? 1 : 0], *dx = &d->outputs[0];
    return (trib_gradient_geometry) { .rows = (int64_t)dy->n * dy->h * dy->w,
                                      .c = dy->c,
                                      .dy_pitch = dy->c_total,
                                      .x_pitch = x->c_total,
                                      .dx_pitch = dx->c_total };
}

trib_dropout_geometry trib_dropout_of(const trib_op_desc *d)
{
    const trib_view *x = &d->inputs[0];
    return (trib_dropout_geometry) { .n = x->n,
                                     .c = x->c,
                                     .pixels = (int64_t)x->h * x->w,
                                     .x_pitch = x->c_total,
                                     .y_pitch = d->outputs[0].c_total,
                                     .p = d->attributes.dropout.p,
                                     .salt = d->attributes.dropout.salt };
}

trib_cross_entropy_geometry trib_cross_entropy_of(const trib_op_desc *d)
{
    const trib_cross_entropy *a = &d->attributes.cross_entropy;
    return (trib_cross_entropy_geometry) { .n = d->inputs[0].n,
                                           .classes = d->inputs[0].c,
                                           .x_pitch = d->inputs[0].c_total,
                                           .dx_pitch = d->outputs[0].c_total,
                                           .smoothing = a->smoothing,
                                           .scale = a->weight };
}

trib_cuda_sgd_rates trib_sgd_rates_of(const trib_sgd *sgd)
{
    return (trib_cuda_sgd_rates) { sgd->rate, sgd->decay, sgd->nesterov };
}

bool trib_begins_aligned(const trib_view *v) { return (size_t)v->c_offset * trib_dtype_size(v->dtype) % 16 == 0; }

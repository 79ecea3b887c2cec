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

bool trib_begins_aligned(const trib_view *v) { return (size_t)v->c_offset * trib_dtype_size(v->dtype) % 16 == 0; }

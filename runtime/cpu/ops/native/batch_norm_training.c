/* SPDX-License-Identifier: Apache-2.0
 * Batch norm with the statistics of the batch, and its gradient. Sums of squares are made in double around 0: they lose
 * digits only if the mean is ten thousand times the deviation. */
#include <math.h>
#include <string.h>

#include "cpu/ops/native/loops.h"
#include "cpu/ops/native/reduce.h"
#include "cpu/ops/native/training.h"

/* Rows of "saved". */
enum { SCALE, SHIFT, MEAN, INVERSE };

/* ---- statistics ---- */

static void add_squares(const trib_native_call *call, int n, const trib_strip *s, double *sum, double *square)
{
    trib_pixels x = trib_pixels_of(&call->desc->inputs[0]);
    trib_loops_of(s->width)->square_sums(s->width, trib_image_pixels(&x), trib_strip_run(&x, call->inputs[0], s, n),
                                         sum, square);
}

static float moved(const float *running, int c, double batch, float momentum)
{
    return (float)((1 - (double)momentum) * running[c] + momentum * batch);
}

trib_status trib_native_batch_statistics(const trib_native_call *call)
{
    const trib_batch_statistics *a = &call->desc->attributes.batch_statistics;
    const trib_view *x = &call->desc->inputs[0];
    const double *sum = call->workspace, *square = sum + trib_pixels_of(x).channels;
    const double rows = (double)x->n * x->h * x->w, unbiased = rows > 1 ? rows / (rows - 1) : 1;
    const float *weight = call->inputs[1], *bias = call->inputs[2];
    float *saved = call->outputs[0], *mean = call->outputs[1], *var = call->outputs[2];
    TRIB_TRY(trib_native_reduce(call, add_squares, call->workspace));
    for (int c = 0; c < x->c; ++c) {
        const double m = sum[c] / rows, around = square[c] / rows - m * m, v = around < 0 ? 0 : around;
        const double inverse = 1 / sqrt(v + (double)a->eps);
        saved[SCALE * x->c + c] = (float)(weight[c] * inverse);
        saved[SHIFT * x->c + c] = (float)(bias[c] - m * weight[c] * inverse);
        saved[MEAN * x->c + c] = (float)m;
        saved[INVERSE * x->c + c] = (float)inverse;
        mean[c] = moved(call->inputs[3], c, m, a->momentum);
        var[c] = moved(call->inputs[4], c, v * unbiased, a->momentum);
    }
    return trib_success();
}

/* ---- saved values of a strip ---- */

typedef struct strip_norm {
    trib_strip_values scale, shift, mean;
    trib_norm_values values;
} strip_norm;

static void load_norm(strip_norm *v, const float *saved, int channels, const trib_strip *s, bool relu)
{
    v->scale = trib_strip_load(saved + SCALE * channels, s);
    v->shift = trib_strip_load(saved + SHIFT * channels, s);
    v->mean = trib_strip_load(saved + MEAN * channels, s);
    v->values = (trib_norm_values) { v->scale.value, v->shift.value, v->mean.value, relu };
}

/* ---- y = x * scale + shift ---- */

trib_status trib_native_batch_norm_apply(const trib_native_call *call)
{
    const trib_view *view = &call->desc->inputs[0];
    trib_pixels x = trib_pixels_of(view), y = trib_pixels_of(&call->desc->outputs[0]);
    TRIB_FOR_STRIPS(s, &x, view->c)
    {
        strip_norm v;
        load_norm(&v, call->inputs[1], view->c, &s, call->desc->relu);
        for (int n = 0; n < view->n; ++n)
            trib_loops_of(s.width)->scale_shift(s.width, trib_image_pixels(&x),
                                                trib_strip_run(&x, call->inputs[0], &s, n), &v.values,
                                                trib_strip_run(&y, call->outputs[0], &s, n));
    }
    return trib_success();
}

/* ---- its gradient ---- */

static void add_products(const trib_native_call *call, int n, const trib_strip *s, double *sum, double *product)
{
    const trib_view *view = &call->desc->inputs[0];
    trib_pixels dy = trib_pixels_of(view), x = trib_pixels_of(&call->desc->inputs[1]);
    strip_norm v;
    load_norm(&v, call->inputs[2], view->c, s, call->desc->relu);
    trib_loops_of(s->width)->norm_sums(s->width, trib_image_pixels(&dy), trib_strip_run(&dy, call->inputs[0], s, n),
                                       trib_strip_run(&x, call->inputs[1], s, n), &v.values, sum, product);
}

/* The workspace: constant and slope of every channel (with block padding), then the sums. */
static float *slopes_of(const trib_native_call *call)
{
    return (float *)call->workspace + trib_pixels_of(&call->desc->inputs[0]).channels;
}

static double *sums_of(const trib_native_call *call)
{
    return (double *)(slopes_of(call) + trib_pixels_of(&call->desc->inputs[0]).channels);
}

int64_t trib_native_batch_norm_backward_bytes(const trib_op_desc *desc)
{
    return 2 * (int64_t)sizeof(float) * trib_pixels_of(&desc->inputs[0]).channels + trib_native_reduce_bytes(desc);
}

static trib_status apply_backward(const trib_native_call *call)
{
    const trib_view *view = &call->desc->inputs[0];
    trib_pixels dy = trib_pixels_of(view), x = trib_pixels_of(&call->desc->inputs[1]);
    trib_pixels dx = trib_pixels_of(&call->desc->outputs[0]);
    const float *constants = call->workspace, *slopes = slopes_of(call);
    TRIB_FOR_STRIPS(s, &dy, view->c)
    {
        strip_norm v;
        load_norm(&v, call->inputs[2], view->c, &s, call->desc->relu);
        for (int n = 0; n < view->n; ++n)
            trib_loops_of(s.width)->norm_backward(
                s.width, trib_image_pixels(&dy), trib_strip_run(&dy, call->inputs[0], &s, n),
                trib_strip_run(&x, call->inputs[1], &s, n), &v.values, constants + s.first, slopes + s.first,
                trib_strip_run(&dx, call->outputs[0], &s, n));
    }
    return trib_success();
}

trib_status trib_native_batch_norm_backward(const trib_native_call *call)
{
    const trib_view *dy = &call->desc->inputs[0];
    const int64_t padded = trib_pixels_of(dy).channels;
    const double *sum = sums_of(call), *product = sum + padded, rows = (double)dy->n * dy->h * dy->w;
    const float *inverse = (const float *)call->inputs[2] + (int64_t)INVERSE * dy->c;
    float *constants = call->workspace, *slopes = slopes_of(call);
    float *dweight = call->outputs[1], *dbias = call->outputs[2];
    TRIB_TRY(trib_native_reduce(call, add_products, sums_of(call)));
    memset(constants, 0, 2 * (size_t)padded * sizeof *constants);
    for (int c = 0; c < dy->c; ++c) {
        const double product_of_norm = product[c] * inverse[c];
        constants[c] = (float)(sum[c] / rows);
        slopes[c] = (float)(product_of_norm * inverse[c] / rows);
        dweight[c] = (float)product_of_norm;
        dbias[c] = (float)sum[c];
    }
    return trib_native_each_image(call, 2, 1, apply_backward);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cuda/ops/conv_problem.h"

#include <stdio.h>

#include "cuda/ops/geometry.h"
#include "device/op_check.h"
#include "device/window.h"

/* Which of the op's tensors are those of the convolution. */
typedef struct operands {
    trib_conv_direction direction;
    const trib_view *x, *w, *y; /* w NULL: packed */
} operands;

static bool is_linear(const trib_op_desc *d)
{
    return d->kind == TRIB_LINEAR || d->kind == TRIB_LINEAR_BACKWARD_DATA || d->kind == TRIB_LINEAR_BACKWARD_WEIGHT;
}

/* False: another kind of op. Linear layers with packed parameters are products, which cuBLASLt runs. */
static bool operands_of(const trib_op_desc *d, operands *out)
{
    const bool given = trib_op_weights_are_inputs(d);
    switch (d->kind) {
    case TRIB_CONV2D:
    case TRIB_LINEAR:
        *out = (operands) { TRIB_CONV_FORWARD, &d->inputs[0], given ? &d->inputs[1] : NULL, &d->outputs[0] };
        return !trib_op_has_stages(d) && (given || d->kind == TRIB_CONV2D);
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_LINEAR_BACKWARD_DATA:
        *out = (operands) { TRIB_CONV_DGRAD, &d->outputs[0], &d->inputs[1], &d->inputs[0] };
        return true;
    case TRIB_CONV2D_BACKWARD_WEIGHT:
    case TRIB_LINEAR_BACKWARD_WEIGHT:
        *out = (operands) { TRIB_CONV_WGRAD, &d->inputs[0], &d->outputs[0], &d->inputs[1] };
        return true;
    default: return false;
    }
}

static bool all_aligned(const trib_op_desc *d)
{
    for (int i = 0; i < d->input_count; ++i)
        if (!trib_begins_aligned(&d->inputs[i])) return false;
    for (int i = 0; i < d->output_count; ++i)
        if (!trib_begins_aligned(&d->outputs[i])) return false;
    return true;
}

static const char *refusal(const trib_op_desc *d, operands *o)
{
    if (!operands_of(d, o)) return "convolutions alone, and gradients, only";
    if (d->output_count != 1) return "one output only";
    if (!trib_lies_as_nhwc(o->x) || !trib_lies_as_nhwc(o->y) || (o->w && !trib_lies_as_nhwc(o->w))) return "nhwc only";
    if (o->y->dtype != o->x->dtype) return "results of the type of their factors only";
    return all_aligned(d) ? NULL : "slices that begin at 16 bytes only";
}

/* The whole image is one window; where its pixels lie one behind the other, a pixel of many channels. */
static void describe_linear(const trib_view *x, trib_conv_desc *out)
{
    const int pixels = x->h * x->w;
    out->stride_h = out->stride_w = 1;
    out->r = x->h;
    out->s = x->w;
    if (x->c != x->c_total) return;
    out->r = out->s = out->h = out->w = 1;
    out->c = x->c * pixels;
    out->x_pitch = x->c_total * pixels;
}

static void describe_window(const trib_conv2d *a, trib_conv_desc *out)
{
    out->r = a->r;
    out->s = a->s;
    out->stride_h = a->stride_h;
    out->stride_w = a->stride_w;
    out->pad_top = a->pad.top;
    out->pad_left = a->pad.left;
}

/* In 16 bits cuDNN 9.19 has no plan for slices of any number of channels, but for whole pixels of a multiple of 8: the
 * channels up to the next multiple are taken in where they lie in memory, and give rows behind those of the result. */
static void take_in_spare_channels(const trib_view *y, trib_conv_desc *out)
{
    const int multiple = 16 / (int)trib_dtype_size(y->dtype), whole = (y->c + multiple - 1) / multiple * multiple;
    if (y->dtype != TRIB_F32 && y->c_offset + whole <= y->c_total) out->k = whole;
}

static bool begins_evenly(trib_dtype dtype, int channels, int pitch)
{
    return (size_t)pitch * trib_dtype_size(dtype) % 16 == 0 || (dtype == TRIB_F32 && pitch == channels);
}

/* Measured on an H100 with cuDNN 9.19.0: where pixels of x or of the gradient of y do not begin at multiples of 16
 * bytes, gradients of weights are wrong or NaN, and no error is reported. In 16 bits that is so with all engines that
 * are compiled at run time, packed or not; in float32 with engine 1, for slices only. */
static bool pixels_begin_evenly(const trib_conv_desc *d)
{
    const trib_dtype dtype = trib_precision_dtype(d->precision);
    return begins_evenly(dtype, d->c, d->x_pitch) && begins_evenly(dtype, d->k, d->y_pitch);
}

static bool refuse(const char *why, char *reason)
{
    snprintf(reason, TRIB_MESSAGE_SIZE, "cudnn: %s", why);
    return false;
}

bool trib_conv_problem_of(const trib_op_desc *d, trib_conv_desc *out, char *reason)
{
    operands o;
    const char *why = refusal(d, &o);
    if (why) return refuse(why, reason);
    *out = (trib_conv_desc) { .direction = o.direction,
                              .precision = d->precision,
                              .n = o.x->n,
                              .c = o.x->c,
                              .h = o.x->h,
                              .w = o.x->w,
                              .k = o.y->c,
                              .p = o.y->h,
                              .q = o.y->w,
                              .x_pitch = o.x->c_total,
                              .y_pitch = o.y->c_total,
                              .has_bias = d->has_bias,
                              .relu = d->relu,
                              .add = d->accumulate,
                              .wide_w = o.direction == TRIB_CONV_WGRAD };
    if (is_linear(d))
        describe_linear(o.x, out);
    else
        describe_window(&d->attributes.conv2d, out);
    if (o.direction != TRIB_CONV_WGRAD) return true;
    take_in_spare_channels(o.y, out);
    if (!pixels_begin_evenly(out))
        return refuse(
            "gradients of weights from pixels that begin at multiples of 16 bytes, or packed in float32, only", reason);
    return true;
}

int64_t trib_conv_problem_wide_result(const trib_op_desc *op, const trib_conv_desc *d)
{
    if (d->direction != TRIB_CONV_WGRAD || d->k == op->outputs[0].n) return 0;
    return (int64_t)d->k * d->r * d->s * d->c * (int64_t)sizeof(float);
}

trib_conv_pointers trib_conv_problem_pointers(const trib_op_desc *d, const void *const *inputs, void *const *outputs,
                                              const void *weight, const void *bias)
{
    switch (d->kind) {
    case TRIB_CONV2D_BACKWARD_DATA:
    case TRIB_LINEAR_BACKWARD_DATA: return (trib_conv_pointers) { .x = outputs[0], .w = inputs[1], .y = inputs[0] };
    case TRIB_CONV2D_BACKWARD_WEIGHT:
    case TRIB_LINEAR_BACKWARD_WEIGHT: return (trib_conv_pointers) { .x = inputs[0], .w = outputs[0], .y = inputs[1] };
    default: break;
    }
    if (!trib_op_weights_are_inputs(d)) return (trib_conv_pointers) { inputs[0], weight, bias, outputs[0] };
    return (trib_conv_pointers) { inputs[0], inputs[1], d->has_bias ? inputs[2] : NULL, outputs[0] };
}

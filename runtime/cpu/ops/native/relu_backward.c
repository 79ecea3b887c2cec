/* SPDX-License-Identifier: Apache-2.0
 * The gradients of a ReLU and of the bias before it, in one pass. */
#include "cpu/ops/native/reduce.h"
#include "cpu/ops/native/training.h"

static void pass(const trib_native_call *call, int n, const trib_strip *s, double *sum, double *unused)
{
    const trib_op_desc *desc = call->desc;
    trib_pixels dy = trib_pixels_of(&desc->inputs[0]), y = trib_pixels_of(&desc->inputs[1]);
    trib_pixels dx = trib_pixels_of(&desc->outputs[0]);
    (void)unused;
    trib_loops_of(s->width)->relu_backward(s->width, trib_image_pixels(&dy), trib_strip_run(&dy, call->inputs[0], s, n),
                                           trib_strip_run(&y, call->inputs[1], s, n),
                                           trib_strip_run(&dx, call->outputs[0], s, n), sum);
}

static void add(const trib_native_call *call, int n, const trib_strip *s, double *sum, double *unused)
{
    trib_pixels dy = trib_pixels_of(&call->desc->inputs[0]);
    (void)unused;
    trib_loops_of(s->width)->sums(s->width, trib_image_pixels(&dy), trib_strip_run(&dy, call->inputs[0], s, n), sum);
}

static void write_bias(const trib_native_call *call, float *dbias)
{
    const double *sum = call->workspace;
    for (int c = 0; c < call->desc->inputs[0].c; ++c) dbias[c] = (float)sum[c];
}

trib_status trib_native_relu_backward(const trib_native_call *call)
{
    TRIB_TRY(trib_native_reduce(call, pass, call->workspace));
    if (call->desc->output_count > 1) write_bias(call, call->outputs[1]);
    return trib_success();
}

trib_status trib_native_bias_backward(const trib_native_call *call)
{
    TRIB_TRY(trib_native_reduce(call, add, call->workspace));
    write_bias(call, call->outputs[0]);
    return trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * Updates of parameters: flat, in pieces. Each element is updated by itself, so that pieces leave no trace in bits. */
#include <string.h>

#include "cpu/ops/native/training.h"
#include "tributary/training_kernels.h"

enum { PIECE = 1 << 16 };

static int64_t length_in(const trib_view *view, int i)
{
    int64_t left = view->c - (int64_t)i * PIECE;
    return left < PIECE ? left : PIECE;
}

static int64_t length_of(const trib_native_call *call, int i) { return length_in(&call->desc->inputs[0], i); }

static int pieces_of(const trib_view *view) { return (int)(((int64_t)view->c + PIECE - 1) / PIECE); }

static const float *source(const trib_native_call *call, int k, int i)
{
    return (const float *)call->inputs[k] + (int64_t)i * PIECE;
}

/* Output k, which begins as input `from`; the two may be the same memory. */
static float *updated(const trib_native_call *call, int k, int from, int i)
{
    float *target = (float *)call->outputs[k] + (int64_t)i * PIECE;
    const float *old = source(call, from, i);
    if (old != target) memcpy(target, old, (size_t)length_of(call, i) * sizeof *target);
    return target;
}

static trib_status run_pieces(const trib_native_call *call, trib_cpu_task task)
{
    int pieces = pieces_of(&call->desc->inputs[0]);
    return trib_cpu_team_run(call->worker, trib_native_threads(call->desc), pieces, task, (void *)call);
}

/* The last input. */
static trib_step_controls controls_of(const trib_native_call *call)
{
    trib_step_controls controls;
    memcpy(&controls, call->inputs[call->desc->input_count - 1], sizeof controls);
    return controls;
}

static trib_status sgd_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    const trib_sgd *a = &call->desc->attributes.sgd;
    const trib_step_controls controls = controls_of(call);
    (void)worker;
    const trib_sgd_step step = { .lr = controls.lr * a->rate,
                                 .momentum = controls.momentum,
                                 .weight_decay = controls.weight_decay * a->decay,
                                 .loss_scale = controls.loss_scale,
                                 .nesterov = a->nesterov };
    float *w = updated(call, 0, 0, i), *v = updated(call, 1, 2, i);
    if (!controls.no_update) trib_ref_sgd(length_of(call, i), &step, source(call, 1, i), w, v);
    return trib_success();
}

trib_status trib_native_sgd(const trib_native_call *call) { return run_pieces(call, sgd_piece); }

static trib_status sum_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    (void)worker;
    trib_ref_sum_gradients(length_of(call, i), controls_of(call).add_to_sum, source(call, 1, i),
                           updated(call, 0, 0, i));
    return trib_success();
}

trib_status trib_native_sum_gradients(const trib_native_call *call) { return run_pieces(call, sum_piece); }

static trib_status average_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    const trib_step_controls controls = controls_of(call);
    float *average = updated(call, 0, 0, i);
    (void)worker;
    if (!controls.no_update)
        trib_ref_moving_average(length_of(call, i), controls.average_decay, source(call, 1, i), average);
    return trib_success();
}

trib_status trib_native_moving_average(const trib_native_call *call) { return run_pieces(call, average_piece); }

/* ---- clipping: sums of squares per piece, then a factor for all ---- */

static int all_pieces(const trib_op_desc *desc)
{
    int pieces = 0;
    for (int k = 0; k < desc->output_count; ++k) pieces += pieces_of(&desc->inputs[k]);
    return pieces;
}

int64_t trib_native_clip_gradients_bytes(const trib_op_desc *desc)
{
    return (all_pieces(desc) + 1) * (int64_t)sizeof(double); /* the last is the factor */
}

/* Which gradient piece i belongs to; *i becomes its number there. */
static int gradient_of_piece(const trib_op_desc *desc, int *i)
{
    int k = 0;
    for (; *i >= pieces_of(&desc->inputs[k]); ++k) *i -= pieces_of(&desc->inputs[k]);
    return k;
}

static trib_status squares_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    double *squares = (double *)call->workspace + i;
    int k = gradient_of_piece(call->desc, &i);
    (void)worker;
    *squares = trib_ref_squares(length_in(&call->desc->inputs[k], i), source(call, k, i));
    return trib_success();
}

static trib_status scale_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    const float factor = (float)((const double *)call->workspace)[all_pieces(call->desc)];
    int k = gradient_of_piece(call->desc, &i);
    const int64_t count = length_in(&call->desc->inputs[k], i);
    const float *from = source(call, k, i);
    float *to = (float *)call->outputs[k] + (int64_t)i * PIECE;
    (void)worker;
    for (int64_t n = 0; n < count; ++n) to[n] = from[n] * factor;
    return trib_success();
}

static bool is_in_place(const trib_native_call *call)
{
    for (int k = 0; k < call->desc->output_count; ++k)
        if (call->inputs[k] != call->outputs[k]) return false;
    return true;
}

trib_status trib_native_clip_gradients(const trib_native_call *call)
{
    const int pieces = all_pieces(call->desc), threads = trib_native_threads(call->desc);
    double *squares = call->workspace, sum = 0;
    const trib_step_controls controls = controls_of(call);
    if (is_in_place(call) && (controls.no_update || !(controls.clip_norm > 0))) return trib_success();
    TRIB_TRY(trib_cpu_team_run(call->worker, threads, pieces, squares_piece, (void *)call));
    for (int i = 0; i < pieces; ++i) sum += squares[i];
    const float clipped = trib_ref_clip_factor(sum, controls.clip_norm, controls.loss_scale);
    const float factor = controls.no_update ? 1 : clipped;
    squares[pieces] = (double)factor;
    if (factor == 1 && is_in_place(call)) return trib_success();
    return trib_cpu_team_run(call->worker, threads, pieces, scale_piece, (void *)call);
}

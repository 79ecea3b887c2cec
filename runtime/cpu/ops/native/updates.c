/* SPDX-License-Identifier: Apache-2.0
 * Updates of parameters: flat, in pieces. Each element is updated by itself, so that pieces leave no trace in bits. */
#include <string.h>

#include "cpu/ops/native/training.h"
#include "tributary/training_kernels.h"

enum { PIECE = 1 << 16 };

static int64_t length_of(const trib_native_call *call, int i)
{
    int64_t left = call->desc->inputs[0].c - (int64_t)i * PIECE;
    return left < PIECE ? left : PIECE;
}

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
    int pieces = (int)(((int64_t)call->desc->inputs[0].c + PIECE - 1) / PIECE);
    return trib_cpu_team_run(call->worker, trib_native_threads(call->desc), pieces, task, (void *)call);
}

static trib_status sgd_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    const trib_sgd *a = &call->desc->attributes.sgd;
    trib_step_controls controls;
    (void)worker;
    memcpy(&controls, call->inputs[3], sizeof controls);
    const trib_sgd_step step = { .lr = controls.lr * a->rate,
                                 .momentum = controls.momentum,
                                 .weight_decay = controls.weight_decay * a->decay,
                                 .loss_scale = controls.loss_scale,
                                 .nesterov = a->nesterov };
    float *w = updated(call, 0, 0, i), *v = updated(call, 1, 2, i);
    trib_ref_sgd(length_of(call, i), &step, source(call, 1, i), w, v);
    return trib_success();
}

trib_status trib_native_sgd(const trib_native_call *call) { return run_pieces(call, sgd_piece); }

static trib_status average_piece(void *context, const trib_cpu_worker *worker, int i)
{
    const trib_native_call *call = context;
    trib_step_controls controls;
    (void)worker;
    memcpy(&controls, call->inputs[2], sizeof controls);
    trib_ref_moving_average(length_of(call, i), controls.average_decay, source(call, 1, i), updated(call, 0, 0, i));
    return trib_success();
}

trib_status trib_native_moving_average(const trib_native_call *call) { return run_pieces(call, average_piece); }

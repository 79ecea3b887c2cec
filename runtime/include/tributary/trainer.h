/* SPDX-License-Identifier: Apache-2.0
 * Tributary: training, step by step, with batches of the caller's own.
 *
 *     trib_loss losses[] = { { "logits", 1 }, { "aux1", 0.3f }, { "aux2", 0.3f } };
 *     trib_training training = { .losses = losses, .loss_count = 3 };
 *     trib_trainer_options o = { .plan = trib_plan_default_options() };
 *     o.plan.batch = 32;
 *     o.plan.training = &training;
 *     trib_trainer_create(device, graph, parameters, &o, &trainer);
 *     trib_step_controls controls = { .lr = 0.01f, .momentum = 0.9f, .weight_decay = 2e-4f, .loss_scale = 1 };
 *     for (controls.step = 0; controls.step < steps; ++controls.step)
 *         trib_trainer_step(trainer, images, labels, &controls, outputs);
 *
 * A step is one run of one plan (plan.h, trib_training): forward, losses, backward and update. With --launch graph it
 * is captured once. The same options, parameters, batches and controls give the same bits, run after run and for any
 * number of threads.
 *
 * A batch that does not fit into memory is cut into parts: with training.accumulate = N, N calls make one step,
 *
 *     for (int i = 0; i < N; ++i) {
 *         controls.step = step * N + i; for dropout, which thus differs from part to part
 *         controls.add_to_sum = i > 0;
 *         controls.no_update = i + 1 < N;
 *         trib_trainer_step(trainer, images of part i, labels of part i, &controls, outputs);
 *     }
 *
 * and update as one batch of N times plan.batch images would, to rounding: losses are weighted by 1 / N. Batch norm, as
 * in PyTorch, takes its statistics from each part, and moves the running ones with each.
 *
 * What stays from step to step are tensors: parameters with running statistics, the gradients of the last step,
 * momentum, moving averages. They can be read and written between steps; a run resumes exactly if the parameters,
 * momentum and averages of a step are written back. (Between the parts of a step, gradients, too.) */
#ifndef TRIBUTARY_TRAINER_H
#define TRIBUTARY_TRAINER_H

#include "tributary/declare.h"
#include "tributary/plan.h"
#include "tributary/session.h"

TRIB_BEGIN_DECLS

typedef struct trib_trainer_options {
    trib_plan_options plan; /* batch, schedule, threads, ..., and training, which must be set */
    trib_launch launch;
    trib_timeline *timeline; /* gets the times of ops, a run per call of trib_trainer_step; NULL: none */
    bool one_stream;         /* as in trib_session_options */
} trib_trainer_options;

/* A network being trained. */
typedef struct trib_trainer trib_trainer;

/* `parameters` as for trib_session_create: initial values. Neither they, `graph` nor options->plan.training are used
 * after this call. The device must outlive the trainer. */
trib_status trib_trainer_create(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                                const trib_trainer_options *options, trib_trainer **out);
void trib_trainer_destroy(trib_trainer *trainer); /* NULL is fine */

/* Its plan: inputs, outputs, tensors and memory. Owned by the trainer. */
const trib_plan *trib_trainer_plan(const trib_trainer *trainer);

/* One step on plan->batch images: host memory, dense, in the dtype and layout of plan->inputs[0]. `labels`: one class
 * per image. `outputs[i]`: host memory for output i of the plan; the losses are among them, so that the caller may stop
 * at one that is not finite. Fails with TRIB_INVALID_ARGUMENT, changing nothing, if a label is not one of the classes.
 * Waits for the step. After a failure of the device the tensors' values are undefined, except that reading them reports
 * it. */
trib_status trib_trainer_step(trib_trainer *trainer, const void *images, const int32_t *labels,
                              const trib_step_controls *controls, void *const *outputs);

/* A tensor that stays from step to step. */
typedef struct trib_trainer_tensor {
    trib_tensor_role role;
    const char *name; /* of the parameter it is or belongs to; owned by the trainer */
    trib_shape shape; /* the parameter's; values are dense float32 */
} trib_trainer_tensor;
int trib_trainer_tensor_count(const trib_trainer *trainer);
/* Tensors of one role are in the order of the graph's parameters. */
trib_trainer_tensor trib_trainer_tensor_at(const trib_trainer *trainer, int index);
/* By role and parameter, -1 if there is none: frozen parameters and running statistics have no gradient. */
int trib_trainer_find(const trib_trainer *trainer, trib_tensor_role role, const char *name);
/* Copies all values between steps. */
trib_status trib_trainer_read(trib_trainer *trainer, int index, float *values);
trib_status trib_trainer_write(trib_trainer *trainer, int index, const float *values);
/* What trib_trainer_read would copy, where it lies in host memory, as on a cpu; else NULL. Valid until the next step or
 * write. */
const float *trib_trainer_values(const trib_trainer *trainer, int index);
/* The same of a loss scale that adapts (trib_training.loss_scale); a run resumes exactly if it is written back, too.
 * TRIB_INVALID_ARGUMENT if it does not adapt. */
trib_status trib_trainer_read_loss_scale(trib_trainer *trainer, trib_loss_scale *out);
trib_status trib_trainer_write_loss_scale(trib_trainer *trainer, const trib_loss_scale *scale);

TRIB_END_DECLS
#endif

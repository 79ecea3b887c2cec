/* SPDX-License-Identifier: Apache-2.0
 * The trainer of a run, its batches, and a step. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/train_private.h"
#include "tributary/internal/alloc.h"
#include "tributary/tune.h"

/* ---- preparing ---- */

int64_t trib_train_step_images(const trib_train *t) { return (int64_t)t->o.plan.batch * t->o.accumulate; }

/* A run is one sequence of samples, cut into steps, which need not end where epochs do. */
static trib_status resolve_schedule(trib_train *t)
{
    int64_t batch = trib_train_step_images(t);
    trib_lr_options *lr = &t->o.lr;
    t->steps = t->o.epochs > (INT64_MAX >> 8) / t->images ? INT64_MAX >> 8 : t->o.epochs * t->images;
    t->steps = (t->steps + batch - 1) / batch;
    if (t->o.max_steps && t->o.max_steps < t->steps) t->steps = t->o.max_steps;
    lr->steps_per_epoch = (t->images + batch / 2) / batch;
    if (lr->steps_per_epoch < 1) lr->steps_per_epoch = 1;
    lr->steps = t->steps;
    TRIB_TRY(trib_lr_resolve(lr, lr));
    return trib_average_resolve(&t->o.average, &t->o.average);
}

/* Where the plan puts the results of a step. */
static trib_status allocate_outputs(trib_train *t)
{
    const trib_plan *plan = trib_trainer_plan(t->trainer);
    t->outputs = trib_alloc_zeroed((size_t)plan->output_count, sizeof *t->outputs);
    t->names = trib_alloc_zeroed((size_t)plan->batch, sizeof *t->names);
    if (!t->outputs || !t->names) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the outputs of a step");
    for (int i = 0; i < plan->output_count; ++i) {
        char name[64];
        float **place = NULL;
        int64_t count;
        for (int head = 0; head < t->training.loss_count; ++head) {
            snprintf(name, sizeof name, "loss/%s", trib_train_head_name(t, head));
            if (!strcmp(plan->outputs[i].name, name)) place = &t->head_losses[head];
            if (!strcmp(plan->outputs[i].name, trib_train_head_name(t, head))) place = &t->logits[head];
        }
        TRIB_TRY(trib_shape_count(&plan->outputs[i].shape, &count));
        t->outputs[i] = trib_alloc_zeroed((size_t)count, sizeof **place);
        if (!t->outputs[i] || !place)
            return TRIB_ERROR(place ? TRIB_OUT_OF_MEMORY : TRIB_INTERNAL, "no place for output '%s' of a step",
                              plan->outputs[i].name);
        *place = t->outputs[i];
    }
    return trib_success();
}

/* With the schedule that is stored for it, if there is one. */
static trib_status create_tuned(trib_train *t, trib_trainer_options *options)
{
    char note[TRIB_MESSAGE_SIZE];
    trib_tuned *tuned = NULL;
    if (t->o.tuned)
        TRIB_TRY(trib_tuned_load(t->o.tuned, t->device, t->graph, &options->plan, options->launch, note, &tuned));
    if (t->o.tuned && !tuned && t->events.message) {
        char text[TRIB_MESSAGE_SIZE + 128];
        snprintf(text, sizeof text, "the schedule is serial, because none has been measured for this (%s)", note);
        t->events.message(t->events.context, text);
    }
    if (tuned) trib_tuned_apply(tuned, &options->plan);
    trib_status status = trib_trainer_create(t->device, t->graph, t->parameters, options, &t->trainer);
    trib_tuned_destroy(tuned);
    return status;
}

trib_status trib_train_create_trainer(trib_train *t)
{
    trib_trainer_options options = { .plan = t->o.plan, .launch = t->o.launch };
    TRIB_TRY(resolve_schedule(t));
    t->training.label_smoothing = (float)t->o.smoothing;
    if (t->o.adapt_loss_scale)
        t->training.loss_scale = t->o.loss_scale > 0 ? (float)t->o.loss_scale : TRIB_FIRST_LOSS_SCALE;
    t->training.clip = t->o.clip_norm > 0;
    t->training.accumulate = t->o.accumulate;
    t->training.no_dropout = t->o.no_dropout;
    t->training.nesterov = t->o.nesterov;
    t->training.caffe_rules = t->o.caffe_rules;
    t->training.average = t->o.average.kind != TRIB_AVERAGE_NONE;
    if (t->o.raw) {
        t->normalise = trib_preprocess_normalise(&t->preprocess);
        options.plan.normalise = &t->normalise;
        options.plan.input_layout = TRIB_NHWC;
    }
    options.plan.training = &t->training;
    TRIB_TRY(create_tuned(t, &options));
    trib_free(t->parameters); /* the trainer has copies */
    t->parameters = NULL;
    if (t->fresh_values) trib_parameters_free(t->fresh_values);
    t->fresh_values = NULL;
    if (t->init) trib_model_release_parameters(t->init);
    return allocate_outputs(t);
}

trib_status trib_train_start_loader(trib_train *t)
{
    const trib_plan_input *input = &trib_trainer_plan(t->trainer)->inputs[0];
    const trib_training_rows rows = trib_train_rows(t, TRIB_TRAINING);
    trib_training_loader_options options = { .batch_size = t->o.plan.batch,
                                             .workers = t->o.workers,
                                             .layout = input->layout,
                                             .raw = t->o.raw,
                                             .device = t->device,
                                             .decode = t->o.decode,
                                             .memory_limit = t->o.loader_memory,
                                             .seed = t->o.seed,
                                             .position = t->state.step * trib_train_step_images(t),
                                             .sampling = t->o.sampling };
    return trib_training_loader_create_for(&rows, &t->preprocess, &options, &t->loader);
}

/* ---- a step ---- */

static trib_step_controls controls_of(const trib_train *t, int64_t step, int part)
{
    trib_lr_step lr = trib_lr_at(&t->o.lr, step);
    return (trib_step_controls) { .seed = t->o.seed,
                                  .step = (uint64_t)step * (uint64_t)t->o.accumulate + (uint64_t)part,
                                  .lr = (float)lr.rate,
                                  .momentum = (float)lr.momentum,
                                  .weight_decay = (float)t->o.weight_decay,
                                  .average_decay = (float)trib_average_decay(&t->o.average, step),
                                  .clip_norm = (float)t->o.clip_norm,
                                  .add_to_sum = part > 0,
                                  .no_update = part + 1 < t->o.accumulate,
                                  .loss_scale =
                                      t->o.loss_scale > 0 && !t->o.adapt_loss_scale ? (float)t->o.loss_scale : 1 };
}

static int count_right(const trib_train *t, const trib_training_batch *batch)
{
    int right = 0, classes = t->net.classes;
    for (int i = 0; i < batch->count; ++i) {
        const float *row = t->logits[0] + (size_t)i * (size_t)classes;
        int best = 0;
        for (int k = 1; k < classes; ++k)
            if (row[k] > row[best]) best = k;
        right += best == batch->labels[i];
    }
    return right;
}

void trib_train_add_sums(trib_train_sums *to, const trib_train_sums *sums)
{
    to->images += sums->images;
    to->right += sums->right;
    for (int head = 0; head < TRIB_TRAIN_HEADS; ++head) to->losses[head] += sums->losses[head];
}

trib_status trib_train_part(trib_train *t, int part, const trib_training_batch *batch, trib_train_sums *sums)
{
    const trib_step_controls controls = controls_of(t, t->state.step, part);
    t->named = batch->count;
    memcpy(t->names, batch->names, (size_t)batch->count * sizeof *t->names);
    TRIB_TRY(trib_trainer_step(t->trainer, batch->pixels, batch->labels, &controls, t->outputs));
    *sums = (trib_train_sums) { .images = batch->count, .right = count_right(t, batch) };
    for (int head = 0; head < t->training.loss_count; ++head)
        for (int i = 0; i < batch->count; ++i) sums->losses[head] += (double)t->head_losses[head][i];
    return trib_success();
}

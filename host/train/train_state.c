/* SPDX-License-Identifier: Apache-2.0
 * Between the trainer and checkpoints: parameters under the names of a model file, momentum and averages under
 * "training/ROLE/NAME", the rest as numbers. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/train_private.h"
#include "tributary/internal/alloc.h"

#define SUMS TRIB_TRAINING_PREFIX "sums"
#define ENDED TRIB_TRAINING_PREFIX "ended"
#define LOSS_SCALE TRIB_TRAINING_PREFIX "loss_scale"
#define EVALUATION TRIB_TRAINING_PREFIX "evaluation"
#define BEST_KEY "training.best"
#define IS_BEST_KEY "training.is_best"
#define PENDING_KEY "training.pending"

enum { NAME = 192, SUM_COUNT = sizeof(trib_train_sums) / sizeof(double), EVALUATION_COUNT = 4, LOSS_SCALE_COUNT = 3 };

/* Gradients are those of the last step: the next one needs none of them. */
static bool is_kept(trib_tensor_role role) { return role != TRIB_TENSOR_GRADIENT; }

static const char *stored_name(const trib_train *t, const trib_trainer_tensor *tensor, char name[NAME])
{
    char file[128];
    trib_parameter_file_name(t->graph, t->dialect, trib_graph_find_parameter(t->graph, tensor->name), file);
    if (tensor->role == TRIB_TENSOR_PARAMETER)
        snprintf(name, NAME, "%s", file);
    else
        snprintf(name, NAME, TRIB_TRAINING_PREFIX "%s/%s", trib_tensor_role_name(tensor->role), file);
    return name;
}

/* ---- saving ---- */

/* A checkpoint in memory. */
typedef struct contents {
    trib_tensor *tensors;
    int count;
    char (*names)[NAME];
    trib_train_copies copies;
} contents;

static trib_status allocate(const trib_train *t, contents *c)
{
    int count = trib_trainer_tensor_count(t->trainer);
    c->tensors = trib_alloc_zeroed((size_t)count + 4, sizeof *c->tensors);
    c->names = trib_alloc_zeroed((size_t)count, NAME);
    if (!c->tensors || !c->names) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of %d tensors", count);
    return trib_train_copies_allocate(count, &c->copies);
}

static trib_status collect(trib_train *t, contents *c)
{
    for (int i = 0; i < trib_trainer_tensor_count(t->trainer); ++i) {
        trib_trainer_tensor tensor = trib_trainer_tensor_at(t->trainer, i);
        const float *values = NULL;
        int64_t count;
        if (!is_kept(tensor.role)) continue;
        TRIB_TRY(trib_shape_count(&tensor.shape, &count));
        TRIB_TRY(trib_train_values(t, i, &c->copies, &values));
        if (!trib_train_all_finite(values, count)) return trib_train_bad_tensor(t, &tensor);
        const char *name = stored_name(t, &tensor, c->names[c->count]);
        c->tensors[c->count++] =
            (trib_tensor) { .name = name, .dtype = TRIB_F32, .shape = tensor.shape, .data = values };
    }
    return trib_success();
}

static void add_doubles(contents *c, const char *name, int count, const void *values)
{
    c->tensors[c->count++] = (trib_tensor) {
        .name = name, .dtype = TRIB_F64, .shape = { .rank = 1, .dim = { count } }, .data = (void *)values
    };
}

static trib_status save(trib_train *t, contents *c, const trib_train_metadata *metadata, bool best)
{
    char best_text[40], seed[40];
    trib_key_value items[TRIB_TRAIN_METADATA + 4];
    int count = metadata->count;
    memcpy(items, metadata->items, (size_t)count * sizeof *items);
    snprintf(best_text, sizeof best_text, "%a", t->state.best);
    snprintf(seed, sizeof seed, "%" PRIu64, t->o.seed);
    items[count++] = (trib_key_value) { BEST_KEY, best_text };
    items[count++] = (trib_key_value) { IS_BEST_KEY, best ? "1" : "0" };
    items[count++] = (trib_key_value) { PENDING_KEY, t->state.pending ? "1" : "0" };
    items[count++] = (trib_key_value) { "training.seed", seed };
    trib_run_checkpoint what = { .step = t->state.step,
                                 .best = best,
                                 .tensors = c->tensors,
                                 .count = c->count,
                                 .metadata = items,
                                 .metadata_count = count };
    return trib_run_folder_save(t->folder, &what);
}

/* Only of one that adapts. */
static trib_status read_loss_scale(trib_train *t, double values[LOSS_SCALE_COUNT])
{
    trib_loss_scale scale = { 0 };
    if (t->o.adapt_loss_scale) TRIB_TRY(trib_trainer_read_loss_scale(t->trainer, &scale));
    values[0] = (double)scale.scale;
    values[1] = (double)scale.good_steps;
    values[2] = (double)scale.skipped_steps;
    return trib_success();
}

trib_status trib_train_save(trib_train *t, bool best)
{
    double loss_scale[LOSS_SCALE_COUNT];
    contents c = { 0 };
    trib_train_metadata metadata = { 0 };
    trib_status s = allocate(t, &c);
    if (!trib_failed(&s)) s = collect(t, &c);
    if (!trib_failed(&s)) s = read_loss_scale(t, loss_scale);
    if (!trib_failed(&s)) s = trib_train_make_metadata(t, &metadata);
    if (!trib_failed(&s)) {
        const double evaluation[EVALUATION_COUNT] = { t->state.top1, t->state.averaged_top1, t->state.eval_loss,
                                                      t->state.averaged_loss };
        add_doubles(&c, EVALUATION, EVALUATION_COUNT, evaluation);
        add_doubles(&c, SUMS, SUM_COUNT, &t->state.sums);
        add_doubles(&c, ENDED, SUM_COUNT, &t->state.ended);
        if (t->o.adapt_loss_scale) add_doubles(&c, LOSS_SCALE, LOSS_SCALE_COUNT, loss_scale);
        s = save(t, &c, &metadata, best);
    }
    trib_train_metadata_free(&metadata);
    trib_free(c.tensors);
    trib_free(c.names);
    trib_train_copies_free(&c.copies);
    if (!trib_failed(&s)) t->saved = t->state.step;
    return s;
}

/* ---- restoring ---- */

static trib_status missing(const char *name, const char *what)
{
    return TRIB_ERROR(TRIB_BAD_DATA, "%s '%s', which this run needs", what, name);
}

static trib_status restore_doubles(const trib_checkpoint *checkpoint, const char *name, int count, void *out)
{
    const trib_tensor *tensor = trib_checkpoint_find(checkpoint, name);
    if (!tensor || tensor->dtype != TRIB_F64 || tensor->shape.rank != 1 || tensor->shape.dim[0] != count)
        return missing(name, "has no");
    memcpy(out, tensor->data, (size_t)count * sizeof(double));
    return trib_success();
}

static trib_status restore_numbers(trib_train *t, const trib_checkpoint *checkpoint)
{
    const char *best = trib_checkpoint_metadata(checkpoint, BEST_KEY);
    const char *is_best = trib_checkpoint_metadata(checkpoint, IS_BEST_KEY);
    const char *pending = trib_checkpoint_metadata(checkpoint, PENDING_KEY);
    char *end = NULL;
    double evaluation[EVALUATION_COUNT];
    t->state.step = trib_run_step(checkpoint);
    t->state.best = best ? strtod(best, &end) : 0;
    if (!best || end == best || *end) return missing(BEST_KEY, "has no");
    t->state.is_best = is_best && strcmp(is_best, "1") == 0;
    t->state.pending = pending && strcmp(pending, "1") == 0;
    TRIB_TRY(restore_doubles(checkpoint, EVALUATION, EVALUATION_COUNT, evaluation));
    t->state.top1 = evaluation[0];
    t->state.averaged_top1 = evaluation[1];
    t->state.eval_loss = evaluation[2];
    t->state.averaged_loss = evaluation[3];
    TRIB_TRY(restore_doubles(checkpoint, SUMS, SUM_COUNT, &t->state.sums));
    return restore_doubles(checkpoint, ENDED, SUM_COUNT, &t->state.ended);
}

static trib_status restore_loss_scale(trib_train *t, const trib_checkpoint *checkpoint)
{
    double values[LOSS_SCALE_COUNT];
    if (!t->o.adapt_loss_scale) return trib_success();
    TRIB_TRY(restore_doubles(checkpoint, LOSS_SCALE, LOSS_SCALE_COUNT, values));
    const trib_loss_scale scale = { (float)values[0], (float)values[1], (float)values[2], 0 };
    return trib_trainer_write_loss_scale(t->trainer, &scale);
}

trib_status trib_train_restore(trib_train *t, const trib_checkpoint *checkpoint)
{
    char name[NAME];
    for (int i = 0; i < trib_trainer_tensor_count(t->trainer); ++i) {
        trib_trainer_tensor tensor = trib_trainer_tensor_at(t->trainer, i);
        if (!is_kept(tensor.role)) continue;
        const trib_tensor *stored = trib_checkpoint_find(checkpoint, stored_name(t, &tensor, name));
        if (!stored) return missing(name, "has no");
        if (stored->dtype != TRIB_F32 || !trib_shape_equal(&stored->shape, &tensor.shape))
            return missing(name, "has another shape or element type for");
        TRIB_TRY(trib_trainer_write(t->trainer, i, stored->data));
    }
    TRIB_TRY(restore_loss_scale(t, checkpoint));
    return restore_numbers(t, checkpoint);
}

/* ---- reading ---- */

int trib_train_find(const trib_train *t, const char *name, bool average)
{
    int index = average ? trib_trainer_find(t->trainer, TRIB_TENSOR_AVERAGE, name) : -1;
    return index >= 0 ? index : trib_trainer_find(t->trainer, TRIB_TENSOR_PARAMETER, name);
}

/* SPDX-License-Identifier: Apache-2.0
 * One step again, to see what it does: from the newest checkpoint before it, in memory only. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "train/train_private.h"
#include "tributary/internal/alloc.h"

/* ---- the checkpoint ---- */

typedef struct search {
    int64_t before, found; /* found -1: none */
} search;

static trib_status consider(void *context, const char *name)
{
    search *s = context;
    int64_t number = trib_run_checkpoint_number(name);
    if (number < s->before && number > s->found) s->found = number;
    return trib_success();
}

static trib_status restore(trib_train *t, int64_t step)
{
    search s = { step, -1 };
    char name[32], path[TRIB_RUN_PATH];
    trib_checkpoint *checkpoint = NULL;
    TRIB_TRY(trib_run_each_name(t->o.folder, consider, &s));
    if (s.found < 0) return trib_success(); /* from the beginning */
    snprintf(path, sizeof path, "%s/%s", t->o.folder, trib_run_checkpoint_name(s.found, name));
    TRIB_TRY(trib_checkpoint_open(path, &checkpoint));
    trib_status status = trib_train_restore(t, checkpoint);
    trib_checkpoint_close(checkpoint);
    trib_add_context(&status, "%s", path);
    return status;
}

/* ---- the step ---- */

static trib_status keep_names(trib_train *t, const trib_training_batch *batch)
{
    const size_t most = (size_t)trib_train_step_images(t);
    if (!t->replayed) t->replayed = trib_alloc_zeroed(most, sizeof *t->replayed);
    if (!t->replayed) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of %zu images", most);
    for (int i = 0; i < batch->count; ++i) {
        char **name = &t->replayed[t->replayed_count];
        *name = trib_strdup(batch->names[i]);
        if (!*name) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the names of a batch");
        ++t->replayed_count;
    }
    return trib_success();
}

static trib_status find_bad(trib_train *t, trib_train_replay *out)
{
    int index;
    TRIB_TRY(trib_train_find_bad(t, &index));
    if (index < 0) return trib_success();
    trib_trainer_tensor tensor = trib_trainer_tensor_at(t->trainer, index);
    out->bad_role = trib_tensor_role_name(tensor.role);
    out->bad_name = tensor.name;
    return trib_success();
}

static trib_status describe(trib_train *t, const trib_train_sums *sums, trib_train_replay *out)
{
    out->heads = t->training.loss_count;
    for (int head = 0; head < out->heads; ++head) {
        out->names[head] = trib_train_head_name(t, head);
        out->losses[head] = sums->losses[head] / sums->images;
    }
    out->lr = trib_lr_at(&t->o.lr, t->state.step).rate;
    out->images = t->replayed_count;
    out->files = (const char *const *)t->replayed;
    return find_bad(t, out);
}

static trib_status run_batch(trib_train *t, int part, bool wanted, trib_train_sums *sums)
{
    const trib_training_batch *batch = NULL;
    trib_train_sums own = { 0 };
    TRIB_TRY(trib_training_loader_next(t->loader, &batch));
    trib_status s = trib_train_part(t, part, batch, &own);
    if (!trib_failed(&s) && wanted) s = keep_names(t, batch);
    trib_training_loader_give_back(t->loader, batch);
    trib_train_add_sums(sums, &own);
    return s;
}

static trib_status run_step(trib_train *t, trib_train_replay *out)
{
    const bool wanted = t->state.step + 1 == out->step;
    trib_train_sums sums = { 0 };
    for (int part = 0; part < t->o.accumulate; ++part) TRIB_TRY(run_batch(t, part, wanted, &sums));
    if (wanted) TRIB_TRY(describe(t, &sums, out));
    ++t->state.step;
    return trib_success();
}

trib_status trib_train_again(trib_train *t, int64_t step, trib_train_replay *out)
{
    bool cancelled = false;
    *out = (trib_train_replay) { .step = step };
    if (t->o.boxes) TRIB_TRY(trib_train_make_windows(t, false, &cancelled));
    if (cancelled) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
    TRIB_TRY(trib_train_create_trainer(t));
    if (step < 1 || step > t->steps)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "step %" PRId64 ": the run has steps 1 to %" PRId64, step, t->steps);
    TRIB_TRY(restore(t, step));
    out->from = t->state.step;
    TRIB_TRY(trib_train_start_loader(t));
    while (t->state.step < step) {
        if (trib_train_ask(t) == TRIB_TRAIN_STOP) return TRIB_ERROR(TRIB_CANCELLED, "interrupted");
        TRIB_TRY(run_step(t, out));
    }
    return trib_success();
}

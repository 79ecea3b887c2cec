/* SPDX-License-Identifier: Apache-2.0
 * Accuracy and loss of validation images, as inference computes them: of the weights, and of their average. */
#include <math.h>
#include <string.h>

#include "train/train_private.h"
#include "tributary/internal/alloc.h"

typedef struct totals {
    double images, right, loss;
    double objects, right_objects; /* of windows */
} totals;

/* Softmax cross-entropy, without label smoothing: it is to be compared between runs. */
static double loss_of(const float *row, int classes, int label)
{
    double largest = (double)row[0], sum = 0;
    for (int k = 1; k < classes; ++k)
        if ((double)row[k] > largest) largest = (double)row[k];
    for (int k = 0; k < classes; ++k) sum += exp((double)row[k] - largest);
    return log(sum) + largest - (double)row[label];
}

/* `background`: a class, or -1. */
static void count(const trib_training_batch *batch, const float *logits, int classes, int background, totals *out)
{
    for (int i = 0; i < batch->count; ++i) {
        const float *row = logits + (size_t)i * (size_t)classes;
        int best = 0;
        if (batch->labels[i] == TRIB_NO_LABEL) continue;
        for (int k = 1; k < classes; ++k)
            if (row[k] > row[best]) best = k;
        out->images += 1;
        out->right += best == batch->labels[i];
        out->objects += batch->labels[i] != background;
        out->right_objects += batch->labels[i] != background && best == batch->labels[i];
        out->loss += loss_of(row, classes, batch->labels[i]);
    }
}

/* Each image once, however often it is met. */
static trib_status say_damaged(trib_train *t, const trib_training_loader *loader)
{
    int64_t sample;
    trib_status reason;
    if (!t->told)
        t->told = trib_alloc_zeroed((size_t)trib_training_set_count(t->set, TRIB_VALIDATION), sizeof *t->told);
    if (!t->told) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a list of images");
    for (int i = 0; trib_training_loader_damaged(loader, i, &sample, &reason); ++i) {
        if (t->told[sample]) continue;
        t->told[sample] = true;
        ++t->unmeasured;
        trib_train_say(t, "left out of the validation: %s", reason.message);
    }
    return trib_success();
}

static trib_status run_batches(trib_train *t, trib_session *session, trib_training_loader *loader, float *logits,
                               totals *out, bool *cancelled)
{
    for (;;) {
        const trib_training_batch *batch = NULL;
        TRIB_TRY(trib_training_loader_next(loader, &batch));
        if (!batch) return say_damaged(t, loader);
        TRIB_TRY(trib_session_run(session, batch->pixels, batch->count, (void *[]) { logits }));
        count(batch, logits, t->net.classes, t->o.boxes ? t->boxes.background : -1, out);
        trib_training_loader_give_back(loader, batch);
        *cancelled = trib_train_ask(t) == TRIB_TRAIN_STOP;
        if (*cancelled) return trib_success();
    }
}

static trib_status start_loader(trib_train *t, int batch, trib_training_loader **out)
{
    const trib_training_rows rows = trib_train_rows(t, TRIB_VALIDATION);
    trib_training_loader_options options = { .batch_size = batch,
                                             .workers = t->o.workers,
                                             .layout = trib_trainer_plan(t->trainer)->inputs[0].layout,
                                             .raw = t->o.raw,
                                             .device = t->device,
                                             .decode = t->o.decode,
                                             .memory_limit = t->o.loader_memory,
                                             .in_order = true };
    return trib_training_loader_create_for(&rows, &t->preprocess, &options, out);
}

static trib_status create_session(trib_train *t, bool average, int batch, trib_session **out)
{
    static const char *const outputs[] = { "logits" };
    trib_session_options options = trib_session_default_options();
    trib_train_weights weights;
    TRIB_TRY(trib_train_weights_read(t, average, &weights));
    options.plan = t->o.plan;
    options.plan.batch = 0;
    options.plan.outputs = outputs;
    options.plan.output_count = 1;
    options.plan.disabled_passes = 0;
    if (t->o.raw) {
        options.plan.normalise = &t->normalise;
        options.plan.input_layout = TRIB_NHWC;
    }
    options.max_batch = batch;
    trib_status s = trib_session_create(t->device, weights.graph, weights.tensors, &options, out);
    trib_train_weights_free(&weights);
    return s;
}

static trib_status evaluate(trib_train *t, bool average, totals *out, bool *cancelled)
{
    int64_t images = trib_train_measured(t);
    int batch = images < t->o.plan.batch ? (int)images : t->o.plan.batch;
    trib_session *session = NULL;
    trib_training_loader *loader = NULL;
    float *logits = trib_realloc_array(NULL, (size_t)batch * (size_t)t->net.classes, sizeof *logits);
    trib_status s = trib_success();
    if (!logits) s = TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the results of %d images", batch);
    if (!trib_failed(&s)) s = start_loader(t, batch, &loader);
    if (!trib_failed(&s)) s = create_session(t, average, batch, &session);
    if (!trib_failed(&s)) s = run_batches(t, session, loader, logits, out, cancelled);
    trib_session_destroy(session);
    trib_training_loader_destroy(loader);
    trib_free(logits);
    trib_add_context(&s, "evaluating after step %lld", (long long)t->state.step);
    return s;
}

/* Most windows show background: how many of those with objects are right is another question. */
static void take_kinds(trib_train *t, const totals *raw)
{
    const double background = raw->images - raw->objects;
    t->top1_objects = 100 * raw->right_objects / raw->objects;
    t->top1_background = 100 * (raw->right - raw->right_objects) / background;
    if (t->o.boxes)
        trib_train_say(t, "%.0f windows of objects: top-1 %.2f %%; %.0f of background: %.2f %%", raw->objects,
                       t->top1_objects, background, t->top1_background);
}

trib_status trib_train_evaluate(trib_train *t, bool *cancelled)
{
    totals raw = { 0 }, averaged = { 0 };
    *cancelled = false;
    if (!trib_train_measured(t)) return trib_success();
    TRIB_TRY(evaluate(t, false, &raw, cancelled));
    if (t->o.average.kind != TRIB_AVERAGE_NONE && !*cancelled) TRIB_TRY(evaluate(t, true, &averaged, cancelled));
    if (*cancelled) return trib_success();
    t->state.top1 = 100 * raw.right / raw.images;
    t->state.eval_loss = raw.loss / raw.images;
    t->state.averaged_top1 = 100 * averaged.right / averaged.images;
    t->state.averaged_loss = averaged.loss / averaged.images;
    take_kinds(t, &raw);
    return trib_success();
}

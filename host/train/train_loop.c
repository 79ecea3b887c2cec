/* SPDX-License-Identifier: Apache-2.0
 * The loop of a run: steps, what is written after them, and how it ends. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "train/train_private.h"
#include "tributary/internal/alloc.h"

enum { PLATEAU_AFTER = 200, LIMIT_SECONDS = 5, USUAL_LOG = 50 };
static const double USUAL_OBJECTS = 0.25; /* R-CNN's 32 of 128 */

void trib_train_say(trib_train *t, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (t->events.message) t->events.message(t->events.context, text);
}

trib_train_wish trib_train_ask(trib_train *t)
{
    trib_train_wish wish = t->events.wish ? t->events.wish(t->events.context) : TRIB_TRAIN_GO_ON;
    t->save_wanted |= wish == TRIB_TRAIN_SAVE;
    return wish;
}

double trib_train_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- opening ---- */

trib_status trib_train_open(trib_device *device, const trib_train_options *options, const trib_train_events *events,
                            trib_train **out)
{
    trib_train *t = trib_alloc_zeroed(1, sizeof *t);
    if (!t) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a training run");
    t->device = device;
    t->o = *options;
    if (!(t->o.objects > 0)) t->o.objects = USUAL_OBJECTS;
    if (t->o.boxes) t->o.raw = false; /* windows have the numbers of regions that are detected: not whole ones */
    if (events) t->events = *events;
    if (!t->o.log_every) t->o.log_every = USUAL_LOG;
    if (t->o.accumulate < 1) t->o.accumulate = 1;
    t->state.best = -1;
    t->saved = -1;
    t->state.top1 = t->state.averaged_top1 = t->state.eval_loss = t->state.averaged_loss = NAN;
    t->top1_objects = t->top1_background = NAN;
    trib_status s = trib_train_open_data(t);
    if (!trib_failed(&s)) s = trib_train_build_network(t);
    if (!trib_failed(&s) && t->o.boxes) s = trib_train_choose_context(t);
    if (trib_failed(&s))
        trib_train_close(t);
    else
        *out = t;
    return s;
}

void trib_train_close(trib_train *t)
{
    if (!t) return;
    trib_training_loader_destroy(t->loader);
    trib_trainer_destroy(t->trainer);
    for (int head = 0; head < TRIB_TRAIN_HEADS; ++head) {
        trib_free(t->logits[head]);
        trib_free(t->head_losses[head]);
    }
    trib_free(t->outputs);
    trib_free(t->names);
    trib_free(t->told);
    for (int i = 0; i < t->replayed_count; ++i) trib_free(t->replayed[i]);
    trib_free(t->replayed);
    trib_run_folder_close(t->folder);
    trib_free(t->frozen);
    trib_free(t->parameters);
    if (t->fresh_values) trib_parameters_free(t->fresh_values);
    trib_graph_destroy(t->graph);
    trib_free(t->init_labels);
    trib_names_free(&t->class_names);
    trib_train_close_boxes(t);
    trib_training_set_close(t->set);
    trib_model_destroy(t->init);
    trib_free(t);
}

const trib_network_spec *trib_train_network(const trib_train *t) { return &t->net; }
trib_preprocess *trib_train_preprocess(trib_train *t) { return &t->preprocess; }

/* ---- tables ---- */

enum { FIRST_AUX_COLUMN = 3, WINDOW_COLUMNS = 2, MOST_COLUMNS = FIRST_AUX_COLUMN + TRIB_TRAIN_HEADS + WINDOW_COLUMNS };

/* Those after timm's; returns their number. */
static int name_columns(const trib_train *t, const char *names[MOST_COLUMNS])
{
    static const char *const all[] = { "train_top1", "eval_loss_averaged", "eval_top1_averaged", "train_loss_aux1",
                                       "train_loss_aux2" };
    int count = FIRST_AUX_COLUMN + t->training.loss_count - 1;
    memcpy(names, all, (size_t)count * sizeof *names);
    if (!t->o.boxes) return count;
    names[count++] = "eval_top1_objects";
    names[count++] = "eval_top1_background";
    return count;
}

static double mean(double sum, double count) { return count > 0 ? sum / count : NAN; }

static trib_status add_epoch_row(trib_train *t, int64_t epoch)
{
    const trib_train_sums *sums = &t->state.ended;
    double more[MOST_COLUMNS] = { 100 * mean(sums->right, sums->images), t->state.averaged_loss,
                                  t->state.averaged_top1 };
    int count = FIRST_AUX_COLUMN;
    for (int head = 1; head < t->training.loss_count; ++head) more[count++] = mean(sums->losses[head], sums->images);
    more[count++] = t->top1_objects;
    more[count] = t->top1_background;
    trib_run_epoch row = { .epoch = epoch,
                           .step = t->state.step,
                           .train_loss = mean(sums->losses[0], sums->images),
                           .eval_loss = t->state.eval_loss,
                           .eval_top1 = t->state.top1,
                           .lr = trib_lr_at(&t->o.lr, t->state.step - 1).rate,
                           .more = more };
    TRIB_TRY(trib_run_folder_add_epoch(t->folder, &row));
    return trib_run_folder_draw(t->folder);
}

static trib_status log_step(trib_train *t, const trib_train_sums *sums, int64_t epoch)
{
    static const char *const names[] = { "loss", "loss_aux1", "loss_aux2" };
    trib_lr_step lr = trib_lr_at(&t->o.lr, t->state.step - 1);
    trib_run_number numbers[TRIB_TRAIN_HEADS + 7] = { { "epoch", (double)epoch } };
    int count = 1;
    if (t->state.step % t->o.log_every != 0 && t->state.step != 1) return trib_success();
    for (int head = 0; head < t->training.loss_count; ++head)
        numbers[count++] = (trib_run_number) { names[head], mean(sums->losses[head], sums->images) };
    numbers[count++] = (trib_run_number) { "top1", 100 * mean(sums->right, sums->images) };
    numbers[count++] = (trib_run_number) { "lr", lr.rate };
    numbers[count++] = (trib_run_number) { "momentum", lr.momentum };
    if (t->o.adapt_loss_scale) {
        trib_loss_scale scale;
        TRIB_TRY(trib_trainer_read_loss_scale(t->trainer, &scale));
        numbers[count++] = (trib_run_number) { "loss_scale", (double)scale.scale };
        numbers[count++] = (trib_run_number) { "skipped_steps", (double)scale.skipped_steps };
    }
    numbers[count++] = (trib_run_number) { "images_per_second", trib_pace_images_per_second(&t->pace) };
    return trib_run_folder_add_step(t->folder, t->state.step, numbers, count);
}

/* ---- what is said ---- */

/* The first thousand are listed. */
static void say_damaged(trib_train *t)
{
    int64_t sample;
    trib_status reason;
    while (trib_training_loader_damaged(t->loader, (int)t->listed, &sample, &reason)) {
        trib_train_say(t, "skipped: %s", reason.message);
        ++t->listed;
    }
}

static void say_plateau(trib_train *t, const trib_train_sums *sums)
{
    double losses[TRIB_TRAIN_HEADS];
    char text[TRIB_REPORT_LINE];
    for (int head = 0; head < t->training.loss_count; ++head) losses[head] = mean(sums->losses[head], sums->images);
    unsigned heads = trib_plateau_add(&t->plateau, t->state.step, losses);
    for (int head = 0; head < t->training.loss_count; ++head)
        if (heads >> head & 1u)
            trib_train_say(t, "warning: %s",
                           trib_plateau_warning(&t->plateau, t->state.step, trib_train_head_name(t, head), text));
}

/* What limits the speed, anew every few seconds. */
static void find_limit(trib_train *t, double now)
{
    trib_training_loader_stats stats = trib_training_loader_get_stats(t->loader);
    double seconds = now - t->limit_began;
    if (seconds < LIMIT_SECONDS) return;
    t->limit =
        trib_limit_of(seconds, stats.wait_seconds - t->before.wait_seconds, stats.read_seconds - t->before.read_seconds,
                      stats.decode_seconds - t->before.decode_seconds);
    t->before = stats;
    t->limit_began = now;
}

static void report_progress(trib_train *t, const trib_train_sums *sums, int64_t epoch)
{
    const int64_t each = trib_train_step_images(t), first = epoch * t->images / each;
    int64_t last = ((epoch + 1) * t->images + each - 1) / each;
    double now = trib_train_clock(), aux[TRIB_TRAIN_HEADS];
    trib_pace_add(&t->pace, now, t->state.step * each);
    find_limit(t, now);
    if (!t->events.progress) return;
    for (int head = 1; head < t->training.loss_count; ++head) aux[head - 1] = mean(sums->losses[head], sums->images);
    if (last > t->steps) last = t->steps;
    trib_progress_report report = { .epoch = epoch + 1,
                                    .epochs = t->o.max_steps ? 0 : t->o.epochs,
                                    .step = t->o.max_steps ? t->state.step : t->state.step - first,
                                    .steps = t->o.max_steps ? t->steps : last - first,
                                    .loss = mean(sums->losses[0], sums->images),
                                    .aux = aux,
                                    .aux_count = t->training.loss_count - 1,
                                    .top1 = 100 * mean(sums->right, sums->images),
                                    .images_per_second = trib_pace_images_per_second(&t->pace),
                                    .seconds_left = trib_pace_seconds_for(&t->pace, t->steps - t->state.step),
                                    .limit = t->limit };
    t->events.progress(t->events.context, &report);
}

static void report_epoch(trib_train *t, int64_t epoch, bool best)
{
    trib_epoch_report report = { .epoch = epoch + 1,
                                 .epochs = t->o.max_steps ? 0 : t->o.epochs,
                                 .train_loss = mean(t->state.ended.losses[0], t->state.ended.images),
                                 .eval_loss = t->state.eval_loss,
                                 .top1 = t->state.top1,
                                 .averaged_top1 = t->state.averaged_top1,
                                 .lr = trib_lr_at(&t->o.lr, t->state.step - 1).rate,
                                 .seconds = trib_train_clock() - t->epoch_began,
                                 .best = best };
    if (t->events.epoch) t->events.epoch(t->events.context, &report);
    t->epoch_began = trib_train_clock();
}

/* ---- steps and epochs ---- */

/* What limits steps is asked of the time that they take. */
static trib_status save(trib_train *t, bool best)
{
    double begin = trib_train_clock();
    trib_status s = trib_train_save(t, best);
    t->limit_began += trib_train_clock() - begin;
    return s;
}

static trib_status evaluate(trib_train *t, bool *stop)
{
    double begin = trib_train_clock();
    trib_status s = trib_train_evaluate(t, stop);
    t->limit_began += trib_train_clock() - begin;
    return s;
}

/* Evaluates, and saves with the result. Evaluating may take long, needs more memory, and reads other files: what was
 * trained is saved before, and an evaluation that did not end is made again when the run is resumed. */
static trib_status end_epoch(trib_train *t, bool *stop)
{
    int64_t epoch = (t->state.step - 1) * trib_train_step_images(t) / t->images; /* of the step's first sample */
    if (trib_train_measured(t) && t->saved != t->state.step) TRIB_TRY(save(t, false));
    TRIB_TRY(evaluate(t, stop));
    if (*stop) return trib_success();
    double top1 = t->state.averaged_top1 > t->state.top1 ? t->state.averaged_top1 : t->state.top1;
    bool best = top1 > t->state.best;
    if (best) t->state.best = top1;
    TRIB_TRY(add_epoch_row(t, epoch));
    t->state.pending = false;
    TRIB_TRY(save(t, best));
    report_epoch(t, epoch, best);
    return trib_success();
}

/* The end of a run may lie inside an epoch, which a longer run then goes on with. */
static void note_end(trib_train *t, bool whole)
{
    t->state.pending = true;
    t->state.ended = t->state.sums;
    if (whole) t->state.sums = (trib_train_sums) { 0 };
}

/* What a step took and gave. */
typedef struct taken {
    trib_train_sums sums;
    int64_t epoch;   /* of its first sample */
    bool ends_epoch; /* the last sample of an epoch is in it */
} taken;

static trib_status one_batch(trib_train *t, int part, taken *out)
{
    const trib_training_batch *batch = NULL;
    trib_train_sums sums;
    TRIB_TRY(trib_training_loader_next(t->loader, &batch));
    say_damaged(t);
    if (part == 0) out->epoch = batch->epoch;
    out->ends_epoch |= batch->ends_epoch;
    trib_status s = trib_train_part(t, part, batch, &sums);
    if (!trib_failed(&s)) s = trib_train_check(t, &sums);
    trib_training_loader_give_back(t->loader, batch);
    if (!trib_failed(&s)) trib_train_add_sums(&out->sums, &sums);
    return s;
}

static trib_status one_step(trib_train *t, bool *ends_epoch)
{
    taken step = { 0 };
    for (int part = 0; part < t->o.accumulate; ++part) TRIB_TRY(one_batch(t, part, &step));
    ++t->state.step;
    *ends_epoch = step.ends_epoch || t->state.step == t->steps;
    trib_train_add_sums(&t->state.sums, &step.sums);
    say_plateau(t, &step.sums);
    report_progress(t, &step.sums, step.epoch);
    if (*ends_epoch) note_end(t, step.ends_epoch);
    return log_step(t, &step.sums, step.epoch);
}

static bool is_due(const trib_train *t)
{
    return t->save_wanted || (t->o.checkpoint_every && t->state.step % t->o.checkpoint_every == 0);
}

static trib_status train(trib_train *t, bool *stop)
{
    *stop = false;
    if (t->state.pending) TRIB_TRY(end_epoch(t, stop));
    while (t->state.step < t->steps && !*stop) {
        bool ends_epoch;
        TRIB_TRY(one_step(t, &ends_epoch));
        *stop = trib_train_ask(t) == TRIB_TRAIN_STOP;
        if (ends_epoch && !*stop)
            TRIB_TRY(end_epoch(t, stop));
        else if (*stop || is_due(t))
            TRIB_TRY(save(t, false));
        if (t->saved == t->state.step) t->save_wanted = false;
    }
    return trib_success();
}

static trib_status begin(trib_train *t, bool *stop)
{
    const char *columns[MOST_COLUMNS];
    trib_run_options options = { .resume = t->o.resume, .keep = t->o.keep };
    TRIB_TRY(trib_run_folder_open(t->o.folder, &options, &t->folder));
    if (t->o.boxes) TRIB_TRY(trib_train_make_windows(t, true, stop));
    if (*stop) return trib_success();
    TRIB_TRY(trib_train_create_trainer(t));
    TRIB_TRY(trib_train_open_folder(t));
    TRIB_TRY(trib_run_folder_begin(t->folder, t->state.step, columns, name_columns(t, columns)));
    if (t->state.step < t->steps) TRIB_TRY(trib_train_start_loader(t));
    t->plateau = trib_plateau_begin(t->net.classes, t->training.loss_count, PLATEAU_AFTER);
    t->epoch_began = t->limit_began = trib_train_clock();
    trib_pace_add(&t->pace, t->epoch_began, t->state.step * trib_train_step_images(t));
    return trib_success();
}

trib_status trib_train_run(trib_train *t, trib_train_result *result)
{
    bool stop = false;
    trib_status s = begin(t, &stop);
    bool unprepared = stop;
    if (!trib_failed(&s) && !stop) s = train(t, &stop);
    if (!trib_failed(&s) && !stop) s = trib_train_write_model(t);
    *result = (trib_train_result) { .stopped = stop,
                                    .unprepared = unprepared,
                                    .step = t->state.step,
                                    .saved = t->saved,
                                    .bad_step = t->bad_step,
                                    .damaged = t->boxes.damaged +
                                               (t->loader ? trib_training_loader_get_stats(t->loader).damaged : 0),
                                    .unmeasured = t->unmeasured,
                                    .top1 = t->state.top1,
                                    .averaged_top1 = t->state.averaged_top1 };
    return s;
}

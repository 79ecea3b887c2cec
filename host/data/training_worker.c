/* SPDX-License-Identifier: Apache-2.0
 * A training loader's worker: takes the next row, and fills it with what belongs there or, if that cannot be read,
 * with something else. */
#include <errno.h>
#include <string.h>

#include "data/input.h"
#include "data/training_state.h"
#include "tributary/internal/alloc.h"

/* A row in the making. */
typedef struct row_task {
    trib_training_buffer *buffer;
    int row;
    int64_t position;
    double read_seconds, decode_seconds;
} row_task;

/* ---- rows ---- */

static trib_training_buffer *start_batch(trib_training_loader *loader)
{
    trib_training_buffer *buffer = trib_training_buffer_of(loader, loader->making);
    int64_t position = trib_training_position_of(loader, loader->making), left = loader->options.end - position;
    int count = left < loader->options.batch_size ? (int)left : loader->options.batch_size;
    buffer->state = MAKING_STARTED;
    buffer->taken = buffer->done = 0;
    buffer->problem_count = 0;
    buffer->failure = trib_success();
    buffer->batch = (trib_training_batch) { .count = count,
                                            .position = position,
                                            .step = position / loader->options.batch_size,
                                            .epoch = position / loader->rows.count,
                                            .ends_epoch = position % loader->rows.count + count >= loader->rows.count,
                                            .pixels = buffer->pixels,
                                            .dtype = loader->base.loading.dtype,
                                            .labels = buffer->labels,
                                            .samples = buffer->samples,
                                            .names = buffer->names };
    return buffer;
}

/* The buffer of the batch may still hold an earlier one that the caller has not taken or given back. */
static bool can_take(trib_training_loader *loader)
{
    const trib_training_buffer *buffer = trib_training_buffer_of(loader, loader->making);
    int64_t position = trib_training_position_of(loader, loader->making);
    if (position >= loader->options.end) return false;
    return buffer->state == MAKING_FREE || (buffer->state == MAKING_STARTED && buffer->batch.position == position);
}

/* False: the loader stops. */
static bool take_row(trib_training_loader *loader, row_task *task)
{
    pthread_mutex_lock(&loader->base.lock);
    while (!loader->base.stop && !can_take(loader)) pthread_cond_wait(&loader->base.space, &loader->base.lock);
    bool taken = !loader->base.stop;
    if (taken) {
        trib_training_buffer *buffer = trib_training_buffer_of(loader, loader->making);
        if (buffer->state == MAKING_FREE) buffer = start_batch(loader);
        *task =
            (row_task) { .buffer = buffer, .row = buffer->taken, .position = buffer->batch.position + buffer->taken };
        if (++buffer->taken == buffer->batch.count) {
            ++loader->making;
            pthread_cond_broadcast(&loader->base.space);
        }
    }
    pthread_mutex_unlock(&loader->base.lock);
    return taken;
}

/* ---- what is in a row ---- */

static trib_status load_row(trib_training_loader *loader, row_task *task, const trib_row_choice *choice)
{
    const trib_training_rows *rows = &loader->rows;
    trib_loading *loading = &loader->base.loading;
    const char *name = trib_training_set_name(rows->set, rows->part, choice->image);
    unsigned char *row = task->buffer->pixels + (size_t)task->row * loading->row_bytes;
    trib_item item = { .label = TRIB_NO_LABEL };
    trib_status s = trib_success();
    double begin = trib_seconds(), read = begin;
    if (!rows->recall || !rows->recall(rows, loading, choice, row, &s)) {
        s = trib_training_set_load(rows->set, rows->part, choice->image, loading, &item);
        if (!trib_failed(&s)) s = trib_load_read(loading, &item);
        read = trib_seconds();
        if (!trib_failed(&s)) s = rows->load(rows, loading, &item, name, choice, row);
    }
    task->read_seconds += read - begin;
    task->decode_seconds += trib_seconds() - read;
    trib_item_release(&item);
    return trib_outcome(&s);
}

/* Not the image's fault: another one would not do better. */
static bool is_fatal(const trib_status *s)
{
    return s->code == TRIB_OUT_OF_MEMORY || s->code == TRIB_CANCELLED || s->code == TRIB_INTERNAL ||
           (s->code == TRIB_IO_ERROR && (s->vendor_code == EMFILE || s->vendor_code == ENFILE));
}

static trib_status add_problem(trib_training_loader *loader, const row_task *task, int attempt, int64_t image,
                               const trib_status *reason)
{
    trib_training_buffer *b = task->buffer;
    trib_status s = trib_success();
    pthread_mutex_lock(&loader->base.lock);
    if (trib_grow((void **)&b->problems, &b->problem_capacity, b->problem_count + 1, sizeof *b->problems))
        s = trib_no_memory("the list of damaged images");
    else
        b->problems[b->problem_count++] = (trib_row_problem) { task->row, attempt, image, *reason };
    pthread_mutex_unlock(&loader->base.lock);
    return s;
}

static void describe_row(trib_training_loader *loader, const row_task *task, const trib_row_choice *choice, bool good)
{
    trib_training_buffer *b = task->buffer;
    b->samples[task->row] = choice->image;
    b->labels[task->row] = good ? choice->label : TRIB_NO_LABEL;
    b->names[task->row] = trib_training_set_name(loader->rows.set, loader->rows.part, choice->image);
}

static trib_status none_can_be_read(const trib_status *last)
{
    trib_status s = *last;
    trib_add_context(&s, "%d images in a row cannot be read (are the data still there?); the last one",
                     TRIB_TRAINING_TRIES);
    return s;
}

static trib_status fill_row(trib_training_loader *loader, row_task *task)
{
    trib_row_place place = { .seed = loader->options.seed,
                             .position = task->position,
                             .in_order = loader->options.in_order };
    int tries = place.in_order ? 1 : TRIB_TRAINING_TRIES;
    trib_status s = trib_success();
    for (; place.attempt < tries; ++place.attempt) {
        const trib_row_choice choice = loader->rows.choose(&loader->rows, &place);
        s = load_row(loader, task, &choice);
        bool good = !trib_failed(&s);
        if (good || place.in_order) describe_row(loader, task, &choice, good);
        if (good || is_fatal(&s)) return s;
        TRIB_TRY(add_problem(loader, task, place.attempt, choice.image, &s));
    }
    if (!loader->options.in_order) return none_can_be_read(&s);
    memset(task->buffer->pixels + (size_t)task->row * loader->base.loading.row_bytes, 0,
           loader->base.loading.row_bytes);
    return trib_success();
}

static void finish_row(trib_training_loader *loader, const row_task *task, const trib_status *s)
{
    trib_training_buffer *buffer = task->buffer;
    pthread_mutex_lock(&loader->base.lock);
    loader->stats.read_seconds += task->read_seconds;
    loader->stats.decode_seconds += task->decode_seconds;
    loader->stats.decoded += !trib_failed(s) && buffer->labels[task->row] != TRIB_NO_LABEL;
    if (trib_failed(s) && !trib_failed(&buffer->failure)) buffer->failure = *s;
    if (++buffer->done == buffer->batch.count) pthread_cond_broadcast(&loader->base.ready);
    pthread_mutex_unlock(&loader->base.lock);
}

void *trib_training_worker(void *argument)
{
    trib_training_loader *loader = argument;
    row_task task;
    while (take_row(loader, &task)) {
        trib_status s = fill_row(loader, &task);
        finish_row(loader, &task, &s);
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0
 * A stream: one worker thread that takes items from a queue, in order. */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "cpu/libraries/onednn.h"
#include "cpu/memory.h"
#include "cpu/ops/op.h"
#include "cpu/streams/capture.h"
#include "device/capture_rules.h"
#include "tributary/internal/alloc.h"
#include "tributary/internal/fault.h"

void trib_cpu_list_append(trib_cpu_list *list, trib_cpu_item *item)
{
    item->next = NULL;
    if (list->last)
        list->last->next = item;
    else
        list->first = item;
    list->last = item;
}

trib_cpu_item *trib_cpu_item_take(trib_cpu_stream *stream, trib_cpu_work work)
{
    pthread_mutex_lock(&stream->lock);
    trib_cpu_item *item = stream->spare;
    if (item) stream->spare = item->next;
    pthread_mutex_unlock(&stream->lock);
    if (!item) item = trib_alloc(sizeof *item);
    if (item) *item = (trib_cpu_item) { .work = work };
    return item;
}

void trib_cpu_item_release(trib_cpu_item *item)
{
    if (trib_cpu_item_op(item)) trib_cpu_op_release(trib_cpu_item_op(item));
    if (trib_cpu_has_record(item->work)) trib_cpu_record_release(item->event.record);
}

void trib_cpu_item_copy(trib_cpu_item *target, const trib_cpu_item *source)
{
    *target = *source;
    target->next = NULL;
    if (trib_cpu_item_op(target)) trib_cpu_op_retain(trib_cpu_item_op(target));
    if (trib_cpu_has_record(target->work)) trib_cpu_record_retain(target->event.record);
}

void trib_cpu_items_drop(trib_cpu_stream *stream, trib_cpu_list *list)
{
    if (!list->first) return;
    for (trib_cpu_item *item = list->first; item; item = item->next) trib_cpu_item_release(item);
    pthread_mutex_lock(&stream->lock);
    list->last->next = stream->spare;
    stream->spare = list->first;
    pthread_mutex_unlock(&stream->lock);
    *list = (trib_cpu_list) { 0 };
}

void trib_cpu_enqueue(trib_cpu_stream *stream, trib_cpu_list *list)
{
    if (!list->first) return;
    pthread_mutex_lock(&stream->lock);
    if (stream->queue.last)
        stream->queue.last->next = list->first;
    else
        stream->queue.first = list->first;
    stream->queue.last = list->last;
    stream->busy = true;
    pthread_cond_signal(&stream->arrived);
    pthread_mutex_unlock(&stream->lock);
    *list = (trib_cpu_list) { 0 };
}

trib_status trib_cpu_submit(trib_cpu_stream *stream, trib_cpu_item *item)
{
    if (atomic_load(&stream->capture)) return trib_cpu_capture_add(stream, item);
    trib_cpu_list one = { 0 };
    trib_cpu_list_append(&one, item);
    trib_cpu_enqueue(stream, &one);
    return trib_success();
}

/* ---- the worker ---- */

/* The op's cores are OpenMP's, or those of the stream's own team, whose threads use OpenMP alone each. */
static trib_status provide_threads(trib_cpu_stream *stream, const trib_cpu_op *op)
{
    int cores = trib_cpu_op_cores(op), omp_threads = trib_cpu_op_in_chunks(op) ? 1 : cores;
    if (omp_threads != stream->omp_threads) trib_cpu_omp_set_threads(stream->omp_threads = omp_threads);
    if (cores == omp_threads || stream->self.team) return trib_success();
    return trib_cpu_team_create(stream->name, stream->threads - 1, trib_cpu_of(stream->base.device)->onednn,
                                &stream->self.team);
}

static trib_status run_op(trib_cpu_stream *stream, trib_cpu_item *item)
{
    const trib_cpu_observed *seen = &item->run.observed;
    if (seen->run) seen->run->observer->begin(seen->run, seen->op);
    trib_status status = trib_cpu_op_execute(item, &stream->self);
    if (seen->run) seen->run->observer->end(seen->run, seen->op);
    return trib_outcome(&status);
}

static trib_status compute(trib_cpu_stream *stream, trib_cpu_item *item)
{
    trib_cpu_tokens *tokens = &trib_cpu_of(stream->base.device)->tokens;
    const trib_cpu_op *op = trib_cpu_item_op(item);
    int cores = op ? trib_cpu_op_cores(op) : 1;
    trib_status status = trib_success();
    if (op) TRIB_TRY(provide_threads(stream, op));
    trib_cpu_tokens_acquire(tokens, cores);
    switch (item->work) {
    case TRIB_CPU_COPY: memmove(item->copy.target, item->copy.source, item->copy.bytes); break;
    case TRIB_CPU_ZERO: memset(item->copy.target, 0, item->copy.bytes); break;
    case TRIB_CPU_OP: status = run_op(stream, item); break;
    default: status = trib_cpu_op_execute(item, &stream->self);
    }
    trib_cpu_tokens_release(tokens, cores);
    return trib_outcome(&status);
}

/* After a failure, later work would compute on garbage, so it is skipped until the failure has been reported. Memory is
 * still freed and events are still reached, so that nothing leaks or waits for ever. */
static trib_status work_on(trib_cpu_stream *stream, trib_cpu_item *item)
{
    switch (item->work) {
    case TRIB_CPU_FREE: trib_cpu_free_now(trib_cpu_of(stream->base.device), item->memory); break;
    case TRIB_CPU_RECORD: trib_cpu_record_reach(item->event.record, item->event.epoch, &stream->failure); break;
    case TRIB_CPU_WAIT: return trib_cpu_record_wait(item->event.record, item->event.epoch);
    case TRIB_CPU_FOLLOW: trib_cpu_record_wait(item->event.record, item->event.epoch); break;
    case TRIB_CPU_FORGIVE: stream->failure = trib_success(); break;
    default:
        if (!trib_failed(&stream->failure)) return compute(stream, item);
    }
    return trib_success();
}

static void execute(trib_cpu_stream *stream, trib_cpu_item *item)
{
    trib_status status = work_on(stream, item);
    if (trib_failed(&status) && !trib_failed(&stream->failure)) stream->failure = status;
}

static void *worker(void *argument)
{
    trib_cpu_stream *stream = argument;
    prctl(PR_SET_NAME, stream->name, 0, 0, 0);
    pthread_mutex_lock(&stream->lock);
    for (;;) {
        while (!stream->queue.first && !stream->stopping) pthread_cond_wait(&stream->arrived, &stream->lock);
        trib_cpu_item *item = stream->queue.first;
        if (!item) break;
        stream->queue.first = item->next;
        if (!item->next) stream->queue.last = NULL;
        pthread_mutex_unlock(&stream->lock);
        execute(stream, item);
        trib_cpu_item_release(item);
        pthread_mutex_lock(&stream->lock);
        item->next = stream->spare;
        stream->spare = item;
        if (!stream->queue.first) {
            stream->busy = false;
            pthread_cond_broadcast(&stream->drained);
        }
    }
    pthread_mutex_unlock(&stream->lock);
    return NULL;
}

/* ---- creating and finishing ---- */

static void dispose(trib_cpu_stream *stream)
{
    while (stream->spare) {
        trib_cpu_item *next = stream->spare->next;
        trib_free(stream->spare);
        stream->spare = next;
    }
    trib_cpu_team_destroy(stream->self.team);
    trib_onednn_stream_destroy(stream->self.dnnl);
    pthread_cond_destroy(&stream->drained);
    pthread_cond_destroy(&stream->arrived);
    pthread_mutex_destroy(&stream->lock);
    trib_free(stream);
}

trib_status trib_cpu_stream_create(trib_device *device, const trib_stream_options *options, trib_stream **out)
{
    trib_cpu_stream *stream = trib_alloc_zeroed(1, sizeof *stream);
    if (!stream) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "stream: out of memory");
    int threads = options ? options->threads : 0;
    stream->base.device = device;
    stream->observed = trib_cpu_unobserved;
    stream->threads = threads > 0 && threads < device->info.cores ? threads : device->info.cores;
    snprintf(stream->name, sizeof stream->name, "%s", options && options->name ? options->name : "tributary");
    pthread_mutex_init(&stream->lock, NULL);
    pthread_cond_init(&stream->arrived, NULL);
    pthread_cond_init(&stream->drained, NULL);
    trib_status status = trib_onednn_stream_create(trib_cpu_of(device)->onednn, &stream->self.dnnl);
    if (trib_failed(&status)) goto failed;
    int error = trib_fault("pthread_create") ? 11 : pthread_create(&stream->thread, NULL, worker, stream);
    if (error) {
        status = TRIB_VENDOR_ERROR(TRIB_OUT_OF_MEMORY, error, "pthread_create",
                                   "stream: the system gives no further thread: %s; use fewer streams or lanes",
                                   strerror(error));
        goto failed;
    }
    *out = &stream->base;
    return status;
failed:
    dispose(stream);
    return status;
}

void trib_cpu_stream_drain(trib_cpu_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    while (stream->busy) pthread_cond_wait(&stream->drained, &stream->lock);
    pthread_mutex_unlock(&stream->lock);
}

void trib_cpu_stream_destroy(trib_stream *base)
{
    trib_cpu_stream *stream = (trib_cpu_stream *)base;
    trib_cpu_capture_abandon(stream);
    pthread_mutex_lock(&stream->lock);
    stream->stopping = true;
    pthread_cond_signal(&stream->arrived);
    pthread_mutex_unlock(&stream->lock);
    pthread_join(stream->thread, NULL);
    dispose(stream);
}

trib_status trib_cpu_stream_synchronize(trib_stream *base)
{
    trib_cpu_stream *stream = (trib_cpu_stream *)base;
    if (atomic_load(&stream->capture)) return trib_refuse_captured_synchronize(stream->name);
    pthread_mutex_lock(&stream->lock);
    while (stream->busy) pthread_cond_wait(&stream->drained, &stream->lock);
    trib_status failure = stream->failure;
    stream->failure = trib_success();
    pthread_mutex_unlock(&stream->lock);
    return trib_outcome(&failure);
}

/* ---- copies ---- */

trib_status trib_cpu_copy(trib_stream *base, void *target, const void *source, size_t bytes)
{
    trib_cpu_stream *stream = (trib_cpu_stream *)base;
    trib_cpu_item *item = trib_cpu_item_take(stream, source ? TRIB_CPU_COPY : TRIB_CPU_ZERO);
    if (!item) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "copy: out of memory");
    item->copy.target = target;
    item->copy.source = source;
    item->copy.bytes = bytes;
    return trib_cpu_submit(stream, item);
}

trib_status trib_cpu_fill_zero(trib_stream *stream, void *target, size_t bytes)
{
    return trib_cpu_copy(stream, target, NULL, bytes);
}

/* SPDX-License-Identifier: Apache-2.0
 * Events: points that a stream has reached, and when. */
#include <time.h>

#include "cpu/streams/capture.h"
#include "cpu/streams/event.h"
#include "device/capture_rules.h"
#include "tributary/internal/alloc.h"

typedef struct trib_cpu_event {
    trib_event base;
    pthread_mutex_t lock;
    trib_cpu_record *latest; /* NULL: never recorded */
    uint64_t epoch;          /* of `latest` that the latest recording reaches */
} trib_cpu_event;

/* ---- records ---- */

trib_cpu_record *trib_cpu_record_create(void)
{
    trib_cpu_record *record = trib_alloc_zeroed(1, sizeof *record);
    if (!record) return NULL;
    atomic_init(&record->references, 1);
    pthread_mutex_init(&record->lock, NULL);
    pthread_cond_init(&record->changed, NULL);
    return record;
}

void trib_cpu_record_retain(trib_cpu_record *record) { atomic_fetch_add(&record->references, 1); }

void trib_cpu_record_release(trib_cpu_record *record)
{
    if (!record || atomic_fetch_sub(&record->references, 1) > 1) return;
    pthread_cond_destroy(&record->changed);
    pthread_mutex_destroy(&record->lock);
    trib_free(record->clock);
    trib_free(record);
}

void trib_cpu_record_reach(trib_cpu_record *record, uint64_t epoch, const trib_status *failure)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    pthread_mutex_lock(&record->lock);
    record->epoch = epoch;
    record->nanoseconds = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (trib_failed(failure))
        record->status = *failure;
    else
        record->status = trib_success();
    pthread_cond_broadcast(&record->changed);
    pthread_mutex_unlock(&record->lock);
}

trib_status trib_cpu_record_wait(trib_cpu_record *record, uint64_t epoch)
{
    pthread_mutex_lock(&record->lock);
    while (record->epoch < epoch) pthread_cond_wait(&record->changed, &record->lock);
    trib_status status = trib_outcome(&record->status);
    pthread_mutex_unlock(&record->lock);
    return trib_outcome(&status);
}

/* ---- events ---- */

trib_status trib_cpu_event_create(trib_device *device, trib_event **out)
{
    trib_cpu_event *event = trib_alloc_zeroed(1, sizeof *event);
    if (!event) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "event: out of memory");
    event->base.device = device;
    pthread_mutex_init(&event->lock, NULL);
    *out = &event->base;
    return trib_success();
}

void trib_cpu_event_destroy(trib_event *base)
{
    trib_cpu_event *event = (trib_cpu_event *)base;
    trib_cpu_record_release(event->latest);
    pthread_mutex_destroy(&event->lock);
    trib_free(event);
}

/* The record that the next recording reaches: the present one if it is not shared, otherwise a new one. */
static trib_cpu_record *next_record(trib_cpu_event *event, uint64_t *epoch)
{
    trib_cpu_record *latest = event->latest;
    if (latest && !latest->capture_id && atomic_load(&latest->references) == 1) {
        trib_cpu_record_retain(latest);
        *epoch = event->epoch + 1;
        return latest;
    }
    *epoch = 1;
    return trib_cpu_record_create();
}

static trib_status record_locked(trib_cpu_event *event, trib_cpu_stream *stream)
{
    uint64_t epoch;
    bool capturing = atomic_load(&stream->capture) != NULL;
    trib_cpu_record *record = capturing ? trib_cpu_record_create() : next_record(event, &epoch);
    trib_cpu_item *item = record ? trib_cpu_item_take(stream, TRIB_CPU_RECORD) : NULL;
    if (!item) {
        trib_cpu_record_release(record);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "event record: out of memory");
    }
    item->event.record = record; /* with the reference just made */
    item->event.epoch = capturing ? 0 : epoch;
    trib_cpu_record_retain(record);
    trib_status status = capturing ? trib_cpu_capture_stamp(stream, record) : trib_success();
    if (trib_failed(&status)) {
        trib_cpu_list one = { 0 };
        trib_cpu_list_append(&one, item);
        trib_cpu_items_drop(stream, &one);
    } else {
        status = trib_cpu_submit(stream, item);
    }
    if (trib_failed(&status)) {
        trib_cpu_record_release(record);
        return status;
    }
    trib_cpu_record_release(event->latest);
    event->latest = record;
    event->epoch = capturing ? 0 : epoch;
    return trib_outcome(&status);
}

trib_status trib_cpu_event_record(trib_event *base, trib_stream *stream)
{
    trib_cpu_event *event = (trib_cpu_event *)base;
    pthread_mutex_lock(&event->lock);
    trib_status status = record_locked(event, (trib_cpu_stream *)stream);
    pthread_mutex_unlock(&event->lock);
    return trib_outcome(&status);
}

/* The latest record with a reference for the caller, or NULL. */
static trib_cpu_record *latest_of(trib_event *base, uint64_t *epoch)
{
    trib_cpu_event *event = (trib_cpu_event *)base;
    pthread_mutex_lock(&event->lock);
    trib_cpu_record *record = event->latest;
    *epoch = event->epoch;
    if (record) trib_cpu_record_retain(record);
    pthread_mutex_unlock(&event->lock);
    return record;
}

trib_status trib_cpu_stream_wait(trib_stream *base, trib_event *event)
{
    trib_cpu_stream *stream = (trib_cpu_stream *)base;
    uint64_t epoch;
    trib_cpu_record *record = latest_of(event, &epoch);
    if (!record) return trib_success();
    trib_status status = trib_success();
    if (record->capture_id || atomic_load(&stream->capture)) {
        status = trib_cpu_capture_wait(stream, record);
        trib_cpu_record_release(record);
        return status;
    }
    trib_cpu_item *item = trib_cpu_item_take(stream, TRIB_CPU_WAIT);
    if (!item) {
        trib_cpu_record_release(record);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "stream wait: out of memory");
    }
    item->event.record = record;
    item->event.epoch = epoch;
    return trib_cpu_submit(stream, item);
}

static trib_status not_captured(const trib_cpu_record *record)
{
    return record && record->capture_id ? trib_refuse_captured_event() : trib_success();
}

trib_status trib_cpu_event_synchronize(trib_event *event)
{
    uint64_t epoch;
    trib_cpu_record *record = latest_of(event, &epoch);
    trib_status status = not_captured(record);
    if (record && !trib_failed(&status)) status = trib_cpu_record_wait(record, epoch);
    trib_cpu_record_release(record);
    return trib_outcome(&status);
}

static trib_status time_of(trib_event *event, const char *which, int64_t *nanoseconds)
{
    uint64_t epoch;
    trib_cpu_record *record = latest_of(event, &epoch);
    if (!record)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "event: the %s event was never recorded; record it first", which);
    trib_status status = not_captured(record);
    if (!trib_failed(&status)) {
        pthread_mutex_lock(&record->lock);
        bool reached = record->epoch >= epoch;
        *nanoseconds = record->nanoseconds;
        pthread_mutex_unlock(&record->lock);
        if (!reached)
            status = TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                                "event: the %s event has not completed; synchronise with it first", which);
    }
    trib_cpu_record_release(record);
    return trib_outcome(&status);
}

trib_status trib_cpu_event_elapsed(trib_event *start, trib_event *end, int64_t *nanoseconds)
{
    int64_t from = 0, to = 0;
    TRIB_TRY(time_of(start, "start", &from));
    TRIB_TRY(time_of(end, "end", &to));
    *nanoseconds = to - from;
    return trib_success();
}

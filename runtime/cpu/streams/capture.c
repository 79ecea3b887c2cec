/* SPDX-License-Identifier: Apache-2.0
 * Capture: work is recorded per stream ("lane") and replayed later. Lane 0 is the stream that began the capture
 * and is replayed on the stream of the launch; the other lanes have streams of the capture's own.
 *
 * Clocks prove that every lane was joined: a record carries how many items of each lane precede it, a wait takes the
 * maximum. At the end lane 0 must have seen all items of all lanes. */
#include <string.h>

#include "cpu/streams/capture.h"
#include "device/capture_rules.h"
#include "tributary/internal/alloc.h"

enum { MAX_LANES = TRIB_MOST_CAPTURED_STREAMS };

typedef struct capture_lane {
    trib_cpu_stream *stream; /* while recording: the captured one; afterwards: the capture's own, NULL for lane 0 */
    trib_cpu_list items;
    uint64_t clock[MAX_LANES]; /* items of each lane that precede this lane's next one */
} capture_lane;

struct trib_cpu_capture {
    trib_capture base;
    uint64_t id;
    trib_cpu_capture *next; /* among those being recorded */
    bool broken;            /* a captured stream was destroyed */
    int lane_count;
    capture_lane lanes[MAX_LANES];
    pthread_mutex_t launch_lock;
    uint64_t launches;
    trib_cpu_record *finished; /* reached at the end of each launch: the next one waits for it */
};

static void lock(trib_cpu_device *device) { pthread_mutex_lock(&device->capture_lock); }
static void unlock(trib_cpu_device *device) { pthread_mutex_unlock(&device->capture_lock); }

/* ---- recording ---- */

static void free_items(trib_cpu_list *list)
{
    while (list->first) {
        trib_cpu_item *next = list->first->next;
        trib_cpu_item_release(list->first);
        trib_free(list->first);
        list->first = next;
    }
    list->last = NULL;
}

static void drop(trib_cpu_stream *stream, trib_cpu_item *item)
{
    trib_cpu_list one = { 0 };
    trib_cpu_list_append(&one, item);
    trib_cpu_items_drop(stream, &one);
}

static void add_locked(trib_cpu_capture *capture, int lane, trib_cpu_item *item)
{
    trib_cpu_list_append(&capture->lanes[lane].items, item);
    capture->lanes[lane].clock[lane]++;
}

static trib_status not_capturing(const trib_cpu_stream *stream)
{
    return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "stream \"%s\": its capture has ended meanwhile", stream->name);
}

trib_status trib_cpu_capture_add(trib_cpu_stream *stream, trib_cpu_item *item)
{
    trib_cpu_device *device = trib_cpu_of(stream->base.device);
    lock(device);
    trib_cpu_capture *capture = atomic_load(&stream->capture);
    if (capture) add_locked(capture, stream->lane, item);
    unlock(device);
    if (capture) return trib_success();
    drop(stream, item);
    return not_capturing(stream);
}

trib_status trib_cpu_capture_stamp(trib_cpu_stream *stream, trib_cpu_record *record)
{
    trib_cpu_device *device = trib_cpu_of(stream->base.device);
    uint64_t *clock = trib_alloc(sizeof(uint64_t) * MAX_LANES);
    if (!clock) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "event record: out of memory");
    lock(device);
    trib_cpu_capture *capture = atomic_load(&stream->capture);
    if (capture) {
        memcpy(clock, capture->lanes[stream->lane].clock, sizeof(uint64_t) * MAX_LANES);
        clock[stream->lane]++; /* the record itself */
        record->capture_id = capture->id;
        record->clock = clock;
    }
    unlock(device);
    if (capture) return trib_success();
    trib_free(clock);
    return not_capturing(stream);
}

static trib_cpu_capture *find_recording(trib_cpu_device *device, uint64_t id)
{
    trib_cpu_capture *capture = device->recording;
    while (capture && capture->id != id) capture = capture->next;
    return capture;
}

/* The capture to which a wait of `stream` for `record` belongs, or why there is none. */
static trib_status capture_of_wait(trib_cpu_stream *stream, const trib_cpu_record *record, trib_cpu_capture **out)
{
    trib_cpu_capture *mine = atomic_load(&stream->capture);
    trib_cpu_capture *its = find_recording(trib_cpu_of(stream->base.device), record->capture_id);
    *out = its;
    return trib_check_captured_wait(&(trib_captured_wait) { .stream = stream->name,
                                                            .own = mine,
                                                            .in_capture = record->capture_id != 0,
                                                            .its = its,
                                                            .streams = its ? its->lane_count : 0 });
}

static void join_capture(trib_cpu_capture *capture, trib_cpu_stream *stream)
{
    stream->lane = capture->lane_count++;
    capture->lanes[stream->lane].stream = stream;
    atomic_store(&stream->capture, capture);
}

trib_status trib_cpu_capture_wait(trib_cpu_stream *stream, trib_cpu_record *record)
{
    trib_cpu_device *device = trib_cpu_of(stream->base.device);
    trib_cpu_item *item = trib_cpu_item_take(stream, TRIB_CPU_WAIT);
    if (!item) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "stream wait: out of memory");
    item->event.record = record;
    trib_cpu_record_retain(record);
    trib_cpu_capture *capture;
    lock(device);
    trib_status status = capture_of_wait(stream, record, &capture);
    if (!trib_failed(&status)) {
        if (!atomic_load(&stream->capture)) join_capture(capture, stream);
        uint64_t *clock = capture->lanes[stream->lane].clock;
        for (int i = 0; i < MAX_LANES; ++i)
            if (clock[i] < record->clock[i]) clock[i] = record->clock[i];
        add_locked(capture, stream->lane, item);
    }
    unlock(device);
    if (trib_failed(&status)) drop(stream, item);
    return trib_outcome(&status);
}

/* ---- begin and end ---- */

static void dispose(trib_cpu_capture *capture)
{
    for (int i = 0; i < capture->lane_count; ++i) {
        if (capture->lanes[i].stream) trib_cpu_stream_destroy(&capture->lanes[i].stream->base);
        free_items(&capture->lanes[i].items);
    }
    trib_cpu_record_release(capture->finished);
    pthread_mutex_destroy(&capture->launch_lock);
    trib_free(capture);
}

/* Streams leave capture mode; lanes keep their items but no stream. */
static void stop_recording_locked(trib_cpu_device *device, trib_cpu_capture *capture)
{
    trib_cpu_capture **link = &device->recording;
    while (*link != capture) link = &(*link)->next;
    *link = capture->next;
    for (int i = 0; i < capture->lane_count; ++i) {
        if (capture->lanes[i].stream) atomic_store(&capture->lanes[i].stream->capture, NULL);
        capture->lanes[i].stream = NULL;
    }
}

trib_status trib_cpu_capture_begin(trib_stream *base)
{
    trib_cpu_stream *stream = (trib_cpu_stream *)base;
    trib_cpu_device *device = trib_cpu_of(base->device);
    trib_cpu_capture *capture = trib_alloc_zeroed(1, sizeof *capture);
    if (!capture) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "capture: out of memory");
    capture->base.device = base->device;
    pthread_mutex_init(&capture->launch_lock, NULL);
    capture->finished = trib_cpu_record_create();
    if (!capture->finished) {
        dispose(capture);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "capture: out of memory");
    }
    lock(device);
    bool already = atomic_load(&stream->capture) != NULL;
    if (!already) {
        capture->id = ++device->capture_count;
        capture->next = device->recording;
        device->recording = capture;
        join_capture(capture, stream);
    }
    unlock(device);
    if (!already) return trib_success();
    dispose(capture);
    return trib_refuse_second_capture(stream->name);
}

static trib_status check_complete(const trib_cpu_capture *capture)
{
    if (capture->broken)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "capture: a stream that took part was destroyed; nothing is kept");
    for (int i = 1; i < capture->lane_count; ++i) {
        if (capture->lanes[0].clock[i] == capture->lanes[i].clock[i]) continue;
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT,
                          "capture: stream \"%s\" was not joined back into \"%s\"; record an event on it after its "
                          "last work and let \"%s\" wait for it; nothing is kept",
                          capture->lanes[i].stream->name, capture->lanes[0].stream->name,
                          capture->lanes[0].stream->name);
    }
    return trib_success();
}

/* A captured stream's name and share of the cores. */
typedef struct captured {
    char name[sizeof((trib_cpu_stream *)0)->name];
    int threads;
} captured;

static void describe_lanes(const trib_cpu_capture *capture, captured *all)
{
    for (int i = 0; i < capture->lane_count; ++i) {
        const trib_cpu_stream *stream = capture->lanes[i].stream;
        if (!stream) continue;
        memcpy(all[i].name, stream->name, sizeof stream->name);
        all[i].threads = stream->threads;
    }
}

/* All lanes but the first get their own streams, like the captured ones. */
static trib_status create_streams(trib_cpu_capture *capture, const captured *all)
{
    for (int i = 1; i < capture->lane_count; ++i) {
        trib_stream_options options = { .name = all[i].name, .threads = all[i].threads };
        trib_stream *stream;
        TRIB_TRY(trib_cpu_stream_create(capture->base.device, &options, &stream));
        capture->lanes[i].stream = (trib_cpu_stream *)stream;
    }
    return trib_success();
}

trib_status trib_cpu_capture_end(trib_stream *base, trib_capture **out)
{
    trib_cpu_stream *stream = (trib_cpu_stream *)base;
    trib_cpu_device *device = trib_cpu_of(base->device);
    captured all[MAX_LANES] = { 0 };
    lock(device);
    trib_cpu_capture *capture = atomic_load(&stream->capture);
    bool origin = capture && stream->lane == 0;
    trib_status status = trib_success();
    if (origin) {
        status = check_complete(capture);
        describe_lanes(capture, all);
        stop_recording_locked(device, capture);
    }
    unlock(device);
    if (!origin) return trib_refuse_capture_end(stream->name, capture != NULL);
    if (!trib_failed(&status)) status = create_streams(capture, all);
    if (trib_failed(&status)) {
        dispose(capture);
        return status;
    }
    *out = &capture->base;
    return status;
}

/* Only the recording: the number of launches, and the waits for them, stay with the capture. */
static void swap_recordings(trib_cpu_capture *a, trib_cpu_capture *b)
{
    int lane_count = a->lane_count;
    capture_lane lanes[MAX_LANES];
    memcpy(lanes, a->lanes, sizeof lanes);
    memcpy(a->lanes, b->lanes, sizeof lanes);
    memcpy(b->lanes, lanes, sizeof lanes);
    a->lane_count = b->lane_count;
    b->lane_count = lane_count;
}

trib_status trib_cpu_capture_replace(trib_stream *stream, trib_capture *base)
{
    trib_cpu_capture *capture = (trib_cpu_capture *)base;
    trib_capture *fresh = NULL;
    TRIB_TRY(trib_cpu_capture_end(stream, &fresh));
    pthread_mutex_lock(&capture->launch_lock);
    swap_recordings(capture, (trib_cpu_capture *)fresh);
    pthread_mutex_unlock(&capture->launch_lock);
    dispose((trib_cpu_capture *)fresh); /* waits for a running launch */
    return trib_success();
}

void trib_cpu_capture_abandon(trib_cpu_stream *stream)
{
    trib_cpu_device *device = trib_cpu_of(stream->base.device);
    lock(device);
    trib_cpu_capture *capture = atomic_load(&stream->capture);
    bool origin = capture && stream->lane == 0;
    if (origin) {
        stop_recording_locked(device, capture);
    } else if (capture) {
        capture->broken = true;
        capture->lanes[stream->lane].stream = NULL;
        atomic_store(&stream->capture, NULL);
    }
    unlock(device);
    if (origin) dispose(capture);
}

/* ---- replay ---- */

/* One launch. */
typedef struct replay {
    uint64_t epoch;
    trib_observed_run *run; /* NULL: nobody observes it */
} replay;

static bool add_copy(trib_cpu_stream *stream, trib_cpu_list *list, const trib_cpu_item *source, const replay *r)
{
    trib_cpu_item *item = trib_cpu_item_take(stream, source->work);
    if (!item) return false;
    trib_cpu_item_copy(item, source);
    if (trib_cpu_has_record(item->work)) item->event.epoch = r->epoch;
    if (item->work == TRIB_CPU_OP && item->run.observed.op >= 0) item->run.observed.run = r->run;
    trib_cpu_list_append(list, item);
    return true;
}

/* All queue items of one launch, or none. */
static bool copy_lane(trib_cpu_capture *capture, int lane, trib_cpu_stream *stream, const replay *r,
                      trib_cpu_list *list)
{
    const replay earlier = { .epoch = r->epoch - 1 };
    const trib_cpu_item forgive = { .work = TRIB_CPU_FORGIVE };
    const trib_cpu_item after_last = { .work = TRIB_CPU_FOLLOW, .event = { .record = capture->finished } };
    const trib_cpu_item done = { .work = TRIB_CPU_RECORD, .event = { .record = capture->finished } };
    bool ok = lane ? add_copy(stream, list, &forgive, r) : add_copy(stream, list, &after_last, &earlier);
    for (const trib_cpu_item *item = capture->lanes[lane].items.first; ok && item; item = item->next)
        ok = add_copy(stream, list, item, r);
    return ok && (lane || add_copy(stream, list, &done, r));
}

static trib_status launch_locked(trib_cpu_capture *capture, trib_cpu_stream *stream)
{
    trib_cpu_list lists[MAX_LANES] = { { 0 } };
    const replay r = { .epoch = capture->launches + 1, .run = stream->observed.run };
    bool ok = true;
    capture->lanes[0].stream = stream;
    for (int i = 0; ok && i < capture->lane_count; ++i)
        ok = copy_lane(capture, i, capture->lanes[i].stream, &r, &lists[i]);
    for (int i = 0; i < capture->lane_count; ++i) {
        if (ok)
            trib_cpu_enqueue(capture->lanes[i].stream, &lists[i]);
        else
            trib_cpu_items_drop(capture->lanes[i].stream, &lists[i]);
    }
    capture->lanes[0].stream = NULL;
    if (!ok) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "capture launch: out of memory");
    capture->launches = r.epoch;
    return trib_success();
}

trib_status trib_cpu_capture_launch(trib_capture *base, trib_stream *target)
{
    trib_cpu_capture *capture = (trib_cpu_capture *)base;
    trib_cpu_stream *stream = (trib_cpu_stream *)target;
    if (atomic_load(&stream->capture)) return trib_refuse_captured_launch(stream->name);
    pthread_mutex_lock(&capture->launch_lock);
    trib_status status = launch_locked(capture, stream);
    pthread_mutex_unlock(&capture->launch_lock);
    return trib_outcome(&status);
}

void trib_cpu_capture_destroy(trib_capture *base) { dispose((trib_cpu_capture *)base); }

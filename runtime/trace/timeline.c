/* SPDX-License-Identifier: Apache-2.0
 * A timeline is a sink with rooms: a run gets one when it begins, threads that compute write its times there, and it is
 * listed when it has ended. All memory is allocated when a session opens the sink. */
#include "tributary/timeline.h"

#include <string.h>
#include <time.h>

#include "trace/sink.h"
#include "tributary/internal/alloc.h"

enum { NO_ROOM = -1 };

typedef struct room {
    trib_op_time *ops;
    int lane;
    int64_t chunk;
} room;

struct trib_timeline {
    trib_trace_sink sink;
    int room_count, op_count, turns;
    bool attached;
    trib_op_time *times; /* of all rooms */
    room *rooms;
    int *lists;                       /* what the following three point into */
    int *finished, *free, *in_flight; /* rooms; in_flight: by lane and turn, or NO_ROOM */
    int finished_count, free_count;
    int64_t dropped, lost, clock_step;
    trib_status loss;
    char source[sizeof((trib_observation *)0)->source];
};

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- memory ---- */

static void release(trib_timeline *t)
{
    trib_free(t->times);
    trib_free(t->rooms);
    trib_free(t->lists);
    t->times = NULL;
    t->rooms = NULL;
    t->lists = t->finished = t->free = t->in_flight = NULL;
    t->finished_count = t->free_count = 0;
}

static void forget(trib_timeline *t)
{
    t->finished_count = t->free_count = 0;
    t->dropped = t->lost = 0;
    t->loss = trib_success();
}

/* Zeros are written, so that no page is touched for the first time while a run is timed. */
static trib_status allocate(trib_timeline *t, int op_count, int lanes, int turns)
{
    size_t rooms = (size_t)t->room_count, times = rooms * (size_t)op_count, flights = (size_t)lanes * (size_t)turns;
    t->times = trib_alloc_zeroed(times, sizeof *t->times);
    t->rooms = trib_alloc_zeroed(rooms, sizeof *t->rooms);
    t->lists = trib_alloc_zeroed(2 * rooms + flights, sizeof *t->lists);
    if (!t->times || !t->rooms || !t->lists) {
        release(t);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the times of %d ops in %d runs; keep fewer runs", op_count,
                          t->room_count);
    }
    memset(t->times, 0, times * sizeof *t->times);
    t->finished = t->lists;
    t->free = t->lists + rooms;
    t->in_flight = t->free + rooms;
    for (size_t i = 0; i < flights; ++i) t->in_flight[i] = NO_ROOM;
    for (int i = t->room_count; i-- > 0;) {
        t->rooms[i].ops = t->times + (size_t)i * (size_t)op_count;
        t->free[t->free_count++] = i;
    }
    t->op_count = op_count;
    t->turns = turns;
    return trib_success();
}

/* ---- the sink ---- */

static trib_status attach(void *context, const trib_trace_subject *subject, void **state)
{
    trib_timeline *t = context;
    if (t->attached)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "the timeline belongs to another session; give each its own");
    release(t);
    forget(t);
    TRIB_TRY(allocate(t, subject->plan->op_count, subject->lanes, subject->turns));
    t->attached = true;
    *state = t;
    return trib_success();
}

static void detach(void *state) { ((trib_timeline *)state)->attached = false; }

static void observed_by(void *state, const trib_observation *observation)
{
    trib_timeline *t = state;
    memcpy(t->source, observation->source, sizeof t->source);
    t->clock_step = observation->clock_step;
}

/* Ranges are another sink's. */
static void no_range(void *state, const trib_trace_range *range) { (void)state, (void)range; }

static int *place(const trib_timeline *t, const trib_trace_run *run)
{
    return &t->in_flight[run->lane * t->turns + run->turn];
}

/* NULL: there was no room for it. */
static room *room_of(const trib_timeline *t, const trib_trace_run *run)
{
    int i = *place(t, run);
    return i == NO_ROOM ? NULL : &t->rooms[i];
}

static bool begin_run(void *state, const trib_trace_run *run)
{
    trib_timeline *t = state;
    int *flight = place(t, run);
    *flight = t->free_count ? t->free[--t->free_count] : NO_ROOM;
    if (*flight == NO_ROOM) {
        t->dropped++;
        return false;
    }
    room *r = &t->rooms[*flight];
    r->lane = run->lane;
    r->chunk = run->chunk;
    memset(r->ops, 0, (size_t)t->op_count * sizeof *r->ops);
    return true;
}

static void issue(void *state, const trib_trace_run *run, int op)
{
    const trib_timeline *t = state;
    room *r = room_of(t, run);
    if (!r) return;
    int64_t time = now();
    if (op != TRIB_OBSERVE_LAUNCH)
        r->ops[op].issued = time;
    else
        for (int i = 0; i < t->op_count; ++i) r->ops[i].issued = time;
}

static void begin_op(void *state, const trib_trace_run *run, int op)
{
    room *r = room_of(state, run);
    if (r) r->ops[op].start = now();
}

static void end_op(void *state, const trib_trace_run *run, int op)
{
    room *r = room_of(state, run);
    if (r) r->ops[op].end = now();
}

static void told(void *state, const trib_trace_run *run, int op, int64_t issued, int64_t start, int64_t end)
{
    room *r = room_of(state, run);
    if (!r) return;
    if (issued) r->ops[op].issued = issued;
    r->ops[op].start = start;
    r->ops[op].end = end;
}

/* Few are in flight, so that few end before one that began earlier. */
static void list(trib_timeline *t, int ended)
{
    int i = t->finished_count++;
    for (; i > 0 && t->rooms[t->finished[i - 1]].chunk > t->rooms[ended].chunk; --i)
        t->finished[i] = t->finished[i - 1];
    t->finished[i] = ended;
}

static void end_run(void *state, const trib_trace_run *run, const trib_status *times)
{
    trib_timeline *t = state;
    int *flight = place(t, run), ended = *flight;
    *flight = NO_ROOM;
    if (ended == NO_ROOM) return;
    if (times && !trib_failed(times)) {
        list(t, ended);
        return;
    }
    t->free[t->free_count++] = ended;
    if (times && !t->lost++) t->loss = *times;
}

/* ---- the public functions ---- */

trib_status trib_timeline_create(int runs, trib_timeline **out)
{
    if (runs < 1 || !out) return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a timeline keeps at least 1 run, not %d", runs);
    trib_timeline *t = trib_alloc_zeroed(1, sizeof *t);
    if (!t) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for a timeline");
    t->sink = (trib_trace_sink) { .name = "timeline",
                                  .context = t,
                                  .open = attach,
                                  .close = detach,
                                  .push = no_range,
                                  .pop = no_range,
                                  .begin_run = begin_run,
                                  .issue = issue,
                                  .begin_op = begin_op,
                                  .end_op = end_op,
                                  .told = told,
                                  .end_run = end_run,
                                  .observed_by = observed_by };
    t->room_count = runs;
    t->loss = trib_success();
    *out = t;
    return trib_success();
}

void trib_timeline_destroy(trib_timeline *t)
{
    if (!t) return;
    release(t);
    trib_free(t);
}

const trib_trace_sink *trib_timeline_sink(const trib_timeline *t) { return &t->sink; }

int trib_timeline_count(const trib_timeline *t) { return t->finished_count; }

trib_timeline_run trib_timeline_at(const trib_timeline *t, int index)
{
    const room *r = &t->rooms[t->finished[index]];
    return (trib_timeline_run) { .lane = r->lane, .chunk = r->chunk, .ops = r->ops, .clock_step = t->clock_step };
}

int64_t trib_timeline_dropped(const trib_timeline *t) { return t->dropped; }

int64_t trib_timeline_lost(const trib_timeline *t) { return t->lost; }

trib_status trib_timeline_loss(const trib_timeline *t) { return trib_outcome(&t->loss); }

const char *trib_timeline_source(const trib_timeline *t) { return t->source[0] ? t->source : NULL; }

void trib_timeline_clear(trib_timeline *t)
{
    for (int i = 0; i < t->finished_count; ++i) t->free[t->free_count++] = t->finished[i];
    t->finished_count = 0;
    t->dropped = t->lost = 0;
    t->loss = trib_success();
}

/* SPDX-License-Identifier: Apache-2.0
 * One pass over the ops of a window in the order of their starts. Streams at work are a heap, the one that ends first
 * on top; memory is per stream, never per op. */
#include "profile/nsys_overlap.h"
#include "tributary/internal/alloc.h"

struct trib_nsys_sweep {
    const trib_nsys_report *report;
    uint32_t *lane_of; /* by stream; TRIB_NSYS_NONE: it has no op so far */
    trib_nsys_lane *lanes;
    uint32_t *heap; /* lanes at work */
    size_t lane_count, working;
    int64_t now;
    trib_nsys_sums sums;
};

trib_status trib_nsys_sweep_create(const trib_nsys_report *report, trib_nsys_sweep **out)
{
    trib_nsys_sweep *s = trib_alloc_zeroed(1, sizeof *s);
    size_t count = report->stream_count;
    if (s) {
        s->report = report;
        s->lane_of = trib_realloc_array(NULL, count, sizeof *s->lane_of);
        s->lanes = trib_realloc_array(NULL, count, sizeof *s->lanes);
        s->heap = trib_realloc_array(NULL, count, sizeof *s->heap);
    }
    if (!s || !s->lane_of || !s->lanes || !s->heap) {
        trib_nsys_sweep_destroy(s);
        return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for the report's %zu streams", count);
    }
    for (size_t i = 0; i < count; ++i) s->lane_of[i] = TRIB_NSYS_NONE;
    *out = s;
    return trib_success();
}

void trib_nsys_sweep_destroy(trib_nsys_sweep *s)
{
    if (!s) return;
    trib_free(s->lane_of);
    trib_free(s->lanes);
    trib_free(s->heap);
    trib_free(s);
}

/* ---- the heap ---- */

static void put(trib_nsys_sweep *s, size_t place, uint32_t lane)
{
    s->heap[place] = lane;
    s->lanes[lane].place = (uint32_t)place;
}

static void sink(trib_nsys_sweep *s, size_t place)
{
    uint32_t lane = s->heap[place];
    for (size_t child; (child = 2 * place + 1) < s->working; place = child) {
        if (child + 1 < s->working && s->lanes[s->heap[child + 1]].end < s->lanes[s->heap[child]].end) ++child;
        if (s->lanes[lane].end <= s->lanes[s->heap[child]].end) break;
        put(s, place, s->heap[child]);
    }
    put(s, place, lane);
}

static void add(trib_nsys_sweep *s, uint32_t lane)
{
    size_t place = s->working++;
    for (; place > 0 && s->lanes[s->heap[(place - 1) / 2]].end > s->lanes[lane].end; place = (place - 1) / 2)
        put(s, place, s->heap[(place - 1) / 2]);
    put(s, place, lane);
}

static void remove_first(trib_nsys_sweep *s)
{
    s->lanes[s->heap[0]].place = TRIB_NSYS_NONE;
    uint32_t last = s->heap[--s->working];
    if (s->working == 0) return;
    put(s, 0, last);
    sink(s, 0);
}

/* ---- time ---- */

static void count_until(trib_nsys_sweep *s, int64_t time)
{
    int64_t passed = time - s->now;
    s->now = time;
    s->sums.busy += passed * (int64_t)s->working;
    if (s->working > 0) s->sums.any += passed;
    if (s->working > 1) s->sums.overlap += passed;
}

static void advance(trib_nsys_sweep *s, int64_t time)
{
    while (s->working > 0 && s->lanes[s->heap[0]].end <= time) {
        count_until(s, s->lanes[s->heap[0]].end);
        remove_first(s);
    }
    count_until(s, time);
}

static trib_nsys_lane *lane_of(trib_nsys_sweep *s, uint32_t stream)
{
    uint32_t *lane = &s->lane_of[stream];
    if (*lane == TRIB_NSYS_NONE) {
        *lane = (uint32_t)s->lane_count++;
        s->lanes[*lane] = (trib_nsys_lane) { .end = s->sums.from, .stream = stream, .place = TRIB_NSYS_NONE };
    }
    return &s->lanes[*lane];
}

/* The stream had no work from lane->end to the op's start. */
static void count_idle(trib_nsys_lane *lane, const trib_nsys_op *op)
{
    /* TRIB_NSYS_NO_TIME is less than any time. */
    int64_t idle = op->start - lane->end, launch = op->issued > lane->end ? op->issued - lane->end : 0;
    lane->launch += launch;
    lane->wait += idle - launch;
}

static void take_op(trib_nsys_sweep *s, const trib_nsys_op *op)
{
    advance(s, op->start);
    trib_nsys_lane *lane = lane_of(s, op->stream);
    ++lane->ops;
    if (op->start > lane->end) count_idle(lane, op);
    int64_t begin = op->start > lane->end ? op->start : lane->end;
    if (op->end > begin) lane->busy += op->end - begin;
    if (op->end <= lane->end && lane->end > op->start) return;
    lane->end = op->end > begin ? op->end : begin;
    if (lane->place != TRIB_NSYS_NONE)
        sink(s, lane->place);
    else if (lane->end > s->now)
        add(s, (uint32_t)(lane - s->lanes));
}

static void finish(trib_nsys_sweep *s)
{
    while (s->working > 0) advance(s, s->lanes[s->heap[0]].end);
    s->sums.to = s->now;
    s->sums.wall = s->now - s->sums.from;
    s->sums.streams = (int64_t)s->lane_count;
    for (size_t i = 0; i < s->lane_count; ++i) {
        trib_nsys_lane *lane = &s->lanes[i];
        lane->tail = s->now - lane->end;
        s->sums.launch += lane->launch;
        s->sums.wait += lane->wait;
        s->sums.tail += lane->tail;
    }
}

trib_nsys_sums trib_nsys_sweep_run(trib_nsys_sweep *s, const uint32_t *ops, size_t count)
{
    for (size_t i = 0; i < s->lane_count; ++i) s->lane_of[s->lanes[i].stream] = TRIB_NSYS_NONE;
    s->lane_count = s->working = 0;
    s->now = s->report->ops[ops[0]].start;
    s->sums = (trib_nsys_sums) { .from = s->now, .ops = (int64_t)count };
    for (size_t i = 0; i < count; ++i) take_op(s, &s->report->ops[ops[i]]);
    finish(s);
    return s->sums;
}

const trib_nsys_lane *trib_nsys_sweep_lanes(const trib_nsys_sweep *s, size_t *count)
{
    *count = s->lane_count;
    return s->lanes;
}

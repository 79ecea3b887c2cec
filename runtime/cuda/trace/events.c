/* SPDX-License-Identifier: Apache-2.0
 * Observations by CUDA's events, where CUPTI cannot be used: one before each op, one behind it.
 *
 * Less exact than CUPTI: an op seems to begin when its stream comes to it, before its first kernel has been launched;
 * events have steps of 0.5 us; and recording them takes time of the host and the device. They cannot be within a
 * recorded plan that is launched again before it was read, so the session launches eagerly.
 *
 * Elapsed times are float milliseconds, exact only over short times: a run is measured from its own first event, and
 * that from the first of the run before. The very first is brought to the host's clock by waiting for it, so times are
 * late by at most what that took, and never early. */
#include <math.h>
#include <stdio.h>

#include "cuda/streams/stream.h"
#include "cuda/trace/observation.h"
#include "tributary/internal/alloc.h"

enum { STEP = 500, ANCHOR_TRIES = 8 };

typedef struct event_pair {
    cudaEvent_t start, end;
    bool given;
} event_pair;

typedef struct event_run {
    trib_observed_run *run; /* NULL: free */
    int first;              /* the op that was given first; -1: none yet */
    trib_status failure;    /* the first one of recording */
    event_pair *ops;
} event_run;

typedef struct event_observation {
    trib_cuda_observation base;
    int op_count, run_count;
    event_run *runs;
    event_pair *pairs; /* of all runs */
    event_run *current;
    int current_op;
    cudaEvent_t anchor;
    int64_t anchor_time; /* of the host */
} event_observation;

static event_observation *of(trib_cuda_observation *base) { return (event_observation *)base; }

static trib_cuda_device *device_of(const event_observation *o) { return trib_cuda_of(o->base.base.device); }

/* ---- runs ---- */

static event_run *take_run(event_observation *o, trib_observed_run *run)
{
    for (int i = 0; i < o->run_count && !run->of_driver; ++i) {
        event_run *r = &o->runs[i];
        if (r->run) continue;
        for (int k = 0; k < o->op_count; ++k) r->ops[k].given = false;
        r->run = run;
        r->first = -1;
        r->failure = trib_success();
        run->of_driver = r;
    }
    return run->of_driver;
}

static void drop(trib_cuda_observation *base, trib_observed_run *run)
{
    event_run *r = run->of_driver;
    (void)base;
    if (r) r->run = NULL;
    run->of_driver = NULL;
}

static void record(event_observation *o, event_run *r, cudaEvent_t event, const trib_cuda_stream *stream)
{
    trib_status status = TRIB_CUDA(device_of(o), cudaEventRecord(event, stream->handle));
    if (!trib_failed(&r->failure)) r->failure = status;
}

static trib_status begin(trib_cuda_observation *base, trib_cuda_stream *stream, trib_observed_run *run, int op)
{
    event_observation *o = of(base);
    event_run *r = run && run->timed && op >= 0 ? take_run(o, run) : NULL;
    o->current = r;
    o->current_op = op;
    if (!r) return trib_success();
    TRIB_TRY(trib_cuda_enter(device_of(o)));
    if (r->first < 0) r->first = op;
    r->ops[op].given = true;
    record(o, r, r->ops[op].start, stream);
    return trib_success();
}

static trib_status end(trib_cuda_observation *base, trib_cuda_stream *stream)
{
    event_observation *o = of(base);
    event_run *r = o->current;
    o->current = NULL;
    if (r) record(o, r, r->ops[o->current_op].end, stream);
    return trib_success();
}

/* ---- collecting ---- */

static trib_status elapsed(event_observation *o, cudaEvent_t from, cudaEvent_t to, int64_t *nanoseconds)
{
    float milliseconds = 0;
    TRIB_CUDA_TRY(device_of(o), cudaEventElapsedTime(&milliseconds, from, to));
    *nanoseconds = llround((double)milliseconds * 1e6);
    return trib_success();
}

/* The run's first event becomes the anchor of the next one. */
static trib_status move_anchor(event_observation *o, event_run *r)
{
    int64_t since = 0;
    TRIB_TRY(elapsed(o, o->anchor, r->ops[r->first].start, &since));
    o->anchor_time += since;
    cudaEvent_t old = o->anchor;
    o->anchor = r->ops[r->first].start;
    r->ops[r->first].start = old;
    return trib_success();
}

static trib_status read_op(event_observation *o, const event_run *r, int op)
{
    int64_t start = 0, end = 0;
    if (op != r->first) TRIB_TRY(elapsed(o, o->anchor, r->ops[op].start, &start));
    TRIB_TRY(elapsed(o, o->anchor, r->ops[op].end, &end));
    r->run->observer->told(r->run, op, 0, o->anchor_time + start, o->anchor_time + end);
    return trib_success();
}

static trib_status read_run(event_observation *o, event_run *r)
{
    TRIB_TRY(trib_cuda_enter(device_of(o)));
    TRIB_TRY(r->failure);
    TRIB_TRY(move_anchor(o, r));
    for (int i = 0; i < o->op_count; ++i)
        if (r->ops[i].given) TRIB_TRY(read_op(o, r, i));
    return trib_success();
}

static trib_status collect(trib_cuda_observation *base, trib_observed_run *run)
{
    event_run *r = run->of_driver;
    if (!run->timed) return trib_success();
    if (!r) return TRIB_ERROR(TRIB_UNSUPPORTED, "no events were recorded for this run, as for none of a recorded plan");
    trib_status status = read_run(of(base), r);
    drop(base, run);
    return status;
}

/* ---- opening and closing ---- */

static void close_observation(trib_cuda_observation *base)
{
    event_observation *o = of(base);
    trib_cuda_device *device = device_of(o);
    trib_cuda_enter(device); /* later calls see a failure */
    for (int i = 0; o->pairs && i < o->run_count * o->op_count; ++i) {
        if (o->pairs[i].start) TRIB_CUDA_NOTE(device, cudaEventDestroy(o->pairs[i].start));
        if (o->pairs[i].end) TRIB_CUDA_NOTE(device, cudaEventDestroy(o->pairs[i].end));
    }
    if (o->anchor) TRIB_CUDA_NOTE(device, cudaEventDestroy(o->anchor));
    trib_free(o->pairs);
    trib_free(o->runs);
    trib_free(o);
}

static const trib_cuda_clock clock_of_events = {
    .close = close_observation, .begin = begin, .end = end, .collect = collect, .drop = drop
};

static trib_status create_events(event_observation *o)
{
    trib_cuda_device *device = device_of(o);
    const size_t count = (size_t)o->run_count * (size_t)o->op_count;
    o->runs = trib_alloc_zeroed((size_t)o->run_count, sizeof *o->runs);
    o->pairs = trib_alloc_zeroed(count, sizeof *o->pairs);
    if (!o->runs || !o->pairs) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for times of %d ops", o->op_count);
    for (int i = 0; i < o->run_count; ++i) o->runs[i].ops = o->pairs + (size_t)i * (size_t)o->op_count;
    TRIB_CUDA_TRY(device, cudaEventCreateWithFlags(&o->anchor, cudaEventDefault));
    for (size_t i = 0; i < count; ++i) {
        TRIB_CUDA_TRY(device, cudaEventCreateWithFlags(&o->pairs[i].start, cudaEventDefault));
        TRIB_CUDA_TRY(device, cudaEventCreateWithFlags(&o->pairs[i].end, cudaEventDefault));
    }
    return trib_success();
}

/* The event was recorded before the host saw it: the try that took least is nearest. Only the last one's event can be
 * the anchor, so tries end with one that is no worse than the best so far, or after many. */
static trib_status set_anchor(event_observation *o)
{
    trib_cuda_device *device = device_of(o);
    int64_t best = INT64_MAX;
    for (int i = 0; i < 2 * ANCHOR_TRIES; ++i) {
        int64_t before = trib_cuda_host_time();
        TRIB_CUDA_TRY(device, cudaEventRecord(o->anchor, device->side->handle));
        TRIB_CUDA_TRY(device, cudaEventSynchronize(o->anchor));
        o->anchor_time = trib_cuda_host_time();
        int64_t took = o->anchor_time - before;
        if (i >= ANCHOR_TRIES && took <= best) break;
        if (took < best) best = took;
    }
    return trib_success();
}

trib_status trib_cuda_open_events(trib_cuda_device *device, const trib_observation_options *options, const char *reason,
                                  trib_cuda_observation **out)
{
    event_observation *o = trib_alloc_zeroed(1, sizeof *o);
    if (!o) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for times of ops");
    o->base.clock = &clock_of_events;
    o->base.base.device = &device->base;
    o->base.base.clock_step = STEP;
    o->base.base.only_eager = true;
    snprintf(o->base.base.source, sizeof o->base.base.source,
             "events: %.90s; less exact, and no graphs: `nsys profile` has both", reason);
    o->op_count = options->op_count;
    o->run_count = options->runs;
    trib_status status = create_events(o);
    if (!trib_failed(&status)) status = set_anchor(o);
    if (trib_failed(&status))
        close_observation(&o->base);
    else
        *out = &o->base;
    return trib_outcome(&status);
}

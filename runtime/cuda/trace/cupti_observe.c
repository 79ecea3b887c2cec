/* SPDX-License-Identifier: Apache-2.0
 * Observations by CUPTI: which op a thread gives work for, and the records that tell when that work ran. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cuda/memory/copy.h"
#include "cuda/streams/stream.h"
#include "cuda/trace/cupti_session.h"
#include "tributary/internal/alloc.h"

enum {
    WARM_UP = 16,    /* pieces of work: CUPTI has been seen to lose the first records of a session */
    PATIENCE_MS = 2, /* for records of a run that was waited for */
    /* ns. The device's times come in steps of 32, but CUPTI brings them to the host's clock by interpolation: an op has
     * been seen to begin up to 1152 ns before the end of the one before it on its stream (H100, driver 580.159.04, API
     * 130001), most by some 100 ns. Two steps count as noise. */
    STEP = 1000
};

static trib_cupti_observation *of(trib_cuda_observation *base) { return (trib_cupti_observation *)base; }

/* ---- runs ---- */

static trib_cupti_run *free_run(trib_cupti_observation *o)
{
    for (int i = 0; i < o->run_count; ++i)
        if (!o->runs[i].run) return &o->runs[i];
    return NULL;
}

static trib_cupti_run *take_run(trib_cupti_observation *o, trib_observed_run *run)
{
    trib_cupti_run *r = run->of_driver;
    if (r) return r;
    trib_cupti_lock();
    r = free_run(o);
    if (r) {
        memset(r->ops, 0, (size_t)o->op_count * sizeof *r->ops);
        r->run = run;
        r->launched = r->incomplete = r->suspect = false;
        r->issued = 0;
        r->call_count = 0;
    }
    trib_cupti_unlock();
    run->of_driver = r;
    return r;
}

static void release(trib_observed_run *run)
{
    trib_cupti_run *r = run->of_driver;
    if (!r) return;
    trib_cupti_lock();
    r->run = NULL;
    trib_cupti_unlock();
    run->of_driver = NULL;
}

/* ---- giving work ---- */

static void record_op(trib_cupti_observation *o, int op)
{
    trib_cupti_lock();
    o->recorded[op] = true;
    o->nodes_of[op] = 0; /* of the capture that begins, or goes on, with it */
    trib_cupti_unlock();
    trib_cupti_giving(o, NULL, op);
}

static void expect_launch(trib_cupti_observation *o, trib_cupti_run *r)
{
    trib_cupti_lock();
    r->launched = true;
    for (int i = 0; i < o->op_count; ++i) {
        r->ops[i].given = o->recorded[i];
        r->ops[i].wanted = o->nodes_of[i];
    }
    trib_cupti_unlock();
}

static trib_status begin(trib_cuda_observation *base, trib_cuda_stream *stream, trib_observed_run *run, int op)
{
    trib_cupti_observation *o = of(base);
    (void)stream;
    if (!run) {
        record_op(o, op);
        return trib_success();
    }
    trib_cupti_run *r = run->timed ? take_run(o, run) : NULL;
    if (r && op == TRIB_OBSERVE_LAUNCH)
        expect_launch(o, r);
    else if (r)
        r->ops[op].given = true;
    if (r || op == TRIB_OBSERVE_LAUNCH) trib_cupti_giving(o, r, op);
    return trib_success();
}

static trib_status end(trib_cuda_observation *base, trib_cuda_stream *stream)
{
    (void)base, (void)stream;
    trib_cupti_giving(NULL, NULL, 0);
    return trib_success();
}

/* ---- collecting ---- */

static void say_source(trib_cupti_observation *o, const char *note)
{
    trib_observation *base = &o->base.base;
    snprintf(base->source, sizeof base->source, "CUPTI (API %u)%s", (unsigned)o->version, note);
}

static bool is_complete(trib_cupti_observation *o, trib_cupti_run *r)
{
    trib_cupti_lock();
    bool complete = trib_cupti_complete(o, r);
    bool guessed = !complete && trib_cupti_guess(o, r);
    trib_cupti_unlock();
    if (guessed) say_source(o, "; correlation ids are wrong: launches told apart by order");
    return complete || guessed;
}

/* Waits until the device has nothing to do, unless a capture is being recorded, which that would invalidate. */
static bool quiet(trib_cuda_device *device)
{
    pthread_mutex_lock(&device->capture_lock);
    bool can = !device->recording;
    trib_status status = can ? TRIB_CUDA(device, cudaDeviceSynchronize()) : trib_success();
    pthread_mutex_unlock(&device->capture_lock);
    return can && !trib_failed(&status);
}

/* Records of work that the device has done may be on their way still, or be kept back because their buffer waits for
 * those of other work. Records are taken by force only when all work is done: others would lose their times. */
static trib_status await(trib_cupti_observation *o, trib_cupti_run *r)
{
    const int64_t start = trib_cuda_host_time();
    do {
        TRIB_TRY(trib_cupti_take(false));
        if (is_complete(o, r)) return trib_success();
        nanosleep(&(struct timespec) { .tv_nsec = 50000 }, NULL);
    } while (trib_cuda_host_time() - start < PATIENCE_MS * INT64_C(1000000));
    TRIB_TRY(trib_cupti_take(quiet(trib_cuda_of(o->base.base.device))));
    is_complete(o, r);
    return trib_success();
}

static void tell(const trib_cupti_observation *o, const trib_cupti_run *r)
{
    for (int i = 0; i < o->op_count; ++i)
        if (r->ops[i].found)
            r->run->observer->told(r->run, i, r->launched ? r->issued : r->ops[i].issued, r->ops[i].start,
                                   r->ops[i].end);
}

static trib_status collect(trib_cuda_observation *base, trib_observed_run *run)
{
    trib_cupti_observation *o = of(base);
    trib_cupti_run *r = run->of_driver;
    if (!r)
        return run->timed ? TRIB_ERROR(TRIB_DEVICE_ERROR, "more runs are in flight than were expected")
                          : trib_success();
    trib_status status = await(o, r);
    trib_cupti_lock();
    if (!trib_failed(&status)) status = trib_cupti_verdict(o, r);
    if (!trib_failed(&status)) tell(o, r);
    trib_cupti_forget_strays(o, r);
    trib_cupti_unlock();
    size_t dropped = trib_failed(&status) ? trib_cupti_dropped() : 0;
    if (dropped) trib_add_context(&status, "%zu records were dropped for lack of memory", dropped);
    release(run);
    return status;
}

static void drop(trib_cuda_observation *base, trib_observed_run *run)
{
    const trib_cupti_run *r = run->of_driver;
    trib_cupti_lock();
    for (size_t i = 0; r && r->launched && i < r->call_count; ++i) trib_cupti_ignore(of(base), r->calls[i].correlation);
    trib_cupti_unlock();
    release(run);
}

/* ---- opening and closing ---- */

static void free_observation(trib_cupti_observation *o)
{
    for (int i = 0; o->runs && i < o->run_count; ++i) trib_free(o->runs[i].calls);
    trib_free(o->runs);
    trib_free(o->seen);
    trib_free(o->recorded);
    trib_free(o->nodes_of);
    trib_free(o->nodes);
    trib_free(o->strays.list);
    trib_free(o);
}

static void close_observation(trib_cuda_observation *base)
{
    trib_cupti_leave(of(base));
    free_observation(of(base));
}

static const trib_cuda_clock clock_of_cupti = {
    .close = close_observation, .begin = begin, .end = end, .collect = collect, .drop = drop
};

static bool allocate(trib_cupti_observation *o)
{
    const size_t ops = (size_t)o->op_count, runs = (size_t)o->run_count;
    o->runs = trib_alloc_zeroed(runs, sizeof *o->runs);
    o->seen = trib_alloc_zeroed(runs * ops, sizeof *o->seen);
    o->recorded = trib_alloc_zeroed(ops, sizeof *o->recorded);
    o->nodes_of = trib_alloc_zeroed(ops, sizeof *o->nodes_of);
    if (!o->runs || !o->seen || !o->recorded || !o->nodes_of) return false;
    for (size_t i = 0; i < runs; ++i) {
        void *calls = NULL;
        if (trib_grow(&calls, &o->runs[i].call_capacity, 4 * ops + 4, sizeof *o->runs[i].calls)) return false;
        o->runs[i].calls = calls;
        o->runs[i].ops = o->seen + i * ops;
    }
    return true;
}

static trib_status warm_up(trib_cuda_device *device)
{
    void *memory = NULL;
    trib_stream *side = &device->side->base;
    TRIB_TRY(trib_cuda_alloc(&device->base, side, 256, &memory));
    trib_status status = trib_success();
    for (int i = 0; i < WARM_UP && !trib_failed(&status); ++i) status = trib_cuda_fill_zero(side, memory, 256);
    trib_status done = trib_cuda_stream_synchronize(side);
    trib_cuda_free(&device->base, side, memory);
    TRIB_TRY(status);
    TRIB_TRY(done);
    return trib_cupti_take(false);
}

trib_status trib_cuda_open_cupti(trib_cuda_device *device, const trib_observation_options *options,
                                 trib_cuda_observation **out)
{
    trib_cupti_observation *o = trib_alloc_zeroed(1, sizeof *o);
    if (!o) return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for times of ops");
    o->base.clock = &clock_of_cupti;
    o->base.base.device = &device->base;
    o->base.base.clock_step = STEP;
    o->op_count = options->op_count;
    o->run_count = options->runs;
    trib_status status = allocate(o) ? trib_cupti_join(device, o)
                                     : TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory for times of %d ops", o->op_count);
    if (trib_failed(&status)) {
        free_observation(o);
        return status;
    }
    say_source(o, "");
    status = warm_up(device);
    if (trib_failed(&status))
        close_observation(&o->base);
    else
        *out = &o->base;
    return trib_outcome(&status);
}

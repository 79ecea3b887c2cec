/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/measure.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "tributary/internal/alloc.h"
#include "tune/window_times.h"

typedef struct runner {
    trib_tune_subject *subject;
    trib_session *session;
    trib_trainer *trainer;
    const trib_plan *plan;
    trib_timeline *timeline; /* NULL: not timed */
    trib_op_places places;
} runner;

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to measure a network"); }

static double now(void *context)
{
    struct timespec t;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a way to run, as options ---- */

static trib_status forks_of(const trib_plan_options *like, const trib_graph *g, const trib_way *way,
                            trib_fork_schedule **forks, trib_plan_options *out)
{
    int count = 0;
    *forks = trib_alloc_zeroed((size_t)way->fork_count + 1, sizeof **forks);
    if (!*forks) return no_memory();
    for (int f = 0; f < way->fork_count; ++f) {
        trib_fork_schedule *one = &(*forks)[count];
        if (!*way->words[f]) continue;
        one->fork = trib_graph_fork(g, f)->name;
        if (!trib_fork_schedule_read(way->words[f], &one->schedule, &one->stages))
            return TRIB_ERROR(TRIB_INTERNAL, "'%.100s' is no schedule", way->words[f]);
        ++count;
    }
    *out = *like;
    out->schedule = way->all;
    out->fork_schedules = *forks;
    out->fork_schedule_count = count;
    return trib_success();
}

static trib_status open_session(runner *r, const trib_way *way)
{
    const trib_tune_subject *s = r->subject;
    trib_session_options o = *s->session;
    trib_fork_schedule *forks = NULL;
    trib_status status = forks_of(&s->session->plan, s->graph, way, &forks, &o.plan);
    o.timeline = r->timeline;
    if (way->setting.lanes) o.lanes = way->setting.lanes;
    if (way->setting.chunk) o.plan.batch = way->setting.chunk;
    if (way->setting.threads) o.plan.threads = way->setting.threads;
    if (!trib_failed(&status)) status = trib_session_create(s->device, s->graph, s->parameters, &o, &r->session);
    if (!trib_failed(&status)) r->plan = trib_session_plan(r->session);
    trib_free(forks);
    return status;
}

static trib_status open_trainer(runner *r, const trib_way *way)
{
    const trib_tune_subject *s = r->subject;
    trib_trainer_options o = *s->trainer;
    trib_fork_schedule *forks = NULL;
    trib_status status = forks_of(&s->trainer->plan, s->graph, way, &forks, &o.plan);
    o.timeline = r->timeline;
    if (!trib_failed(&status)) status = trib_trainer_create(s->device, s->graph, s->parameters, &o, &r->trainer);
    if (!trib_failed(&status)) r->plan = trib_trainer_plan(r->trainer);
    trib_free(forks);
    return status;
}

static void close_runner(void *context, void *opened)
{
    runner *r = opened;
    (void)context;
    trib_session_destroy(r->session);
    trib_trainer_destroy(r->trainer);
    trib_timeline_destroy(r->timeline);
    trib_op_places_release(&r->places);
    trib_free(r);
}

/* Room for all chunks of a run. */
static int runs_of(const trib_tune_subject *s) { return s->session ? s->session->max_batch + 8 : 8; }

/* A GPU's records stay on until a runner without times opens: switching them takes time, and there may be a hundred
 * timed runners in a row. */
static trib_status watch(trib_tune_subject *s, bool timed)
{
    static const trib_observation_options options = { .op_count = 1, .runs = 1, .times = true };
    if (trib_device_get_info(s->device)->host || timed == (s->watching != NULL)) return trib_success();
    if (timed) return trib_observation_open(s->device, &options, &s->watching);
    trib_observation_close(s->watching);
    s->watching = NULL;
    return trib_success();
}

static trib_status open_runner(void *context, const trib_way *way, bool timed, void **out)
{
    trib_tune_subject *s = context;
    runner *r = trib_alloc_zeroed(1, sizeof *r);
    if (!r) return no_memory();
    r->subject = s;
    trib_status status = watch(s, timed);
    if (!trib_failed(&status) && timed) status = trib_timeline_create(runs_of(s), &r->timeline);
    if (!trib_failed(&status)) status = s->session ? open_session(r, way) : open_trainer(r, way);
    if (!trib_failed(&status) && timed)
        status = trib_op_places_of(s->graph, r->plan, s->windows, s->window_count, &r->places);
    if (trib_failed(&status))
        close_runner(s, r);
    else
        *out = r;
    return status;
}

/* ---- running ---- */

/* A rate that changes weights, but does not spoil them. */
static trib_status train_once(runner *r)
{
    trib_tune_subject *s = r->subject;
    const trib_step_controls controls = {
        .seed = 1, .step = s->step++, .lr = 1e-6f, .momentum = 0.9f, .loss_scale = 1
    };
    return trib_trainer_step(r->trainer, s->pixels, s->labels, &controls, s->outputs);
}

/* On a GPU, without copies. */
static trib_status run_session(runner *r)
{
    const trib_tune_subject *s = r->subject;
    const int images = s->session->max_batch ? s->session->max_batch : 1;
    int64_t job;
    if (trib_device_get_info(s->device)->host) return trib_session_run(r->session, s->pixels, images, s->outputs);
    TRIB_TRY(trib_session_submit_resident(r->session, images, &job));
    return trib_session_wait(r->session, job);
}

static void read_times(runner *r, trib_tune_times *times)
{
    const int windows = r->subject->window_count, runs = r->timeline ? trib_timeline_count(r->timeline) : 0;
    memset(times->windows, 0, (size_t)windows * sizeof *times->windows);
    memset(times->stages, 0, (size_t)windows * sizeof *times->stages);
    for (int i = 0; i < runs; ++i) {
        const trib_timeline_run run = trib_timeline_at(r->timeline, i);
        trib_add_window_times(r->plan, &r->places, &run, windows, times);
    }
    for (int w = 0; w < windows && !runs; ++w) times->windows[w] = times->stages[w][0] = NAN;
    if (r->timeline) trib_timeline_clear(r->timeline);
}

static trib_status run_once(void *context, void *opened, trib_tune_times *times)
{
    runner *r = opened;
    const double begin = now(context);
    TRIB_TRY(r->session ? run_session(r) : train_once(r));
    times->network = now(context) - begin;
    read_times(r, times);
    return trib_success();
}

trib_tune_measurer trib_tune_device_measurer(trib_tune_subject *subject)
{
    return (trib_tune_measurer) {
        .open = open_runner, .run = run_once, .close = close_runner, .now = now, .context = subject
    };
}

/* ---- inputs and outputs ---- */

/* Values as a network sees them, without repetition: products of zeros take less power, and so less time. */
static trib_status fill_pixels(trib_tune_subject *s, const trib_plan_input *input, size_t count)
{
    uint32_t state = 88675123u;
    s->pixels = trib_alloc(count * trib_dtype_size(input->dtype));
    if (!s->pixels) return no_memory();
    for (size_t i = 0; i < count; ++i) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        if (input->dtype == TRIB_U8)
            ((unsigned char *)s->pixels)[i] = (unsigned char)(state >> 24);
        else
            ((float *)s->pixels)[i] = (float)(state >> 8) * (4.0f / 16777216.0f) - 2.0f;
    }
    return trib_success();
}

static int fewest_classes(const trib_plan *p)
{
    int64_t fewest = INT32_MAX;
    for (int i = 0; i < p->output_count; ++i)
        if (p->outputs[i].shape.rank == 2 && p->outputs[i].shape.dim[1] < fewest) fewest = p->outputs[i].shape.dim[1];
    return (int)fewest;
}

static trib_status open_output(trib_tune_subject *s, const trib_plan_output *output, int images)
{
    size_t bytes = trib_dtype_size(output->dtype) * (size_t)images;
    for (int i = 1; i < output->shape.rank; ++i) bytes *= (size_t)output->shape.dim[i];
    void *memory = s->outputs[s->output_count] = trib_alloc_zeroed(1, bytes);
    s->output_count += memory != NULL;
    return memory ? trib_success() : no_memory();
}

trib_status trib_tune_subject_open(trib_tune_subject *s, const trib_plan *p, int images)
{
    const int64_t *d = p->inputs[0].shape.dim;
    TRIB_TRY(fill_pixels(s, &p->inputs[0], (size_t)images * (size_t)(d[1] * d[2] * d[3])));
    s->outputs = trib_alloc_zeroed((size_t)p->output_count, sizeof *s->outputs);
    s->labels = trib_alloc_zeroed((size_t)images, sizeof *s->labels);
    if (!s->outputs || !s->labels) return no_memory();
    for (int i = 0; i < images; ++i) s->labels[i] = i % fewest_classes(p);
    for (int i = 0; i < p->output_count; ++i) TRIB_TRY(open_output(s, &p->outputs[i], images));
    return trib_success();
}

void trib_tune_subject_release(trib_tune_subject *s)
{
    trib_observation_close(s->watching);
    for (int i = 0; i < s->output_count; ++i) trib_free(s->outputs[i]);
    trib_free(s->outputs);
    trib_free(s->labels);
    trib_free(s->pixels);
}

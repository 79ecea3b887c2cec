/* SPDX-License-Identifier: Apache-2.0
 * What is searched for a session or a trainer: windows of forks, lanes and threads of a cpu. */
#include "tributary/tune.h"

#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "lowering/stages.h"
#include "tributary/internal/alloc.h"
#include "tune/key.h"
#include "tune/measure.h"

enum { MOST_SETTINGS = 6 };

typedef struct tuner {
    trib_tune_subject subject;
    trib_tune_measurer measurer;
    trib_search search;
    trib_tune_window *windows;
    const char **forks;
    int *parents;
    trib_tune_setting settings[MOST_SETTINGS];
    trib_tuned *tuned;
} tuner;

static trib_status no_memory(void) { return TRIB_ERROR(TRIB_OUT_OF_MEMORY, "no memory to search schedules"); }

/* ---- forks ---- */

/* A fork with too many stages has no window: it runs as the fixed schedule that is chosen. */
static trib_status add_windows(tuner *t, const trib_graph *g, int fork, bool training)
{
    int lengths[TRIB_SPACE_BRANCHES] = { 0 };
    const int branches = g->forks[fork].branch_count;
    if (branches > TRIB_SPACE_BRANCHES) return trib_success();
    for (int b = 0; b < branches; ++b) lengths[b] = trib_layers_of_branch(g, fork, b);
    for (int backward = 0; backward < 1 + training; ++backward) {
        trib_space *space = NULL;
        int own[TRIB_SPACE_BRANCHES];
        memcpy(own, lengths, sizeof own);
        trib_status status = trib_space_create(own, branches, &space);
        if (status.code == TRIB_UNSUPPORTED) return trib_success();
        if (trib_failed(&status)) return status;
        t->windows[t->search.window_count++] =
            (trib_tune_window) { .fork = fork, .backward = backward, .space = space };
    }
    return trib_success();
}

static trib_status list_forks(tuner *t, const trib_graph *g, bool training)
{
    const size_t n = g->fork_count + 1;
    t->windows = trib_alloc_zeroed(2 * n, sizeof *t->windows);
    t->forks = trib_alloc_zeroed(n, sizeof *t->forks);
    t->parents = trib_alloc_zeroed(n, sizeof *t->parents);
    if (!t->windows || !t->forks || !t->parents) return no_memory();
    for (int f = 0; f < (int)g->fork_count; ++f) {
        t->forks[f] = g->forks[f].name;
        t->parents[f] = g->forks[f].parent;
        if (g->forks[f].parent < 0 && g->forks[f].branch_count > 1) TRIB_TRY(add_windows(t, g, f, training));
    }
    t->search.fork_count = (int)g->fork_count;
    t->search.forks = t->forks;
    t->search.parents = t->parents;
    t->search.windows = t->windows;
    return trib_success();
}

/* ---- settings ---- */

static void add_setting(tuner *t, int lanes, int chunk, int threads, bool named)
{
    trib_tune_setting *s = &t->settings[t->search.setting_count];
    for (int i = 0; i < t->search.setting_count; ++i)
        if (t->settings[i].lanes == lanes && t->settings[i].chunk == chunk && t->settings[i].threads == threads) return;
    if (t->search.setting_count == MOST_SETTINGS || lanes < 1 || chunk < 1 || threads < 1) return;
    *s = (trib_tune_setting) { .lanes = lanes, .chunk = chunk, .threads = threads, .staged = threads > 1 };
    if (named)
        snprintf(s->name, sizeof s->name, "%d lane%s of %d thread%s and %d image%s", lanes, lanes == 1 ? "" : "s",
                 threads, threads == 1 ? "" : "s", chunk, chunk == 1 ? "" : "s");
    ++t->search.setting_count;
}

/* On a cpu, unless the options say which: fewer lanes of more threads, and more or fewer images at a time. */
static void list_settings(tuner *t, const trib_session *session, const trib_session_options *o)
{
    const trib_device_info *info = trib_device_get_info(t->subject.device);
    const trib_plan *p = trib_session_plan(session);
    const int lanes = trib_session_lanes(session), images = o->max_batch, cores = info->cores;
    const bool open = !o->lanes && !o->plan.batch && !o->plan.threads;
    if (!info->host) {
        t->settings[t->search.setting_count++] = (trib_tune_setting) { .staged = true };
        return;
    }
    add_setting(t, lanes, p->batch, p->threads, true);
    if (!open) return;
    add_setting(t, 1, images, cores, true);
    if (images >= cores) add_setting(t, cores, (images + cores - 1) / cores, 1, true);
    if (p->batch > 1) add_setting(t, lanes, (p->batch + 1) / 2, p->threads, true);
    if (p->batch * 2 * lanes <= images) add_setting(t, lanes, p->batch * 2, p->threads, true);
}

/* ---- the search ---- */

static void release(tuner *t)
{
    for (int w = 0; w < t->search.window_count; ++w) trib_space_destroy(t->windows[w].space);
    trib_free(t->windows);
    trib_free(t->forks);
    trib_free(t->parents);
    trib_tune_subject_release(&t->subject);
}

static trib_status begin(tuner *t, trib_device *device, const trib_graph *g, const trib_tensor *parameters,
                         const trib_plan_options *plan, trib_launch launch, const trib_tune_options *how)
{
    t->subject = (trib_tune_subject) { .device = device, .graph = g, .parameters = parameters };
    t->search.how = how ? *how : (trib_tune_options) { 0 };
    t->tuned = trib_alloc_zeroed(1, sizeof *t->tuned);
    if (!t->tuned) return no_memory();
    trib_tune_key(device, g, plan, launch, t->tuned->key);
    trib_tune_versions(device, t->tuned->library, t->tuned->device);
    return list_forks(t, g, plan->training != NULL);
}

static trib_status search(tuner *t)
{
    t->subject.windows = t->windows;
    t->subject.window_count = t->search.window_count;
    t->measurer = trib_tune_device_measurer(&t->subject);
    t->search.measurer = &t->measurer;
    t->search.settings = t->settings;
    return trib_search_run(&t->search, t->tuned);
}

static trib_status finish(tuner *t, trib_status status, trib_tuned **out)
{
    release(t);
    if (trib_failed(&status)) {
        trib_tuned_destroy(t->tuned);
        trib_add_context(&status, "searching the fastest schedule");
        return status;
    }
    *out = t->tuned;
    return status;
}

/* A session as the options have it, for its lanes and the forms of its inputs and outputs. */
static trib_status look_at_session(tuner *t, trib_session_options *o)
{
    trib_session *session = NULL;
    TRIB_TRY(trib_session_create(t->subject.device, t->subject.graph, t->subject.parameters, o, &session));
    list_settings(t, session, o);
    trib_status status = trib_tune_subject_open(&t->subject, trib_session_plan(session), o->max_batch);
    trib_session_destroy(session);
    return status;
}

/* Made-up images are no regions of pictures: the plan behind its first op is the same. */
static void take_pixels(const trib_device *device, trib_plan_options *plan)
{
    const bool by_device = trib_device_get_info(device)->normalises && plan->input_layout == TRIB_NHWC;
    if (plan->regions && !by_device) plan->normalise = NULL;
    plan->regions = false;
}

trib_status trib_tune_session(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                              const trib_session_options *options, const trib_tune_options *how, trib_tuned **out)
{
    tuner t = { .search = { 0 } };
    if (!device || !graph || !options || !out)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a search needs a device, a graph and options");
    trib_session_options o = *options;
    o.max_batch = o.max_batch > 0 ? o.max_batch : 1;
    take_pixels(device, &o.plan);
    o.plan.fork_schedule_count = 0;
    o.plan.schedule = TRIB_SERIAL;
    trib_plan_options key = o.plan;
    key.batch = o.max_batch;
    trib_status status = begin(&t, device, graph, parameters, &key, o.launch, how);
    t.subject.session = &o;
    if (!trib_failed(&status)) status = look_at_session(&t, &o);
    if (!trib_failed(&status)) status = search(&t);
    return finish(&t, status, out);
}

static trib_status look_at_trainer(tuner *t, const trib_trainer_options *o)
{
    const trib_device_info *info = trib_device_get_info(t->subject.device);
    const int threads = !info->host ? 0 : o->plan.threads ? o->plan.threads : info->cores;
    trib_plan *plan = NULL;
    t->settings[t->search.setting_count++] = (trib_tune_setting) { .staged = !info->host || threads > 1 };
    TRIB_TRY(trib_plan_create(t->subject.graph, t->subject.device, &o->plan, &plan));
    trib_status status = trib_tune_subject_open(&t->subject, plan, plan->batch);
    trib_plan_destroy(plan);
    return status;
}

trib_status trib_tune_trainer(trib_device *device, const trib_graph *graph, const trib_tensor *parameters,
                              const trib_trainer_options *options, const trib_tune_options *how, trib_tuned **out)
{
    tuner t = { .search = { 0 } };
    if (!device || !graph || !options || !options->plan.training || !out)
        return TRIB_ERROR(TRIB_INVALID_ARGUMENT, "a search needs a device, a graph, and options with what to train");
    trib_trainer_options o = *options;
    o.plan.fork_schedule_count = 0;
    o.plan.schedule = TRIB_SERIAL;
    trib_status status = begin(&t, device, graph, parameters, &o.plan, o.launch, how);
    t.subject.trainer = &o;
    if (!trib_failed(&status)) status = look_at_trainer(&t, &o);
    if (!trib_failed(&status)) status = search(&t);
    return finish(&t, status, out);
}

void trib_tuned_destroy(trib_tuned *tuned)
{
    if (!tuned) return;
    trib_free(tuned->forks);
    trib_free(tuned->verdicts);
    trib_free(tuned->storage);
    trib_free(tuned);
}

void trib_tuned_apply(const trib_tuned *tuned, trib_plan_options *plan)
{
    plan->schedule = tuned->schedule;
    plan->fork_schedules = tuned->forks;
    plan->fork_schedule_count = tuned->fork_count;
}
